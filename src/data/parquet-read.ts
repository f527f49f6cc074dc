/**
 * Parquet files as rows of JSON values, in the memory of a page per column whatever the size of a row group. Only
 * reading; 64-bit integers become numbers where exact and text otherwise, binary columns are read as UTF-8.
 * Source: Apache Parquet format 2; decoding by hyparquet with the compressors of hyparquet-compressors.
 */
import { closeSync, fstatSync, openSync } from "node:fs";
import { type ColumnMetaData, parquetMetadata, parquetSchema, type SchemaTree } from "hyparquet";
import { assembleNested } from "hyparquet/src/assemble.js";
import { DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import { getTreePath } from "hyparquet/src/schema.js";
import { DataError } from "../errors.ts";
import type { Json } from "../types.ts";
import { type ColumnCursor, openColumn, type PageBudget, readBytes } from "./parquet-pages.ts";
import { createRowDecoder, type ParquetSchema, parseSchema, SCHEMA_KEY } from "./parquet-schema.ts";

/** 64 GiB: larger tables are data sets of pictures, not of problems. */
const MAX_FILE_BYTES = 2 ** 36;
/** More rows than any table of problems or responses; a corrupt footer can claim anything. */
const MAX_ROWS = 50_000_000;
/** 256 MiB: a footer grows with columns times row groups; a thousand groups of ten columns take 1 MiB. */
const MAX_FOOTER_BYTES = 2 ** 28;
/** Leaves of a table: structs of structs of a wide table have some thousand. Each has pages in memory. */
const MAX_LEAVES = 10_000;
/** Levels of structs and lists; conversations have 4, and a list takes 2. */
const MAX_DEPTH = 64;
/** Rows put together at a time. */
const BATCH_ROWS = 4096;

/** One row of a table. */
export interface ParquetRow {
  value: Record<string, Json>;
  /** Counted from 1. */
  row: number;
  /** `file, row n`, for errors. */
  where: string;
}

export interface ReadParquetOptions {
  /** Only these columns; all when left out. */
  columns?: string[];
  /** Leave out columns and fields that are null: a table has them in every row. Default false. */
  omitNulls?: boolean;
}

/** JSON form of a decoded value. */
function toJson(value: unknown, omitNulls: boolean): Json {
  if (typeof value === "string") return value;
  if (value === null || value === undefined) return null;
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.toString();
  }
  if (typeof value === "number" && !Number.isFinite(value)) return null;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (ArrayBuffer.isView(value))
    return Array.from(value as unknown as ArrayLike<number>, (item) => toJson(item, omitNulls));
  if (Array.isArray(value)) return value.map((item) => toJson(item, omitNulls));
  if (typeof value === "object") {
    const json: Record<string, Json> = {};
    for (const [key, item] of Object.entries(value))
      if (!omitNulls || (item !== null && item !== undefined)) json[key] = toJson(item, omitNulls);
    return json;
  }
  return value as Json;
}

