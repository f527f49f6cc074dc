/** `polaris consensus score`: what responses would be paid against a store, one JSON line each and a table. Reads only. */
import { Command } from "commander";
import { CORE_PRESETS } from "../../../consensus/index.ts";
import { openAtomicFile } from "../../../data/atomic.ts";
import { jsonLine } from "../../../data/jsonl.ts";
import { streamAnyRollouts } from "../../../data/rollout-dialects.ts";
import { DataError, InterruptedError } from "../../../errors.ts";
import { type ScoredResponse, scoreResponses } from "../../../recipe/consensus-store/score-responses.ts";
import { storedSteps } from "../../../recipe/consensus-store/store-settings.ts";
import { openConsensusStore } from "../../../store/consensus/open.ts";
import { listenForInterrupt } from "../../interrupt.ts";
import { wholeNumber } from "../../number-options.ts";
import { openResponseFiles } from "../../response-files.ts";
import { formatNumber, formatTable } from "../../style.ts";
import { addStoreOption, type PresetOption, presetOption, print } from "./options.ts";

interface ScoreOptions {
  problems?: string;
  store: string;
  preset?: PresetOption;
  limitTokens?: number;
  out?: string;
  json?: boolean;
}

/** Sums over the responses of one reason. */
interface Tally {
  responses: number;
  ratio: number;
  withSet: number;
  overlap: number;
  reward: number;
  graded: number;
}

const emptyTally = (): Tally => ({ responses: 0, ratio: 0, withSet: 0, overlap: 0, reward: 0, graded: 0 });

function count(tally: Tally, row: ScoredResponse): void {
  tally.responses++;
  tally.overlap += row.overlap;
  if (row.ratio !== null) {
    tally.withSet++;
    tally.ratio += row.ratio;
  }
  if (row.reward !== null) {
    tally.graded++;
    tally.reward += row.reward;
  }
}

const over = (sum: number, n: number): number | null => (n === 0 ? null : sum / n);

function means({ responses, ratio, withSet, overlap, reward, graded }: Tally) {
  return {
    responses,
    overlap: over(overlap, responses),
    ratio: over(ratio, withSet),
    reward: over(reward, graded),
  };
}

async function score(paths: string[], options: ScoreOptions): Promise<void> {
  const { files, problems, rows } = await openResponseFiles(paths, options.problems);
  const store = await openConsensusStore(options.store, { create: false });
  const interrupt = listenForInterrupt(() => process.stderr.write("stopping\n"));
  const file = options.out === undefined ? null : openAtomicFile(options.out);
  try {
    const preset = CORE_PRESETS[options.preset ?? "default"];
    const steps = options.preset === undefined ? (storedSteps(store) ?? preset.steps) : preset.steps;
    const reasons = new Map<string, Tally>();
    const sides = { right: emptyTally(), wrong: emptyTally() };
    const all = emptyTally();
    const rollouts = streamAnyRollouts(files, { problems, rows, limitTokens: options.limitTokens });
    for await (const row of scoreResponses({
      store,
      rollouts,
      settings: { steps, reward: preset.reward },
      filters: options.preset === undefined ? undefined : preset.sets,
      signal: interrupt.signal,
    })) {
      const line = jsonLine(row);
      if (file !== null) file.write(Buffer.from(line, "utf8"));
      else if (!options.json) process.stdout.write(line);
      const tally = reasons.get(row.reason) ?? emptyTally();
      reasons.set(row.reason, tally);
      for (const one of [all, tally]) count(one, row);
      if (row.correct !== null) count(row.correct ? sides.right : sides.wrong, row);
    }
    if (interrupt.signal.aborted) throw new InterruptedError("stopped; no output was written");
    if (all.responses === 0) throw new DataError(`${files.join(", ")}: expected responses, got none`);
    file?.commit();
    const byReason = [...reasons].sort((a, b) => b[1].responses - a[1].responses);
    if (options.json) {
      const summary = {
        store: store.location,
        preset: options.preset ?? null,
        ...means(all),
        right: means(sides.right),
        wrong: means(sides.wrong),
        reasons: Object.fromEntries(byReason.map(([reason, tally]) => [reason, means(tally)])),
      };
      print([JSON.stringify(summary)]);
      return;
    }
    const cell = (value: number | null): string => (value === null ? "" : formatNumber(value));
    const row = (name: string, tally: Tally): string[] => {
      const { responses, overlap, ratio, reward } = means(tally);
      return [name, String(responses), cell(overlap), cell(ratio), cell(reward)];
    };
    const table = formatTable(
      [
        ...byReason.map(([reason, tally]) => row(reason, tally)),
        row("all right", sides.right),
        row("all wrong", sides.wrong),
      ],
      ["reason", "responses", "mean overlap", "mean ratio", "mean reward"],
    );
    // Lines on standard output stay lines: the table goes beside them.
    if (file === null) process.stderr.write(`${table.join("\n")}\n`);
    else print(table);
  } finally {
    file?.discard();
    interrupt.dispose();
    await store.close();
  }
}

export function createScoreCommand(): Command {
  const command = new Command("score")
    .description(
      "Meets responses with the sets of a store: overlap, ratio, reward and reason, one JSON line each, and a table.",
    )
    .argument(
      "<rollouts...>",
      "files of responses in any dialect, rollout stores, or folders runs/<run>/stages/<stage>",
    )
    .option("--problems <file>", "the problems, where the rows do not hold questions and answers");
  return addStoreOption(command)
    .addOption(
      presetOption(
        "reward, steps and filters of this preset; without it the default reward on the store's own sets",
      ),
    )
    .option(
      "--limit-tokens <n>",
      "token limit of the responses, for files without finish reasons",
      wholeNumber(1),
    )
    .option("--out <file>", "write the lines to this file and the table to standard output")
    .option("--json", "print only a summary, as JSON")
    .action(score);
}
