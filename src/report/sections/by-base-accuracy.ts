/**
 * Where the large model gains: accuracy of the distilled and merged models on the problems the large base solves 0, 1,
 * ... k times of k. The paper plots its base's 20 worst problems; selecting on a noisy base flatters every other model
 * there (regression to the mean), so all bins are shown, and the base is not compared in them.
 */
import type { Estimate } from "../../recipe/result-files.ts";
import { armLabel } from "../arms.ts";
import { type BenchmarkGroup, regimeTitle, splitArms } from "../benchmark-groups.ts";
import { describeGroup } from "../captions.ts";
import { armTag, table, valueWithInterval } from "../components.ts";
import type { ReportContext } from "../context.ts";
import { formatCount, formatRange, formatShare, hasInterval } from "../format.ts";
import { html, type SafeHtml } from "../html.ts";
import { problemMean } from "../problem-statistics.ts";

const REFERENCE = "large";

/** The problems of which the reference solves `solved` of `samples`. */
export interface BaseAccuracyBin {
  solved: number;
  samples: number;
  problems: number;
  arms: { arm: string; accuracy: Estimate }[];
}

/** Bins by the large base's number of correct responses; empty without a large base and another large arm. */
export function accuracyByBase(group: BenchmarkGroup): BaseAccuracyBin[] {
  const arms = splitArms(group).large.filter((arm) => arm !== REFERENCE);
  const references = group.cells.filter((cell) => cell.arm === REFERENCE);
  const samples = references[0]?.samples;
  if (arms.length === 0 || samples === undefined || references.some((cell) => cell.samples !== samples))
    return [];
  const key = (benchmark: string, id: string): string => `${benchmark}\n${id}`;
  const solvedBy = new Map<string, number>();
  for (const cell of references)
    for (const { id, correct } of cell.perProblem) solvedBy.set(key(cell.benchmark, id), correct);

  return Array.from({ length: samples + 1 }, (_, solved) => {
    const values = arms.map((arm) => ({
      arm,
      shares: group.cells
        .filter((cell) => cell.arm === arm)
        .flatMap((cell) =>
          cell.perProblem
            .filter(({ id }) => solvedBy.get(key(cell.benchmark, id)) === solved)
            .map(({ correct }) => correct / cell.samples),
        ),
    }));
    return {
      solved,
      samples,
      problems: [...solvedBy.values()].filter((count) => count === solved).length,
      arms: values.map(({ arm, shares }) => ({ arm, accuracy: problemMean(shares) })),
    };
  }).filter(({ problems }) => problems > 0);
}

/** One table per regime, folded away. */
export function baseAccuracyTables(context: ReportContext): SafeHtml {
  return html`${context.groups.map((group) => {
    const bins = accuracyByBase(group);
    if (bins.length === 0) return "";
    const arms = bins[0]?.arms.map(({ arm }) => arm) ?? [];
    return html`<details><summary>By what the large base could do: ${regimeTitle(group.regime).toLowerCase()}</summary>
${table({
  columns: [
    { title: "large base solved", align: "left" },
    { title: "problems" },
    ...arms.map((arm) => ({ title: armTag(`${armLabel(arm)}, %`, context.colourOf(arm)) })),
  ],
  rows: bins.map(({ solved, samples, problems, arms: values }) => ({
    cells: [
      `${solved} of ${samples}`,
      formatCount(problems),
      ...values.map(({ accuracy }) =>
        valueWithInterval(
          formatShare(accuracy.value),
          hasInterval(accuracy) ? formatRange(accuracy.low * 100, accuracy.high * 100, 1) : undefined,
        ),
      ),
    ],
  })),
  caption: `Mean accuracy on the problems the large base solved this often, 95% intervals over problems. The bins are chosen by the base\u2019s own noisy score, so its accuracy there says nothing and every other model drifts towards its mean; compare columns, not a column with the base. ${describeGroup(group)}`,
})}</details>
`;
  })}`;
}