function fail(path: string, problem: string, cause?: unknown): DataError {
  return new DataError(`${path}: ${problem}`, {
    details: { file: path },
    ...(cause === undefined ? {} : { cause }),
  });
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** What a footer says, in the parts used here. */
interface Table {
  rows: number;
  root: SchemaTree;
  groups: { rows: number; columns: ColumnMetaData[] }[];
  /** The schema a table was written with here; null for other writers. */
  schema: ParquetSchema | null;
}

/** Refuses schemas that are too wide or too deep, before anything walks them. */
function checkSchema(elements: readonly { num_children?: number }[]): void {
  if (elements.length > 3 * MAX_LEAVES)
    throw new Error(`${elements.length} columns and fields, more than ${3 * MAX_LEAVES}`);
  /** Children still to come of the elements around this one. */
  const open: number[] = [];
  for (const { num_children: children = 0 } of elements) {
    if (open.length > 0) open[open.length - 1]!--;
    open.push(children);
    if (open.length > MAX_DEPTH) throw new Error(`columns nested more than ${MAX_DEPTH} levels deep`);
    while (open.length > 0 && open.at(-1)! <= 0) open.pop();
  }
}

/** The footer, capped before it is parsed. */
function readFooter(path: string, file: number, bytes: number): Table {
  try {
    const tail = readBytes(file, bytes - 8, bytes);
    const footerBytes = new DataView(tail.buffer).getUint32(0, true) + 8;
    if (String.fromCharCode(...tail.subarray(4)) !== "PAR1") throw new Error("no PAR1 at its end");
    if (footerBytes > Math.min(bytes - 4, MAX_FOOTER_BYTES))
      throw new Error(`a footer of ${footerBytes} bytes in a file of ${bytes}`);
    const metadata = parquetMetadata(readBytes(file, bytes - footerBytes, bytes));
    const rows = Number(metadata.num_rows);
    if (!(rows >= 0 && rows <= MAX_ROWS)) throw new Error(`${rows} rows, more than ${MAX_ROWS}`);
    checkSchema(metadata.schema);
    const groups = metadata.row_groups.map((group) => ({
      rows: Number(group.num_rows),
      columns: group.columns.flatMap((column) => column.meta_data ?? []),
    }));
    const groupRows = groups.reduce((sum, group) => sum + group.rows, 0);
    if (groupRows !== rows) throw new Error(`row groups of ${groupRows} rows in a table of ${rows}`);
    const pair = metadata.key_value_metadata?.find(({ key }) => key === SCHEMA_KEY);
    return { rows, groups, root: parquetSchema(metadata), schema: parseSchema(pair?.value) };
  } catch (cause) {
    throw fail(path, `expected a Parquet file, got ${reasonOf(cause)}`, cause);
  }
}

/** A top-level column and the cursors of its leaves. */
interface Column {
  tree: SchemaTree;
  leaves: ColumnCursor[];
}

function openColumns(
  file: number,
  fileBytes: number,
  group: Table["groups"][number],
  root: SchemaTree,
  wanted: readonly string[] | undefined,
): Column[] {
  if (group.columns.length > MAX_LEAVES)
    throw new Error(`${group.columns.length} columns, more than ${MAX_LEAVES}`);
  const columns: Column[] = [];
  const budget: PageBudget = { bytes: 0, values: 0 };
  const byName = new Map<string, ColumnMetaData[]>();
  for (const chunk of group.columns) {
    const name = chunk.path_in_schema[0] ?? "";
    byName.set(name, [...(byName.get(name) ?? []), chunk]);
  }
  for (const tree of root.children) {
    if (wanted !== undefined && !wanted.includes(tree.element.name)) continue;
    const own = byName.get(tree.element.name) ?? [];
    const leaves = own.map((chunk) =>
      openColumn(file, fileBytes, chunk, getTreePath(root, chunk.path_in_schema), group.rows, budget),
    );
    if (leaves.length > 0) columns.push({ tree, leaves });
  }
  return columns;
}

/** The next `count` values of a column, its structs and lists put together. */
function takeColumn({ tree, leaves }: Column, count: number): ArrayLike<unknown> {
  if (tree.children.length === 0) return leaves[0]!.take(count);
  const parts = new Map(leaves.map((leaf) => [leaf.path, leaf.take(count)]));
  assembleNested(parts as Parameters<typeof assembleNested>[0], tree, DEFAULT_PARSERS);
  const values = parts.get(tree.element.name);
  if (values === undefined) throw new Error(`column ${tree.element.name} cannot be put together`);
  return values;
}

/**
 * Reads a table row by row.
 * @throws {DataError} when the file is missing, too large, no Parquet file, or a column cannot be decoded
 */
export async function* readParquet(
  path: string,
  options: ReadParquetOptions = {},
): AsyncGenerator<ParquetRow> {
  const { omitNulls = false } = options;
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (cause) {
    throw fail(path, "expected a Parquet file, got none", cause);
  }
  try {
    const status = fstatSync(file);
    const bytes = status.size;
    if (!status.isFile()) throw fail(path, "expected a Parquet file, got a folder");
    if (bytes > MAX_FILE_BYTES) throw fail(path, `expected at most ${MAX_FILE_BYTES} bytes, got ${bytes}`);
    // Too short for a magic number at both ends and a footer length.
    if (bytes < 12) throw fail(path, `expected a Parquet file, got ${bytes} bytes`);
    const { groups, root, schema } = readFooter(path, file, bytes);
    const decode = schema === null ? null : createRowDecoder(schema);
    let row = 1;
    for (const group of groups) {
      const groupEnd = row + group.rows;
      let columns: Column[] | null = null;
      while (row < groupEnd) {
        let batch: { name: string; values: ArrayLike<unknown> }[];
        let count = Math.min(BATCH_ROWS, groupEnd - row);
        try {
          columns ??= openColumns(file, bytes, group, root, options.columns);
          for (const { leaves } of columns)
            for (const leaf of leaves) count = Math.min(count, leaf.available());
          if (count === 0) throw new Error("a column has too few rows");
          batch = columns.map((column) => ({
            name: column.tree.element.name,
            values: takeColumn(column, count),
          }));
        } catch (cause) {
          throw fail(path, `rows from ${row} cannot be decoded: ${reasonOf(cause)}`, cause);
        }
        for (let i = 0; i < count; i++, row++) {
          const value: Record<string, Json> = {};
          for (const { name, values } of batch) {
            const item = values[i];
            if (!omitNulls || (item !== null && item !== undefined)) value[name] = toJson(item, omitNulls);
          }
          const where = `${path}, row ${row}`;
          yield { value: decode === null ? value : decode(value), row, where };
        }
      }
    }
  } finally {
    closeSync(file);
  }
}
