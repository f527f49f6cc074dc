/** What `polaris temperature` prints of one file of curves. */
import type { CurvePoint } from "../recipe/temperature/decide.ts";
import { describeDecision, describeResolution, measureName } from "../recipe/temperature/describe.ts";
import type { ReadCurves } from "../recipe/temperature/read-sweep.ts";
import { expectedResolution } from "../recipe/temperature/resolution.ts";
import type { TemperatureDecision } from "../recipe/temperature/sweep-file.ts";
import { formatTable, printable } from "./style.ts";

const percent = (value: number | undefined): string => (value === undefined ? "" : (100 * value).toFixed(1));

/** What difference of accuracy the curves can show, measured or by their numbers. */
function resolutionOf({ drawn }: ReadCurves, decision: TemperatureDecision): string {
  const measured = describeResolution(decision);
  if (measured !== "") return measured;
  const { robustTolerance, peak } = decision.zones;
  const asked = `the robust zone asks for ${percent(robustTolerance)}`;
  if (drawn === null)
    return `These curves have no intervals, and ${asked} points: "problems" and "samples_per_problem" beside "points" say what they can show.`;
  const seen = expectedResolution({ ...drawn, accuracy: peak.accuracy });
  return `${drawn.problems} problems x ${drawn.samplesPerProblem} responses show differences of accuracy from about ${percent(seen)} points on; ${asked}${seen > robustTolerance ? ", which is below it" : ""}.`;
}

/** Table, decision, what the data show, and warnings, a line each. */
export function temperatureText(path: string, curves: ReadCurves, decision: TemperatureDecision): string[] {
  const { file } = curves;
  const measure = file === null ? "diversity" : measureName(file.conditions);
  const points = new Map(curves.points.map((point) => [point.temperature, point]));
  const stored = new Map(file?.points.map((point) => [point.temperature, point]));
  const interval = (estimate: { low: number; high: number } | undefined): string =>
    estimate === undefined ? "" : `${percent(estimate.low)} to ${percent(estimate.high)}`;
  const cellsOf = decision.zones.points.map(({ temperature, zone }) => {
    const point = stored.get(temperature);
    const { accuracy, diversity } = points.get(temperature) as CurvePoint;
    return [
      String(temperature),
      zone,
      percent(accuracy),
      interval(point?.accuracy),
      percent(diversity),
      interval(point?.diversity),
      point?.entropy == null ? "" : point.entropy.toFixed(3),
      temperature === decision.temperature ? "chosen" : "",
    ];
  });
  const titles = ["temperature", "zone", "accuracy", "95%", measure, "95%", "entropy", ""];
  // Bare curves have no intervals and no entropy, and some no diversity.
  const used = titles.map((_, column) => cellsOf.some((cells) => cells[column] !== ""));
  const kept = <Cell>(cells: readonly Cell[]): Cell[] => cells.filter((_, column) => used[column]);
  const rows = cellsOf.map(kept);
  const header = kept(titles);
  const { crossing, warnings } = decision;
  // The steps of the stage's search say nothing about a decision made anew.
  return [
    `${printable(path)}${file === null ? "" : `: stage ${printable(file.stage)}, model ${printable(file.model)}, ${file.problems.count} problems x ${file.conditions.samplesPerProblem} responses`}`,
    ...formatTable(rows, header),
    printable(describeDecision(decision, measure)),
    ...(crossing === null ? [] : [`the curve crosses the target at ${crossing.toFixed(3)}`]),
    resolutionOf(curves, decision),
    ...warnings.map((warning) => `warning: ${warning}`),
    ...(file === null || file.decision.temperature === decision.temperature
      ? []
      : [`the stage itself chose ${file.decision.temperature}`]),
  ];
}
