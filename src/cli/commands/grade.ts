/**
 * `polaris grade`: verdicts for responses (grade-responses.ts), the measurement of the grader on labelled pairs, and the
 * check that a data set's golds recognise themselves.
 */
import { Command, Option } from "commander";
import { readRows } from "../../data/rows.ts";
import { DataError } from "../../errors.ts";
import { createPairCounter, type PairCounts } from "../../math/pairs.ts";
import { verify } from "../../math/verify.ts";
import { GRADER_VERSION } from "../../math/version.ts";
import type { Answer } from "../../types.ts";
import { formatTable, printable } from "../style.ts";
import { gradeResponses, percent, print } from "./grade-responses.ts";
import { parseGoldRow, parsePairRow } from "./grade-rows.ts";

function countRow(counts: PairCounts): string[] {
  return [
    counts.name,
    String(counts.rows),
    percent(counts.accuracy),
    String(counts.falsePositives),
    String(counts.falseNegatives),
  ];
}

/** Quantile of sorted values. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

async function gradePairs(path: string, { json }: { json?: boolean }): Promise<void> {
  const counter = createPairCounter();
  const times: number[] = [];
  for await (const { value, where } of readRows(path)) {
    const pair = parsePairRow(value, where);
    const start = performance.now();
    counter.add(pair);
    times.push(performance.now() - start);
  }
  if (times.length === 0) throw new DataError(`${path}: expected labelled pairs, got an empty file`);
  const summary = counter.summary();
  times.sort((a, b) => a - b);
  const latencyMs = { median: quantile(times, 0.5), p99: quantile(times, 0.99), max: times.at(-1) as number };
  if (json) {
    print([JSON.stringify({ ...summary, latencyMs, graderVersion: GRADER_VERSION })]);
    return;
  }
  const header = ["", "rows", "accuracy", "false positives", "false negatives"];
  const totals = [summary.all, summary.withoutPolicy, summary.thirdParty].map(countRow);
  print([
    ...summary.wrong.map(
      (row) =>
        `${row.expected ? "FN" : "FP"}${row.policy ? " (policy)" : ""} ${row.kind} ${row.id}: gold ${printable(row.gold.toString()).slice(0, 80)} | ${printable(row.prediction).slice(-80)} | ${row.reason}`,
    ),
    "",
    ...formatTable(summary.byKind.map(countRow), ["kind", ...header.slice(1)]),
    "",
    ...formatTable(summary.bySource.map(countRow), ["source", ...header.slice(1)]),
    "",
    ...formatTable(totals, header),
    `latency median ${latencyMs.median.toFixed(3)} ms, p99 ${latencyMs.p99.toFixed(3)} ms; grader ${GRADER_VERSION}`,
  ]);
}

/** A gold that does not recognise itself cannot be trained on. Source: recipe.md B5. */
async function gradeGolds(paths: readonly string[], { json }: { json?: boolean }): Promise<void> {
  for (const path of paths) {
    let rows = 0;
    const refused: { id: string; gold: Answer }[] = [];
    for await (const { value, where } of readRows(path)) {
      const { id, gold } = parseGoldRow(value, where, String(rows));
      if (gold === null) throw new DataError(`${where}: expected a column with the gold answer`);
      rows++;
      const alternatives = Array.isArray(gold) ? gold : [gold];
      if (!alternatives.some((one) => verify(gold, String(one)).equal)) refused.push({ id, gold });
    }
    if (json) print([JSON.stringify({ file: path, rows, recognised: rows - refused.length, refused })]);
    else
      print([
        `${path}: ${rows - refused.length} of ${rows} golds recognise themselves`,
        ...refused.map(({ id, gold }) => `  ${id}: ${printable(String(gold)).slice(0, 100)}`),
      ]);
  }
}

export function createGradeCommand(): Command {
  const command = new Command("grade").description(
    "Grades responses against gold answers; measures the grader on labelled pairs; checks golds.",
  );
  command.addCommand(
    new Command("responses")
      .description("Grades responses (the default command).")
      .argument(
        "<rollouts>",
        "JSONL (also .gz) or Parquet in any dialect, a rollout store, or a folder runs/<run>/stages/<stage>",
      )
      .option("--gold <file>", "JSONL or Parquet with the gold answers, by id or in the same order")
      .option("--problems <file>", "problems the responses answer; those of the run by default")
      .option("--out <file>", "write the verdicts as JSONL, or Parquet by name")
      .addOption(
        new Option("--mode <mode>", "strict, or the V1 grader bug for bug")
          .choices(["strict", "compat"])
          .default("strict"),
      )
      .addOption(
        new Option("--extract <mode>", "where the answer is looked for")
          .choices(["last_boxed", "think_close"])
          .default("last_boxed"),
      )
      .addOption(
        new Option("--boxes <policy>", "one box, or all boxes of a final enumeration")
          .choices(["last", "all"])
          .default("last"),
      )
      .option("--prose", "without a box, take the answer from prose")
      .option("--response-column <name>", "column with the response, dots for nested ones")
      .option("--gold-column <name>", "column with the gold answer, dots for nested ones")
      .option("--id-column <name>", "column with the id")
      .option("--json", "print JSON lines")
      .action(gradeResponses),
    { isDefault: true },
  );
  command.addCommand(
    new Command("pairs")
      .description("Accuracy, false positives and false negatives of the grader on labelled pairs.")
      .argument("<file>", "JSONL of {id, source, kind, gold, prediction, expected, policy}")
      .option("--json", "print one JSON object")
      .action(gradePairs),
  );
  command.addCommand(
    new Command("golds")
      .description("Checks that every gold answer of a data set recognises itself.")
      .argument("<file...>", "JSONL or Parquet problems")
      .option("--json", "print JSON lines")
      .action(gradeGolds),
  );
  return command;
}
