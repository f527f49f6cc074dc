/**
 * Column types read off rows, for the columns a schema does not fix: data sets bring columns of their own. Integers,
 * numbers, text, truth values, lists and structs become native types; what mixes them becomes JSON text, or plain text
 * where a column must stay readable for others (gold answers).
 * Rows are written while types are still being learnt; a later row that does not fit starts the file again with the
 * types of all rows, so at most two passes are made and the memory stays that of a row group.
 */
import {
  MAX_SCHEMA_DEPTH,
  MAX_SCHEMA_FIELDS,
  type ParquetColumn,
  type ParquetSchema,
} from "./parquet-schema.ts";
import { openParquetFile, type ParquetFile } from "./parquet-write.ts";

/** Rows looked at before writing begins. */
const HEAD_ROWS = 4096;
/** A struct with more fields has names as values: it is kept as JSON text. */
const MAX_STRUCT_FIELDS = 64;

type Row = Readonly<Record<string, unknown>>;

/** What is known of a column; it only ever widens. */
interface Node {
  kind: "unknown" | "boolean" | "int64" | "double" | "string" | "text" | "json" | "list" | "struct";
  element: Node | null;
  fields: Map<string, Node> | null;
}

function node(kind: Node["kind"]): Node {
  return {
    kind,
    element: kind === "list" ? node("unknown") : null,
    fields: kind === "struct" ? new Map() : null,
  };
}

function nodeOf(column: ParquetColumn): Node {
  if (typeof column === "string") return node(column);
  if ("list" in column) return { ...node("list"), element: nodeOf(column.list) };
  const fields = Object.entries(column.struct).map(([name, field]) => [name, nodeOf(field)] as const);
  return { ...node("struct"), fields: new Map(fields) };
}

/** The column's type; what no row filled is text, and fields stand in alphabetical order, as pyarrow has them. */
function columnOf({ kind, element, fields }: Node): ParquetColumn {
  switch (kind) {
    case "unknown":
      return "string";
    case "list":
      return { list: columnOf(element!) };
    case "struct": {
      if (fields!.size === 0) return "json";
      const names = [...fields!.keys()].sort();
      return { struct: Object.fromEntries(names.map((name) => [name, columnOf(fields!.get(name)!)])) };
    }
    default:
      return kind;
  }
}

function become(target: Node, next: Node): true {
  Object.assign(target, next);
  return true;
}

/** Types that differ: text where the column must stay text, JSON otherwise. A list and a single value make a list. */
function mix(target: Node, value: unknown, asText: boolean): true {
  if (!asText || (typeof value === "object" && !Array.isArray(value)) || target.kind === "struct")
    return become(target, node("json"));
  const list = Array.isArray(value) || target.kind === "list";
  return become(target, list ? { ...node("list"), element: node("text") } : node("text"));
}

/** A 64-bit integer that no number holds exactly. */
function isLongInteger(text: string): boolean {
  if (!/^-?\d{16,19}$/.test(text) || Number.isSafeInteger(Number(text))) return false;
  return BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}

