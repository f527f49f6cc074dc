/**
 * The sources of a problems stage, read one after another: practice tasks, files, earlier stages, data sets of the Hub.
 * What each gave is recorded, with the commit a Hub revision stood for.
 */
import type { ColumnsConfig, ProblemSource } from "../../config/stages/problem-sources.ts";
import { openHubDataset, resolveHubCommit } from "../../data/hub/dataset.ts";
import type { ProblemColumns } from "../../data/problem-row.ts";
import { streamProblems } from "../../data/problems.ts";
import type { DataError } from "../../errors.ts";
import type { Json, Problem } from "../../types.ts";
import { createBenchmark } from "../practice/benchmarks.ts";
import type { SourcesFile } from "../result-files.ts";
import type { PinContext, StageContext } from "../stage.ts";
import { resolveProblemsInput } from "./inputs.ts";

export interface ReadSourcesOptions {
  /** Takes rows that are no problem; without it the first is an error. */
  onInvalid?: (error: DataError) => void;
}

/** Columns that were named; an unnamed one is absent, not undefined. */
function columnsOf(columns: ColumnsConfig): ProblemColumns {
  const named = Object.entries(columns ?? {}).filter(([, name]) => name !== undefined);
  return Object.fromEntries(named) as ProblemColumns;
}

/** The commit an earlier start of the run, or another of its stages, recorded for a revision of a data set. */
function recordedCommit(
  recorded: readonly Json[],
  { dataset, revision }: Extract<ProblemSource, { from: "hub" }>,
): string | null {
  for (const config of recorded) {
    const sources = (config as { sources?: unknown } | null)?.sources;
    for (const source of Array.isArray(sources) ? (sources as Partial<Record<string, unknown>>[]) : [])
      if (source?.["from"] === "hub" && source["dataset"] === dataset && source["revision"] === revision)
        if (typeof source["commit"] === "string") return source["commit"];
  }
  return null;
}

/**
 * Puts the commit beside every Hub revision, so that a content key does not cover a branch but what it stood for.
 * @throws {DataError} when the Hub has no such data set or revision, or cannot be asked
 */
export async function pinProblemSources(
  sources: readonly ProblemSource[],
  { recorded, signal }: PinContext,
): Promise<ProblemSource[]> {
  const pinned: ProblemSource[] = [];
  for (const source of sources) {
    if (source.from !== "hub" || source.commit !== undefined) {
      pinned.push(source);
      continue;
    }
    const { dataset, revision } = source;
    const commit =
      recordedCommit([...recorded, { sources: pinned as unknown as Json }], source) ??
      (await resolveHubCommit(dataset, { revision, signal }));
    pinned.push({ ...source, commit });
  }
  return pinned;
}

/**
 * Reads the sources in order.
 *
 * @param records filled with what each source gave, in the order of the sources
 * @throws {DataError} for a file or data set that cannot be read; {ConfigError} for a stage that writes no problems
 */
export async function* readProblemSources(
  sources: readonly ProblemSource[],
  context: StageContext,
  records: SourcesFile["sources"],
  options: ReadSourcesOptions = {},
): AsyncGenerator<Problem> {
  const { onInvalid } = options;
  const reading = onInvalid === undefined ? {} : { onInvalid };
  for (const source of sources) {
    if (source.from === "practice") {
      const record = { from: "practice" as const, name: source.benchmarks.join(", "), problems: 0 };
      records.push(record);
      const { split, count, seed = context.seed } = source;
      for (const name of source.benchmarks)
        for (const problem of createBenchmark({ name, split, seed, count })) {
          record.problems++;
          yield problem;
        }
      continue;
    }
    const columns = columnsOf(source.columns);
    let files: { path: string; local: string }[];
    let record: SourcesFile["sources"][number];
    if (source.from === "hub") {
      const { dataset, revision, commit, config, split, files: patterns } = source;
      const set = await openHubDataset(dataset, {
        revision,
        ...(commit === undefined ? {} : { commit }),
        ...(patterns === undefined ? {} : { files: patterns }),
        ...(split === undefined ? {} : { split }),
        ...(config === undefined ? {} : { config }),
        signal: context.signal,
        onDownload: (path, bytes) =>
          context.progress.note(`${dataset}: ${path}, ${(bytes / 1e6).toFixed(1)} MB`),
      });
      files = set.files;
      record = {
        from: "hub",
        name: dataset,
        problems: 0,
        revision,
        commit: set.commit,
        files: set.files.map(({ path }) => path),
      };
    } else {
      const local = resolveProblemsInput(context, source.problems);
      files = [{ path: local, local }];
      record = { from: "reference", name: source.problems, problems: 0 };
    }
    records.push(record);
    for (const { local } of files)
      for await (const problem of streamProblems(local, {
        ...reading,
        columns,
        ...(source.from === "hub" ? { source: source.dataset } : {}),
      })) {
        record.problems++;
        yield source.source === undefined ? problem : { ...problem, source: source.source };
      }
  }
}
