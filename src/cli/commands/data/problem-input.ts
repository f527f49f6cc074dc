/**
 * Problems a data command is given: files, finished stages of a run, or data sets of the Hub, with the columns named on
 * the command line. The same problems can be streamed more than once.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { isHubAddress, parseHubAddress } from "../../../data/hub/address.ts";
import { openHubDataset } from "../../../data/hub/dataset.ts";
import { selectDataFiles } from "../../../data/hub/select-files.ts";
import type { ProblemColumns } from "../../../data/problem-row.ts";
import { streamProblems } from "../../../data/problems.ts";
import { readRows } from "../../../data/rows.ts";
import { DataError } from "../../../errors.ts";
import type { Json, Problem } from "../../../types.ts";
import { withProgress } from "./row-progress.ts";

/** What the commands take, for their help pages. */
export const PROBLEMS_ARGUMENT =
  "files (.parquet, .jsonl, .json, .csv, .gz), folders of such files or of a stage, hf://datasets/org/name";

/** Files of a folder looked at: a data set, not a home folder. */
const MAX_FOLDER_FILES = 100_000;
/** A card is a page. */
const MAX_CARD_BYTES = 2 ** 22;

export interface ProblemInputOptions {
  column?: ProblemColumns;
  source?: string;
  split?: string;
  config?: string;
  skipInvalid?: boolean;
}

export interface ProblemInput {
  files: string[];
  /** Commit of each Hub data set among the inputs. */
  commits: { name: string; revision: string; commit: string }[];
  /** @param onInvalid takes rows that are no problem, where they are to be left out */
  stream(onInvalid: (error: DataError) => void): AsyncGenerator<Problem>;
  /** The first row as it stands in the file; null for an empty one. */
  firstRow(): Promise<Json>;
}

function addColumn(text: string, columns: ProblemColumns = {}): ProblemColumns {
  const [, role, name] = /^(prompt|answer|id|source)=(.+)$/.exec(text) ?? [];
  if (role === undefined)
    throw new InvalidArgumentError("Expected prompt=, answer=, id= or source= and a column.");
  return { ...columns, [role]: name };
}

/** Adds the options that say how problems are read. */
export function addInputOptions(command: Command): Command {
  return command
    .option(
      "--column <role=name>",
      "column of the prompt, answer, id or source; a.b is a field (repeatable)",
      addColumn,
    )
    .option("--source <name>", "source of rows that name none (default: the file's name)")
    .option("--split <name>", "split of a data set on the Hub")
    .option("--config <name>", "configuration of a data set on the Hub")
    .option("--skip-invalid", "leave out rows without a question or a usable answer, and count them");
}

/** Files with rows of a local folder, chosen as those of a data set on the Hub: by its card or by names. */
function filesOf(folder: string, { split, config }: ProblemInputOptions): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  if (entries.length > MAX_FOLDER_FILES)
    throw new DataError(`${folder}: expected at most ${MAX_FOLDER_FILES} files`);
  const paths = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"));
  const card = join(folder, "README.md");
  const text = existsSync(card) && statSync(card).size <= MAX_CARD_BYTES ? readFileSync(card, "utf8") : null;
  try {
    return selectDataFiles(paths, text, { split, config }).map((path) => join(folder, path));
  } catch (cause) {
    if (cause instanceof DataError) cause.message = `${folder}: ${cause.message}`;
    throw cause;
  }
}

async function resolveInput(
  path: string,
  options: ProblemInputOptions,
  commits: ProblemInput["commits"],
): Promise<{ file: string; source?: string }[]> {
  const { split, config } = options;
  if (isHubAddress(path)) {
    const { name, revision, pattern } = parseHubAddress(path);
    const set = await openHubDataset(name, {
      revision,
      split,
      config,
      ...(pattern === undefined ? {} : { files: [pattern] }),
      onDownload: (file, bytes) => process.stderr.write(`${name}: ${file}, ${(bytes / 1e6).toFixed(1)} MB\n`),
    });
    commits.push({ name, revision: set.revision, commit: set.commit });
    return set.files.map(({ local }) => ({ file: local, source: name }));
  }
  if (!existsSync(path)) {
    // Other tools take the bare name of a data set; here a name without a prefix is a place on this disk.
    const onHub = /^(?:https:\/\/huggingface\.co\/datasets\/)?([\w.-]+\/[\w.-]+)\/?$/.exec(path)?.[1];
    throw new DataError(`${path}: no such file or folder`, {
      hint: onHub === undefined ? undefined : `a data set on the Hub is written hf://datasets/${onHub}`,
    });
  }
  if (!statSync(path).isDirectory()) return [{ file: path }];
  const beside = join(path, "problems.jsonl");
  if (existsSync(beside)) return [{ file: beside }];
  return filesOf(path, options).map((file) => ({ file }));
}

/** Finds the files; those of the Hub are downloaded. @throws {DataError} when a path names nothing */
export async function openProblemInput(
  paths: readonly string[],
  options: ProblemInputOptions,
): Promise<ProblemInput> {
  const commits: ProblemInput["commits"] = [];
  const inputs: { file: string; source?: string }[] = [];
  for (const path of paths) inputs.push(...(await resolveInput(path, options, commits)));
  return {
    files: inputs.map(({ file }) => file),
    commits,
    async *stream(onInvalid) {
      for (const { file, source } of inputs)
        yield* withProgress(
          streamProblems(file, {
            source: options.source ?? source,
            columns: options.column,
            onInvalid: options.skipInvalid ? onInvalid : undefined,
          }),
        );
    },
    async firstRow() {
      for (const { file } of inputs) for await (const { value } of readRows(file)) return value;
      return null;
    },
  };
}