/** Widens a node by a value. @returns true when it changed */
function observe(target: Node, value: unknown, path: string, textPaths: ReadonlySet<string>): boolean {
  if (value === null || value === undefined || target.kind === "json") return false;
  const asText = textPaths.has(path);
  // An integer beyond 2^53 comes as text and fits a column of 64-bit integers.
  if (target.kind === "int64" && typeof value === "string" && isLongInteger(value)) return false;
  if (Array.isArray(value)) {
    if (target.kind === "unknown") {
      if (path.length > 2000) return become(target, node("json"));
      become(target, node("list"));
      for (const item of value) observe(target.element!, item, `${path}[]`, textPaths);
      return true;
    }
    if (target.kind !== "list") return mix(target, value, asText);
    let changed = false;
    for (const item of value) if (observe(target.element!, item, `${path}[]`, textPaths)) changed = true;
    // A list whose elements have no one type is JSON as a whole.
    if (target.element!.kind === "json") return become(target, node("json"));
    return changed;
  }
  if (typeof value === "object") {
    const entries = Object.entries(value);
    let changed = false;
    if (target.kind === "unknown") changed = become(target, node("struct"));
    if (target.kind !== "struct") return mix(target, value, asText);
    for (const [name, item] of entries) {
      if (item === null || item === undefined) continue;
      let field = target.fields!.get(name);
      if (field === undefined) {
        field = node("unknown");
        target.fields!.set(name, field);
        changed = true;
      }
      if (observe(field, item, `${path}.${name}`, textPaths)) changed = true;
    }
    const tooMany = target.fields!.size > MAX_STRUCT_FIELDS || path.split(".").length > MAX_SCHEMA_DEPTH / 2;
    return tooMany ? become(target, node("json")) : changed;
  }
  if (target.kind === "list") {
    if (asText && target.element!.kind === "text") return false;
    return mix(target, value, asText);
  }
  const whole = typeof value === "bigint" || Number.isSafeInteger(value);
  const kind =
    typeof value === "boolean"
      ? "boolean"
      : typeof value === "string"
        ? "string"
        : whole && !textPaths.has(path.replace(/\[\]$/, ""))
          ? "int64"
          : "double";
  if (target.kind === kind || (target.kind === "text" && kind !== "boolean")) return false;
  if (target.kind === "unknown") return become(target, node(kind));
  if (target.kind === "double" && kind === "int64") return false;
  if (target.kind === "int64" && kind === "double") return become(target, node("double"));
  return mix(target, value, asText || textPaths.has(path.replace(/\[\]$/, "")));
}

export interface InferOptions {
  /** Columns whose types are given; fields rows have beyond them are added. */
  schema?: ParquetSchema;
  /** Paths such as `reward_model.ground_truth` that hold text or a list of text when types are mixed. */
  textPaths?: readonly string[];
}

/** Learns a schema row by row. */
export interface SchemaInference {
  /** @returns true when the schema is now another one */
  add(row: Row): boolean;
  schema(): ParquetSchema;
}

/** Starts with the given columns. */
export function createSchemaInference(options: InferOptions = {}): SchemaInference {
  const given = Object.entries(options.schema ?? {});
  const columns = new Map(given.map(([name, column]) => [name, nodeOf(column)]));
  const textPaths = new Set(options.textPaths ?? []);
  return {
    add(row) {
      let changed = false;
      for (const [name, value] of Object.entries(row)) {
        if (value === null || value === undefined) continue;
        let column = columns.get(name);
        if (column === undefined) {
          if (columns.size >= MAX_SCHEMA_FIELDS) continue;
          column = node("unknown");
          columns.set(name, column);
          changed = true;
        }
        if (observe(column, value, name, textPaths)) changed = true;
      }
      return changed;
    },
    schema: () => Object.fromEntries([...columns].map(([name, column]) => [name, columnOf(column)])),
  };
}

/**
 * Writes rows as Parquet with the types they turn out to have.
 *
 * @param source gives the same rows each time it is called; called twice when a late row widens a type
 * @returns rows written
 * @throws {DataError} for a value outside a given column; {StoreError} when the file cannot be written
 */
export async function writeInferredParquet(
  path: string,
  source: () => Iterable<Row> | AsyncIterable<Row>,
  options: InferOptions = {},
): Promise<number> {
  const inference = createSchemaInference(options);
  let head: Row[] = [];
  let file: ParquetFile | null = null;
  let again = false;
  const begin = (): ParquetFile => {
    const opened = openParquetFile(path, inference.schema());
    for (const row of head) opened.write(row);
    head = [];
    return opened;
  };
  try {
    for await (const row of source()) {
      const changed = inference.add(row);
      if (again) continue;
      if (file === null) {
        head.push(row);
        if (head.length >= HEAD_ROWS) file = begin();
      } else if (changed) {
        file.discard();
        again = true;
      } else file.write(row);
    }
    if (again) {
      file = openParquetFile(path, inference.schema());
      for await (const row of source()) file.write(row);
    }
    file ??= begin();
    file.close();
    return file.rows;
  } catch (cause) {
    file?.discard();
    throw cause;
  }
}
