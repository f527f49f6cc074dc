/**
 * `polaris temperature`: zones and the temperature to train at, decided again from stored curves without sampling. Takes
 * the sweep.json of a temperature_sweep stage, or bare curves. Source: recipe A4, D15-D18.
 */
import { Command, InvalidArgumentError, Option } from "commander";
import { ConfigError, DataError } from "../../errors.ts";
import { type CurvePoint, decideTemperature } from "../../recipe/temperature/decide.ts";
import {
  describeDecision,
  describeResolution,
  differingConditions,
  measureName,
} from "../../recipe/temperature/describe.ts";
import { type ReadCurves, readCurves } from "../../recipe/temperature/read-sweep.ts";
import { expectedResolution } from "../../recipe/temperature/resolution.ts";
import type { SweepTarget, TemperatureDecision } from "../../recipe/temperature/sweep-file.ts";
import { share } from "../number-options.ts";
import { formatTable, printable } from "../style.ts";

interface TemperatureOptions {
  robustTolerance?: number;
  explorationShare?: number;
  match?: string;
  from?: number;
  rule?: SweepTarget["rule"];
  initial?: boolean;
  json?: boolean;
}

/** Tolerances of the recipe, where neither the file nor an option says otherwise. */
const DEFAULTS = { robustTolerance: 0.008, explorationShare: 0.8 };

function parseTemperature(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 10))
    throw new InvalidArgumentError("Expected a temperature from 0 to 10.");
  return value;
}

/** The target an option names: a diversity, or a file whose policy at its chosen temperature is to be matched. */
function matchTarget(curves: ReadCurves, path: string, options: TemperatureOptions): SweepTarget {
  const match = options.match as string;
  const rule = options.rule ?? "smallest";
  if (/^[\d.]+$/.test(match)) {
    const diversity = Number(match);
    if (!(diversity >= 0 && diversity <= 1))
      throw new ConfigError(`--match: expected a diversity from 0 to 1 or a sweep file, got ${match}`, {
        hint:
          diversity <= 100 ? `figures show it times 100: --match ${diversity / 100}` : "name a sweep.json",
      });
    return { diversity, rule, of: null, minTemperature: options.from ?? 0, startZone: null };
  }
  const other = readCurves(match);
  const differing =
    curves.file === null || other.file === null
      ? []
      : differingConditions(curves.file.conditions, other.file.conditions);
  if (differing.length > 0)
    throw new ConfigError(`${path} and ${match} were drawn differently: ${differing.join("; ")}`, {
      hint: "diversity can only be matched among sweeps of equal problems, samples, limits and prompt",
    });
  const { temperature, diversity, zones } =
    other.file?.decision ?? decide(other.points, match, { ...DEFAULTS, target: null });
  if (diversity === null)
    throw new DataError(`${match}: temperature ${temperature}: expected a diversity, got none`);
  const minTemperature = options.from ?? temperature;
  const startZone = zones.points.find((point) => point.temperature === minTemperature)?.zone ?? null;
  return { diversity, rule, of: match, minTemperature, startZone };
}

/** @throws {DataError} when the curves do not allow the decision */
function decide(
  points: readonly CurvePoint[],
  path: string,
  rules: Parameters<typeof decideTemperature>[1],
): TemperatureDecision {
  try {
    return decideTemperature(points, rules);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new DataError(`${path}: ${cause.message}`, { cause });
  }
}

/** What is matched: what the options say, else what the file's own stage matched. */
function targetOf(curves: ReadCurves, path: string, options: TemperatureOptions): SweepTarget | null {
  if (options.initial) return null;
  if (options.match !== undefined) return matchTarget(curves, path, options);
  const stored = curves.file?.decision.target ?? null;
  if (stored === null) {
    if (options.rule !== undefined || options.from !== undefined)
      throw new ConfigError(`${path}: --rule and --from need a diversity to match`, {
        hint: "give --match <sweep file or diversity>",
      });
    return null;
  }
  return {
    ...stored,
    rule: options.rule ?? stored.rule,
    minTemperature: options.from ?? stored.minTemperature,
  };
}

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

function textOf(path: string, curves: ReadCurves, decision: TemperatureDecision): string[] {
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

async function temperature(paths: string[], options: TemperatureOptions): Promise<void> {
  const results = paths.map((path) => {
    const curves = readCurves(path);
    const zones = curves.file?.decision.zones;
    const decision = decide(curves.points, path, {
      robustTolerance: options.robustTolerance ?? zones?.robustTolerance ?? DEFAULTS.robustTolerance,
      explorationShare: options.explorationShare ?? zones?.explorationShare ?? DEFAULTS.explorationShare,
      target: targetOf(curves, path, options),
    });
    return { path, curves, decision };
  });
  const lines = options.json
    ? results.map(({ path, decision }) => JSON.stringify({ file: path, ...decision }))
    : results.flatMap(({ path, curves, decision }, i) => [
        ...(i === 0 ? [] : [""]),
        ...textOf(path, curves, decision),
      ]);
  process.stdout.write(`${lines.join("\n")}\n`);
}

export function createTemperatureCommand(): Command {
  return new Command("temperature")
    .description("Zones and the temperature to train at, from stored curves; samples nothing.")
    .argument(
      "<curves...>",
      "sweep.json of temperature_sweep stages, or JSON with points of temperature, accuracy, diversity",
    )
    .option(
      "--robust-tolerance <share>",
      "the robust zone keeps accuracy within this of the peak (default: the file's, or 0.008)",
      share,
    )
    .option(
      "--exploration-share <share>",
      "the exploration zone keeps this share of the peak (default: the file's, or 0.8)",
      share,
    )
    .option(
      "--match <target>",
      "choose by diversity: a number, or the curves of the policy to be as diverse as",
    )
    .option(
      "--from <temperature>",
      "with a match: never below this (default: the matched sweep's temperature)",
      parseTemperature,
    )
    .addOption(
      new Option(
        "--rule <rule>",
        "with a match: the lowest temperature that reaches it, or the nearest",
      ).choices(["smallest", "nearest"]),
    )
    .option("--initial", "take the end of the robust zone even where the file's stage matched a diversity")
    .option("--json", "print a JSON line per file")
    .action(temperature);
}
