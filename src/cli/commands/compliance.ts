/**
 * `polaris compliance`: how many responses show enough intermediate results, per file, stage and model: what a format
 * SFT is judged by, before and after. Needs no problems and no answers. Source: recipe B3, D64.
 */
import { Command } from "commander";
import { DEFAULT_REQUIRED_SPANS, distinctSpans, summariseCompliance } from "../../consensus/compliance.ts";
import { parseRolloutRow } from "../../data/rollout-row.ts";
import { DataError } from "../../errors.ts";
import { wholeNumber } from "../number-options.ts";
import { openResponseFiles, type ResponseFiles } from "../response-files.ts";
import { formatTable, printable } from "../style.ts";

interface ComplianceOptions {
  requiredSpans: number;
  json?: boolean;
}

/** Responses that are compared as one model. */
interface Group {
  file: string;
  stage: string;
  model: string;
  /** Distinct results by problem. */
  spans: Map<string, number[]>;
}

const percent = (value: number): string => `${(100 * value).toFixed(1)}%`;

async function readGroups({ files, rows }: ResponseFiles): Promise<Group[]> {
  const groups = new Map<string, Group>();
  for (const file of files) {
    for await (const { value, where } of rows(file)) {
      const row = parseRolloutRow(value, where);
      const stage = row.stage ?? "";
      const model = row.policyVersion ?? "";
      const key = JSON.stringify([file, stage, model]);
      const group = groups.get(key) ?? { file, stage, model, spans: new Map() };
      groups.set(key, group);
      const problem = row.problem.id?.value ?? row.problem.question ?? where;
      const counts = group.spans.get(problem) ?? [];
      for (const { text } of row.responses) counts.push(distinctSpans(text));
      group.spans.set(problem, counts);
    }
  }
  if (groups.size === 0) throw new DataError(`${files.join(", ")}: expected responses, got none`);
  return [...groups.values()];
}

async function compliance(paths: string[], options: ComplianceOptions): Promise<void> {
  const rows = (await readGroups(await openResponseFiles(paths))).map(({ spans, ...group }) => ({
    ...group,
    ...summariseCompliance([...spans.values()], options.requiredSpans),
  }));
  if (options.json) {
    process.stdout.write(`${rows.map((row) => JSON.stringify(row)).join("\n")}\n`);
    return;
  }
  const lines = formatTable(
    rows.map(({ file, stage, model, problems, responses, compliant, meanSpans, counts }) => [
      printable(file),
      printable(stage),
      printable(model),
      String(problems),
      String(responses),
      percent(compliant.value),
      `${percent(compliant.low)} to ${percent(compliant.high)}`,
      meanSpans.toFixed(2),
      percent((counts[0] as number) / responses),
    ]),
    ["file", "stage", "model", "problems", "responses", "compliant", "95% interval", "mean", "none"],
  );
  process.stdout.write(`${lines.join("\n")}\n`);
  process.stdout.write(
    `compliant: at least ${options.requiredSpans} distinct \\underline{} results; mean over problems, interval clustered by problem\n`,
  );
}

export function createComplianceCommand(): Command {
  return new Command("compliance")
    .description("Share of responses with enough \\underline{} results, per file, stage and model.")
    .argument(
      "<responses...>",
      "files of responses in any dialect, rollout stores, or folders runs/<run>/stages/<stage>",
    )
    .option(
      "--required-spans <n>",
      "distinct results a compliant response has",
      wholeNumber(0, 1000),
      DEFAULT_REQUIRED_SPANS,
    )
    .option("--json", "print a JSON line per model, with the counts of responses by number of results")
    .action(compliance);
}
