/**
 * One column chunk of a Parquet file as batches of rows, a page at a time, so that a row group of any size is read in
 * the memory of a page per column: other programs write a million rows into one group. Every size and count a page
 * claims is capped before it is believed.
 * Source: Apache Parquet format 2 (pages, repetition levels); page decoding by hyparquet.
 */
import { readSync } from "node:fs";
import type { ColumnMetaData, SchemaTree } from "hyparquet";
import { parquetHeader, readPage } from "hyparquet/src/column.js";
import { convert, DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import { getMaxRepetitionLevel } from "hyparquet/src/schema.js";
import { compressors as allCompressors, decompressZstd } from "hyparquet-compressors";

/** Bytes looked at for a page's header, which holds the smallest and largest value; doubled when too few. */
const HEADER_BYTES = 2 ** 12;
const MAX_HEADER_BYTES = 2 ** 24;
/** 256 MiB: writers make pages of 1 MiB, but a page holds at least one row. */
const MAX_PAGE_BYTES = 2 ** 28;
/** 67 million: a repeated value takes no room, so a small page can claim any number. */
const MAX_PAGE_VALUES = 2 ** 26;

/** 1 GiB: pages of all columns in memory at a time; a small file can claim the most for each of many columns. */
const MAX_HELD_BYTES = 2 ** 30;
/** 268 million, 2 GiB of places. */
const MAX_HELD_VALUES = 2 ** 28;

type Values = unknown[];

/** What the columns of a row group hold together. */
export interface PageBudget {
  bytes: number;
  values: number;
}

/**
 * Unpacks into the length the page's header states: a frame that states no length, as streaming writers make them, may
 * otherwise turn a few kilobytes into terabytes.
 */
export function unpackZstd(input: Uint8Array, length: number): Uint8Array {
  return unpackInto(input, new Uint8Array(length));
}

/** fzstd takes the place of the output as a second argument, which the types here leave out. */
const unpackInto = decompressZstd as (input: Uint8Array, output: Uint8Array) => Uint8Array;

const compressors = { ...allCompressors, ZSTD: unpackZstd };

/** A cursor over the rows of one column chunk. */
export interface ColumnCursor {
  /** Path of the leaf, joined by dots. */
  readonly path: string;
  /** Rows at hand: decodes the next page when none is; 0 at the end. */
  available(): number;
  /** The next `count` rows, at most as many as are available. */
  take(count: number): Values;
}

/** Bytes `start` to `end` of a file. @throws {Error} when the file ends before */
export function readBytes(file: number, start: number, end: number): Uint8Array {
  const bytes = new Uint8Array(end - start);
  let read = 0;
  while (read < bytes.length) {
    const count = readSync(file, bytes, read, bytes.length - read, start + read);
    if (count === 0) throw new Error("the file ends within a column");
    read += count;
  }
  return bytes;
}

function count(value: number | undefined, most: number, what: string): number {
  if (value === undefined || !(value >= 0 && value <= most))
    throw new Error(`expected a page of at most ${most} ${what}, got ${value}`);
  return value;
}

/**
 * Opens a column chunk.
 *
 * @param file an open file descriptor
 * @param fileBytes size of the file, beyond which nothing is read
 * @param schemaPath nodes from the root to the leaf
 * @param groupRows rows of the row group, of which a column without lists has one value each
 * @param budget counts what this and the other columns hold
 * @throws {Error} when the chunk does not lie in the file; `available` throws when a page is defective
 */
export function openColumn(
  file: number,
  fileBytes: number,
  metadata: ColumnMetaData,
  schemaPath: SchemaTree[],
  groupRows: number,
  budget: PageBudget,
): ColumnCursor {
  const decoder = {
    ...metadata,
    pathInSchema: metadata.path_in_schema,
    element: schemaPath.at(-1)!.element,
    schemaPath,
    compressors,
    parsers: DEFAULT_PARSERS,
  };
  const starts = [metadata.data_page_offset, metadata.dictionary_page_offset ?? 0n].filter((at) => at > 0n);
  let position = Math.min(...starts.map(Number));
  const end = position + Number(metadata.total_compressed_size);
  if (!(position >= 4 && end <= fileBytes)) throw new Error("a column lies outside the file");
  const repeated = getMaxRepetitionLevel(schemaPath) > 0;
  const total = Number(metadata.num_values);
  if (!repeated && total !== groupRows)
    throw new Error(`expected a column of ${groupRows} values, got ${total}`);
  let seen = 0;
  let dictionary: Values | undefined;
  /** Rows decoded and not taken. With repetition the last one may go on in the next page. */
  let rows: Values = [];
  let taken = 0;
  let ended = false;

  const held = { page: { bytes: 0, values: 0 }, dictionary: { bytes: 0, values: 0 } };
  /** Counts what a page will take in place of the one before it. */
  const hold = (what: keyof typeof held, bytes: number, values: number): void => {
    budget.bytes += bytes - held[what].bytes;
    budget.values += values - held[what].values;
    held[what] = { bytes, values };
    if (budget.bytes > MAX_HELD_BYTES || budget.values > MAX_HELD_VALUES)
      throw new Error(
        `expected pages of at most ${MAX_HELD_BYTES} bytes and ${MAX_HELD_VALUES} values at a time, got ${budget.bytes} and ${budget.values}`,
      );
  };

  const header = (): { page: ReturnType<typeof parquetHeader>; length: number } => {
    for (let size = HEADER_BYTES; ; size *= 2) {
      const bytes = readBytes(file, position, Math.min(end, position + size));
      const reader = { view: new DataView(bytes.buffer), offset: 0 };
      try {
        return { page: parquetHeader(reader), length: reader.offset };
      } catch (cause) {
        if (position + size >= end || size >= MAX_HEADER_BYTES) throw cause;
      }
    }
  };
  const nextPage = (): void => {
    const { page, length } = header();
    const start = position + length;
    const compressed = count(page.compressed_page_size, Math.min(MAX_PAGE_BYTES, end - start), "bytes");
    const unpacked = count(page.uncompressed_page_size, MAX_PAGE_BYTES, "bytes");
    position = start + compressed;
    const data = page.data_page_header ?? page.data_page_header_v2;
    if (page.type === "INDEX_PAGE") return;
    const most = data === undefined ? MAX_PAGE_VALUES : Math.min(MAX_PAGE_VALUES, total - seen);
    const values = count((data ?? page.dictionary_page_header)?.num_values, most, "values");
    if (page.data_page_header_v2 !== undefined) {
      count(page.data_page_header_v2.num_nulls, values, "empty values");
      count(page.data_page_header_v2.definition_levels_byte_length, compressed, "bytes");
      count(page.data_page_header_v2.repetition_levels_byte_length, compressed, "bytes");
    }
    hold(page.type === "DICTIONARY_PAGE" ? "dictionary" : "page", unpacked, values);
    const bytes = readBytes(file, start, position);
    const reader = { view: new DataView(bytes.buffer), offset: 0 };
    if (page.type === "DICTIONARY_PAGE") {
      const { data: raw } = readPage(reader, page, decoder, undefined, undefined, 0);
      if (raw !== undefined) dictionary = convert(raw, decoder) as Values;
      return;
    }
    // Some writers leave pages without values.
    if (values === 0) return;
    seen += values;
    const begun = repeated ? rows.slice(taken) : undefined;
    const { data: decoded } = readPage(reader, page, decoder, dictionary, begun, 0);
    rows = (decoded ?? []) as Values;
    taken = 0;
  };
  const available = (): number => {
    for (;;) {
      const ready = rows.length - taken - (repeated && !ended ? 1 : 0);
      if (ready > 0) return ready;
      if (ended) return 0;
      if (seen >= total || position >= end) ended = true;
      else nextPage();
    }
  };
  return {
    path: metadata.path_in_schema.join("."),
    available,
    take(wanted) {
      const batch = rows.slice(taken, taken + wanted);
      taken += wanted;
      return batch;
    },
  };
}
