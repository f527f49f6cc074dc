/**
 * A recipe as a tree of values that remember where they were written, so that an error found after merging several
 * files still names file, line and column. Knows YAML, knows nothing of recipe keys.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from "yaml";
import { ConfigError } from "../errors.ts";
import type { Json } from "../types.ts";

/** Where a value was written; `line` and `column` are 1-based, 0 when the value came from an option. */
export interface Place {
  file: string;
  line: number;
  column: number;
}

export type Located =
  | { kind: "scalar"; place: Place; value: null | boolean | number | string }
  | { kind: "list"; place: Place; items: Located[] }
  | { kind: "map"; place: Place; entries: Map<string, { place: Place; value: Located }> };

export type LocatedMap = Extract<Located, { kind: "map" }>;

/** A hand-written recipe is a few kilobytes; more is a mistake or an attack. */
export const MAX_RECIPE_BYTES = 1 << 20;
/** Values after aliases are expanded: stops "billion laughs" files. */
const MAX_NODES = 20_000;
/** Aliases in one file. */
const MAX_ALIASES = 200;
/** Nesting: recipes need about six levels. */
const MAX_DEPTH = 32;

/** `file:line:column`, or the option as typed. */
export function formatPlace(place: Place): string {
  return place.line === 0 ? place.file : `${place.file}:${place.line}:${place.column}`;
}

/** A ConfigError at a place. */
export function configErrorAt(place: Place, message: string, hint?: string): ConfigError {
  return new ConfigError(`${formatPlace(place)}: ${message}`, { hint, details: { ...place } });
}

/**
 * Parses one YAML 1.2 document (core schema) into located values.
 * @param file name used in messages
 * @throws {ConfigError} on a syntax error, duplicate key, unknown tag, or a document beyond the caps
 */
export function parseLocated(text: string, file: string): Located {
  const start: Place = { file, line: 1, column: 1 };
  if (Buffer.byteLength(text) > MAX_RECIPE_BYTES)
    throw configErrorAt(
      start,
      `expected at most ${MAX_RECIPE_BYTES} bytes of YAML, got ${Buffer.byteLength(text)}`,
    );
  if (text.includes("\0")) throw configErrorAt(start, "expected a text file, got binary data");
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false, version: "1.2" });
  const placeAt = (offset: number): Place => {
    const { line, col } = counter.linePos(offset);
    return { file, line, column: col };
  };
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem)
    throw configErrorAt(placeAt(problem.pos[0]), `not valid YAML: ${problem.message.split("\n")[0]}`);
  let nodes = 0;
  let aliases = 0;
  const placeOf = (node: Node): Place => placeAt(node.range?.[0] ?? 0);
  const convert = (node: unknown, depth: number, parent: Place): Located => {
    nodes++;
    if (nodes > MAX_NODES)
      throw configErrorAt(parent, `expected at most ${MAX_NODES} values after expanding aliases`);
    if (depth > MAX_DEPTH) throw configErrorAt(parent, `expected at most ${MAX_DEPTH} levels of nesting`);
    if (isAlias(node)) {
      aliases++;
      if (aliases > MAX_ALIASES)
        throw configErrorAt(placeOf(node), `expected at most ${MAX_ALIASES} aliases`);
      const target = node.resolve(document);
      if (target === undefined)
        throw configErrorAt(placeOf(node), `alias *${node.source} has no anchor before it`);
      return convert(target, depth + 1, placeOf(node));
    }
    if (isMap(node)) return convertMap(node, depth);
    if (isSeq(node)) {
      const place = placeOf(node);
      return { kind: "list", place, items: node.items.map((item) => convert(item, depth + 1, place)) };
    }
    if (isScalar(node)) {
      const value = node.value;
      const place = placeOf(node);
      if (
        value === null ||
        typeof value === "boolean" ||
        typeof value === "number" ||
        typeof value === "string"
      )
        return { kind: "scalar", place, value };
      throw configErrorAt(place, `expected a string, number, boolean, list or map, got ${typeof value}`);
    }
    return { kind: "scalar", place: parent, value: null };
  };
  const convertMap = (node: YAMLMap, depth: number): Located => {
    const entries: LocatedMap["entries"] = new Map();
    for (const { key, value } of node.items) {
      const place = placeOf(key as Node);
      if (!isScalar(key) || typeof key.value !== "string")
        throw configErrorAt(place, "expected a word as the key");
      entries.set(key.value, { place, value: convert(value, depth + 1, place) });
    }
    return { kind: "map", place: placeOf(node), entries };
  };
  return convert(document.contents, 0, start);
}

/** The plain value, keys as written. */
export function toPlain(node: Located): Json {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(toPlain);
  return Object.fromEntries([...node.entries].map(([key, entry]) => [key, toPlain(entry.value)]));
}

/** The `id` or `arm` by which a list item can be addressed. */
export function itemName(item: Located): string | undefined {
  if (item.kind !== "map") return undefined;
  for (const key of ["id", "arm"]) {
    const value = item.entries.get(key)?.value;
    if (value?.kind === "scalar" && typeof value.value === "string") return value.value;
  }
  return undefined;
}

function isNamedList(node: Located): node is Extract<Located, { kind: "list" }> {
  return (
    node.kind === "list" && node.items.length > 0 && node.items.every((item) => itemName(item) !== undefined)
  );
}

/**
 * `over` laid on `base`: maps merge key by key; lists whose items all carry an `id` or `arm` merge item by item, new
 * items last; everything else is replaced. Neither argument is changed.
 */
export function mergeLocated(base: Located, over: Located): Located {
  if (base.kind === "map" && over.kind === "map") {
    const entries = new Map(base.entries);
    for (const [key, entry] of over.entries) {
      const below = entries.get(key);
      entries.set(key, below ? { place: entry.place, value: mergeLocated(below.value, entry.value) } : entry);
    }
    return { kind: "map", place: over.place, entries };
  }
  if (isNamedList(base) && isNamedList(over)) {
    const items = [...base.items];
    for (const item of over.items) {
      const index = items.findIndex((candidate) => itemName(candidate) === itemName(item));
      if (index < 0) items.push(item);
      else items[index] = mergeLocated(items[index]!, item);
    }
    return { kind: "list", place: over.place, items };
  }
  return over;
}
