/**
 * Schemas of tables: named columns, each text, a number, a truth value, a list, a struct, or JSON text for what has no
 * one type. Turns them into Parquet's schema elements and values into what a Parquet column holds.
 * Always explicit: an inferred schema would store nested values as text, which pandas and verl then see as text.
 * Source: Apache Parquet format 2 (LogicalTypes, LIST); the published benchmark files, whose types these write.
 */
import type { SchemaElement } from "hyparquet";
import { DataError } from "../errors.ts";
import type { Json } from "../types.ts";

/**
 * Type of a column, a field or an element; every one may be null.
 * `text` is a string that numbers are written into as text; a list of `text` also takes a single value.
 * `json` is a string that holds any JSON; `readParquet` turns it back, other readers see the text.
 */
export type ParquetColumn =
  | "string"
  | "int64"
  | "double"
  | "boolean"
  | "text"
  | "json"
  | { list: ParquetColumn }
  | { struct: Readonly<Record<string, ParquetColumn>> };

/** Columns in file order. */
export type ParquetSchema = Readonly<Record<string, ParquetColumn>>;

/** Key of the schema, as JSON, in the file's own metadata. */
export const SCHEMA_KEY = "polaris.schema";

/** Nesting deeper than this is a mistake; problems have 3 levels, conversations 4. */
export const MAX_SCHEMA_DEPTH = 16;
/** Columns and fields in all: a table of problems has about ten. */
export const MAX_SCHEMA_FIELDS = 1000;

function columnElements(name: string, column: ParquetColumn, depth: number): SchemaElement[] {
  if (depth > MAX_SCHEMA_DEPTH)
    throw new TypeError(`column ${name}: expected at most ${MAX_SCHEMA_DEPTH} levels`);
  const repetition_type = "OPTIONAL" as const;
  switch (column) {
    case "string":
    case "text":
    case "json":
      return [{ name, type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type }];
    case "int64":
      return [{ name, type: "INT64", repetition_type }];
    case "double":
      return [{ name, type: "DOUBLE", repetition_type }];
    case "boolean":
      return [{ name, type: "BOOLEAN", repetition_type }];
  }
  if ("list" in column)
    return [
      { name, converted_type: "LIST", repetition_type, num_children: 1 },
      { name: "list", repetition_type: "REPEATED", num_children: 1 },
      ...columnElements("element", column.list, depth + 1),
    ];
  const fields = Object.entries(column.struct);
  if (fields.length === 0) throw new TypeError(`column ${name}: expected a struct with fields`);
  return [
    { name, repetition_type, num_children: fields.length },
    ...fields.flatMap(([field, type]) => columnElements(field, type, depth + 1)),
  ];
}

/**
 * Parquet's schema elements, depth first from the root.
 * @throws {TypeError} for no columns, a struct without fields, or a schema that is too deep or too large
 */
export function schemaElements(schema: ParquetSchema): SchemaElement[] {
  const columns = Object.entries(schema);
  if (columns.length === 0) throw new TypeError("schema: expected at least one column");
  const elements = columns.flatMap(([name, column]) => columnElements(name, column, 1));
  if (elements.length > 3 * MAX_SCHEMA_FIELDS)
    throw new TypeError(`schema: expected at most ${MAX_SCHEMA_FIELDS} columns and fields`);
  return [{ name: "schema", num_children: columns.length }, ...elements];
}

const INTEGER_TEXT = /^-?\d{1,19}$/;
const INT64_RANGE = 2n ** 63n;

/** A 64-bit integer as Parquet stores it, or null when the value is none; exact beyond 2^53 as bigint or text. */
function toInt64(value: unknown): bigint | null {
  let integer: bigint;
  if (typeof value === "bigint") integer = value;
  else if (typeof value === "number" && Number.isSafeInteger(value)) integer = BigInt(value);
  else if (typeof value === "string" && INTEGER_TEXT.test(value)) integer = BigInt(value);
  else return null;
  return integer >= -INT64_RANGE && integer < INT64_RANGE ? integer : null;
}

function describe(value: unknown): string {
  const text = typeof value === "bigint" ? `${value}` : JSON.stringify(value);
  return (text ?? typeof value).slice(0, 60);
}

