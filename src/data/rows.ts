/**
 * Rows of a data set's file in order, whatever its format: Parquet, JSON lines, one JSON array or CSV, told by the
 * name and, for `.json`, by the first character; `.gz` is unpacked. Streams: a file may be larger than memory.
 */

import { DataError } from "../errors.ts";
import type { Json } from "../types.ts";
import { readCsv } from "./csv.ts";
import { isJsonArray, readJsonArray } from "./json-array.ts";
import { readJsonl } from "./jsonl.ts";
import { readParquet } from "./parquet-read.ts";

/** A value of a file and its place, for errors. */
export interface FileRow {
  value: Json;
  where: string;
}

/** Endings of files that hold rows. */
export const ROW_FILE_ENDING = /\.(parquet|(jsonl|ndjson|json|csv|tsv)(\.gz)?)$/i;

/**
 * Reads the rows of a file. Of a Parquet row, empty columns and fields are left out.
 * @throws {DataError} naming file and place of what cannot be read
 */
export async function* readRows(path: string): AsyncGenerator<FileRow> {
  if (/\.(zst|bz2|xz|zip|arrow|feather)$/i.test(path))
    throw new DataError(`${path}: expected Parquet, JSON lines, JSON or CSV, the last three also as .gz`, {
      hint: "unpack or convert it first, for example: zstd -d FILE",
    });
  if (path.endsWith(".parquet")) {
    yield* readParquet(path, { omitNulls: true });
  } else if (/\.[ct]sv(\.gz)?$/i.test(path)) yield* readCsv(path);
  else if (/\.json(\.gz)?$/.test(path) && (await isJsonArray(path))) yield* readJsonArray(path);
  else yield* readJsonl(path, { exactIntegers: true });
}
