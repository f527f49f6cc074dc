/**
 * Writes problems as a file of rows in any dialect, JSON lines or Parquet by name. Parquet columns have the native
 * nested types of the published files, which pandas, datasets and verl read as they are; columns the dialect does not
 * know are kept, with the types they turn out to have. Gold answers stay text or lists of text where they are mixed.
 * Source: recipe A1.6, A10 (types of the benchmark files).
 */
import { DataError } from "../errors.ts";
import type { Json, Problem } from "../types.ts";
import { type InferOptions, writeInferredParquet } from "./parquet-infer.ts";
import type { ParquetColumn } from "./parquet-schema.ts";
import { type ProblemDialect, type ProblemRowExtras, problemRow } from "./problem-dialects.ts";
import { openRowFile } from "./row-file.ts";

export interface WriteProblemFileOptions extends ProblemRowExtras {
  /** Default `own`. */
  dialect?: ProblemDialect;
  /**
   * Keep the `extra_info.index` a problem came with as the row number of a verl row: logs by index then stay valid.
   * Otherwise rows are numbered from 0.
   */
  keepIndex?: boolean;
}

const MESSAGES: ParquetColumn = { list: { struct: { content: "string", role: "string" } } };

/** Fixed columns of each dialect, in file order, and where gold answers stand. */
const TABLES: Record<ProblemDialect, InferOptions> = {
  own: { schema: { id: "string", prompt: "string", source: "string", meta: "json" } },
  polaris: {
    schema: { id: "string", problem: "string", source: "string" },
    textPaths: ["answer"],
  },
  trl: { schema: { id: "string", prompt: MESSAGES, source: "string" }, textPaths: ["answer"] },
  verl: {
    schema: {
      data_source: "string",
      prompt: MESSAGES,
      ability: "string",
      reward_model: { struct: { style: "string" } },
      extra_info: { struct: { index: "int64", split: "string" } },
    },
    textPaths: ["reward_model.ground_truth"],
  },
};

/** The index a problem came with. @throws {DataError} when it has none or another problem has the same */
function createIndexKeeper(): (problem: Problem) => number {
  const seen = new Set<number>();
  return ({ id, meta }) => {
    const extra = meta["extra_info"];
    const index =
      typeof extra === "object" && extra !== null && !Array.isArray(extra) ? extra["index"] : null;
    if (typeof index !== "number" || !Number.isSafeInteger(index) || index < 0)
      throw new DataError(
        `problem ${id}: extra_info.index: expected an integer from 0 to keep, got ${index}`,
      );
    if (seen.has(index))
      throw new DataError(`problem ${id}: extra_info.index: ${index} is there twice`, {
        hint: "number the rows anew, or keep the sources in files of their own",
      });
    seen.add(index);
    return index;
  };
}

/**
 * Writes problems, complete or absent; equal problems give equal bytes.
 *
 * @param source gives the same problems each time it is called; called twice when a late row widens a Parquet column
 * @returns rows written
 * @throws {StoreError} when the file cannot be written; errors of `source` pass through
 */
export async function writeProblemFile(
  path: string,
  source: () => Iterable<Problem> | AsyncIterable<Problem>,
  options: WriteProblemFileOptions = {},
): Promise<number> {
  const { dialect = "own", keepIndex = false, ...extras } = options;
  async function* rows(): AsyncGenerator<Record<string, Json>> {
    const indexOf = keepIndex ? createIndexKeeper() : null;
    let row = 0;
    for await (const problem of source()) {
      yield problemRow(problem, dialect, indexOf === null ? row : indexOf(problem), extras);
      row++;
    }
  }
  if (path.endsWith(".parquet")) return writeInferredParquet(path, rows, TABLES[dialect]);
  const file = openRowFile(path, {});
  try {
    for await (const row of rows()) file.write(row);
    file.close();
  } catch (cause) {
    file.discard();
    throw cause;
  }
  return file.rows;
}