function isStruct(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wrongType(path: string, expected: string, value: unknown): DataError {
  return new DataError(`${path}: expected ${expected}, got ${describe(value)}`);
}

/** The value in its column's Parquet form. @throws {DataError} with the path below the row when it has another type */
function encode(value: unknown, column: ParquetColumn, path: string): unknown {
  if (value === null || value === undefined) return null;
  switch (column) {
    case "string":
      if (typeof value !== "string") throw wrongType(path, "text", value);
      return value;
    case "text":
      if (typeof value === "number" || typeof value === "bigint") return String(value);
      if (typeof value !== "string") throw wrongType(path, "text or a number", value);
      return value;
    case "json":
      return JSON.stringify(value);
    case "int64": {
      const integer = toInt64(value);
      if (integer === null) throw wrongType(path, "a 64-bit integer", value);
      return integer;
    }
    case "double":
      if (typeof value === "bigint" && Number.isSafeInteger(Number(value))) return Number(value);
      if (typeof value !== "number") throw wrongType(path, "a number", value);
      return value;
    case "boolean":
      if (typeof value !== "boolean") throw wrongType(path, "true or false", value);
      return value;
  }
  if ("list" in column) {
    if (Array.isArray(value)) return value.map((item, i) => encode(item, column.list, `${path}[${i}]`));
    if (column.list === "text") return [encode(value, "text", path)];
    throw wrongType(path, "a list", value);
  }
  if (!isStruct(value)) throw wrongType(path, "an object", value);
  const encoded: Record<string, unknown> = {};
  for (const field of Object.keys(column.struct))
    encoded[field] = encode(value[field], column.struct[field]!, `${path}.${field}`);
  for (const field of Object.keys(value))
    if (!Object.hasOwn(column.struct, field) && value[field] !== undefined && value[field] !== null)
      throw new DataError(`${path}.${field}: the schema has no such field`);
  return encoded;
}

/**
 * A row with its values in Parquet form: null for what is missing, 64-bit integers as bigint.
 * @throws {DataError} naming the column when a value has another type or the schema has no such column
 */
export function encodeRow(row: Readonly<Record<string, unknown>>, schema: ParquetSchema): unknown[] {
  for (const name of Object.keys(row))
    if (!Object.hasOwn(schema, name) && row[name] !== undefined && row[name] !== null)
      throw new DataError(`${name}: the schema has no such column`);
  return Object.entries(schema).map(([name, column]) => encode(row[name], column, name));
}

/** True when a value of this type may hold JSON text. */
function holdsJson(column: ParquetColumn): boolean {
  if (typeof column === "string") return column === "json";
  return "list" in column ? holdsJson(column.list) : Object.values(column.struct).some(holdsJson);
}

function decode(value: Json, column: ParquetColumn): Json {
  if (value === null || !holdsJson(column)) return value;
  if (column === "json") {
    if (typeof value !== "string") return value;
    try {
      return JSON.parse(value) as Json;
    } catch {
      // Changed by someone else's program since: then it is text.
      return value;
    }
  }
  if (typeof column === "string") return value;
  if ("list" in column) return Array.isArray(value) ? value.map((item) => decode(item, column.list)) : value;
  if (!isStruct(value)) return value;
  const fields = Object.entries(value as Record<string, Json>);
  return Object.fromEntries(
    fields.map(([name, item]) => [
      name,
      Object.hasOwn(column.struct, name) ? decode(item, column.struct[name]!) : item,
    ]),
  );
}

/**
 * Prepares turning rows back into what they were before `encodeRow`: JSON text is parsed again.
 * @returns changes the row it is given
 */
export function createRowDecoder(schema: ParquetSchema): (row: Record<string, Json>) => Record<string, Json> {
  const columns = Object.entries(schema).filter(([, column]) => holdsJson(column));
  return (row) => {
    for (const [name, column] of columns)
      if (Object.hasOwn(row, name)) row[name] = decode(row[name]!, column);
    return row;
  };
}

/** Reads the schema that a file brings along; null when it brings none. */
export function parseSchema(text: string | undefined): ParquetSchema | null {
  let value: unknown;
  try {
    value = JSON.parse(text ?? "null");
  } catch {
    return null;
  }
  const isColumn = (column: unknown, depth: number): boolean => {
    if (depth > MAX_SCHEMA_DEPTH) return false;
    if (["string", "int64", "double", "boolean", "text", "json"].includes(column as string)) return true;
    if (!isStruct(column)) return false;
    if (column["list"] !== undefined) return isColumn(column["list"], depth + 1);
    const { struct } = column;
    return isStruct(struct) && Object.values(struct).every((field) => isColumn(field, depth + 1));
  };
  return isStruct(value) && Object.values(value).every((column) => isColumn(column, 1))
    ? (value as unknown as ParquetSchema)
    : null;
}
