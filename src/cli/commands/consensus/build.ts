/**
 * `polaris consensus build`: verified-correct responses vote in a store. Idempotent: a response votes once, so a build
 * that was stopped is repeated, and a second one changes nothing.
 */
import { Command } from "commander";
import { streamAnyRollouts } from "../../../data/rollout-dialects.ts";
import { InterruptedError } from "../../../errors.ts";
import {
  emptyVoteCounts,
  responseVotes,
  type VoteCounts,
} from "../../../recipe/consensus-store/response-votes.ts";
import { openStoreForBuilding } from "../../../recipe/consensus-store/store-settings.ts";
import { listenForInterrupt } from "../../interrupt.ts";
import { wholeNumber } from "../../number-options.ts";
import { openResponseFiles } from "../../response-files.ts";
import {
  addFilterOptions,
  addStoreOption,
  describeMetrics,
  type FilterOptions,
  filtersOf,
  type PresetOption,
  presetOption,
  print,
} from "./options.ts";

interface BuildOptions extends FilterOptions {
  from: string[];
  problems?: string;
  store: string;
  preset?: PresetOption;
  limitTokens?: number;
  json?: boolean;
}

/** Responses between two lines of progress. */
const PROGRESS_EVERY = 10_000;

function describeCounts(counts: VoteCounts, unmatched: number): string[] {
  const { responses, correct, refused, withoutSteps } = counts;
  const reasons = Object.entries(refused).sort((a, b) => b[1] - a[1]);
  return [
    `${responses} responses: ${correct} correct, ${responses - correct} refused`,
    ...reasons.map(([reason, count]) => `  ${reason} ${count}`),
    ...(withoutSteps > 0
      ? [`${withoutSteps} correct responses show no intermediate result that counts`]
      : []),
    ...(unmatched > 0 ? [`${unmatched} rows answer none of the given problems and are left out`] : []),
  ];
}

async function build(options: BuildOptions): Promise<void> {
  const { files, problems, rows } = await openResponseFiles(options.from, options.problems);
  const { store, steps } = await openStoreForBuilding(options.store, {
    preset: options.preset,
    sets: filtersOf(options),
  });
  const note = (text: string): void => {
    process.stderr.write(`${text}\n`);
  };
  const interrupt = listenForInterrupt(() =>
    note("stopping after the batch in hand; the same command goes on"),
  );
  try {
    const counts = emptyVoteCounts();
    let unmatched = 0;
    let shown = 0;
    const rollouts = streamAnyRollouts(files, {
      problems,
      rows,
      limitTokens: options.limitTokens,
      onUnmatched: () => {
        unmatched++;
      },
    });
    const { signal } = interrupt;
    const onProgress = ({ responses, correct }: VoteCounts): void => {
      if (responses - shown < PROGRESS_EVERY) return;
      shown = responses;
      note(`${responses} responses read, ${correct} correct`);
    };
    await store.seedMany(responseVotes({ rollouts, steps, counts, onProgress, signal }));
    if (signal.aborted)
      throw new InterruptedError(`stopped after ${counts.responses} responses; their votes are kept`, {
        hint: "the same command goes on; responses that voted do not count twice",
      });
    const metrics = await store.metrics();
    const { location } = store;
    if (options.json)
      print([JSON.stringify({ store: location, files, ...counts, unmatchedRows: unmatched, metrics })]);
    else print([...describeCounts(counts, unmatched), `${location}:`, ...describeMetrics(metrics)]);
  } finally {
    interrupt.dispose();
    await store.close();
  }
}

export function createBuildCommand(): Command {
  const command = new Command("build")
    .description(
      "Grades responses with the strict grader; the steps of the correct ones vote in the store. Repeating it changes nothing.",
    )
    .requiredOption(
      "--from <rollouts...>",
      "files of responses in any dialect, rollout stores, or folders runs/<run>/stages/<stage>",
    )
    .option("--problems <file>", "the problems, where the rows do not hold questions and answers");
  addStoreOption(command)
    .addOption(presetOption("how steps are read and which items count; the store's own, or default"))
    .option(
      "--limit-tokens <n>",
      "token limit of the responses, for files without finish reasons",
      wholeNumber(1),
    );
  return addFilterOptions(command).option("--json", "print JSON").action(build);
}
