/**
 * Which files of a data set on the Hub are meant: by patterns, by what the card's front matter says about a split, or
 * by split names in file names. Paths come from strangers and are checked before they become places on this disk.
 * Source: Hub documentation, "Data files configuration" and "File names and splits".
 */
import { parseDocument } from "yaml";
import { DataError } from "../../errors.ts";
import { ROW_FILE_ENDING } from "../rows.ts";

/** A card's front matter is a page; more is an attack on the YAML parser. */
const MAX_FRONT_MATTER_CHARACTERS = 200_000;
const MAX_PATTERN_CHARACTERS = 500;

/** What other people call the splits. */
const SPLIT_NAMES: Readonly<Record<string, readonly string[]>> = {
  train: ["train", "training"],
  validation: ["validation", "valid", "val", "dev"],
  test: ["test", "testing", "eval", "evaluation"],
};

export interface SelectFilesOptions {
  /** Patterns; `*` and `?` stay within a folder, `**` crosses folders. */
  files?: readonly string[];
  /** Default `train` where the data set has splits. */
  split?: string;
  /** Named configuration of the card; the default one when left out. */
  config?: string;
}

/** True when no part of the path could lead out of its folder. */
export function isSafePath(path: string): boolean {
  return (
    path !== "" &&
    path.length <= 1000 &&
    !path.startsWith("/") &&
    !/[\\:\p{Cc}]/u.test(path) &&
    path.split("/").every((part) => part !== "" && part !== "." && part !== "..")
  );
}

/** A pattern as a test of whole paths. Braces and character classes are not patterns here. */
export function matchesPattern(path: string, pattern: string): boolean {
  if (pattern.length > MAX_PATTERN_CHARACTERS) return false;
  const parts = pattern.replace(/^\.\//, "").split("/");
  const names = path.split("/");
  /** Whether the pattern from part `i` matches the path from name `j`; remembered, so that `**` stays cheap. */
  const known = new Map<number, boolean>();
  const match = (i: number, j: number): boolean => {
    if (i === parts.length) return j === names.length;
    const key = i * (names.length + 1) + j;
    const before = known.get(key);
    if (before !== undefined) return before;
    const result =
      parts[i] === "**"
        ? match(i + 1, j) || (j < names.length && match(i, j + 1))
        : j < names.length && matchesName(names[j]!, parts[i]!) && match(i + 1, j + 1);
    known.set(key, result);
    return result;
  };
  return match(0, 0);
}

/** `*` and `?` within one name, in time that grows with the product of the lengths. */
function matchesName(name: string, pattern: string): boolean {
  let [i, j, star, mark] = [0, 0, -1, 0];
  while (i < name.length) {
    if (j < pattern.length && pattern[j] === "*") {
      star = j++;
      mark = i;
    } else if (j < pattern.length && (pattern[j] === "?" || pattern[j] === name[i])) {
      i++;
      j++;
    } else if (star >= 0) {
      j = star + 1;
      i = ++mark;
    } else return false;
  }
  while (pattern[j] === "*") j++;
  return j === pattern.length;
}

/** A list for an error line. */
function some(list: readonly string[]): string {
  const short = list.slice(0, 8).map((item) => item.slice(0, 100));
  return list.length === 0 ? "none" : `${short.join(", ")}${list.length > 8 ? ", …" : ""}`;
}

/** Patterns of a split by the card's front matter; null when it says nothing about data files. */
function cardPatterns(
  card: string | null,
  options: SelectFilesOptions,
): { patterns: string[]; splits: string[] } | null {
  const front = /^\ufeff?---\r?\n([\s\S]*?)\r?\n---/.exec(
    card?.slice(0, MAX_FRONT_MATTER_CHARACTERS) ?? "",
  )?.[1];
  if (front === undefined) return null;
  let value: unknown;
  try {
    const document = parseDocument(front, { logLevel: "silent" });
    value = document.errors.length > 0 ? null : document.toJS({ maxAliasCount: 100 });
  } catch {
    return null;
  }
  const configs = (value as { configs?: unknown } | null)?.configs;
  if (!Array.isArray(configs)) return null;
  type Entry = { config_name?: unknown; data_files?: unknown; default?: unknown };
  const entries = configs.filter((entry): entry is Entry => typeof entry === "object" && entry !== null);
  const chosen =
    options.config === undefined
      ? (entries.find((entry) => entry.default === true) ??
        entries.find((entry) => entry.config_name === "default") ??
        (entries.length === 1 ? entries[0] : undefined))
      : entries.find((entry) => entry.config_name === options.config);
  if (chosen === undefined) {
    if (entries.length === 0 && options.config === undefined) return null;
    const names = some(entries.map((entry) => String(entry.config_name)));
    throw options.config === undefined
      ? new DataError(`the data set has several configurations and no default one: ${names}`, {
          hint: "choose one: config in a recipe, --config on the command line, or name the files",
        })
      : new DataError(`the data set has no configuration "${options.config}" (there are ${names})`);
  }
  const files = chosen.data_files;
  const list = Array.isArray(files) ? files : [files];
  const bySplit = new Map<string, string[]>();
  for (const item of list) {
    const [split, path] =
      typeof item === "string"
        ? ["train", item]
        : [
            String((item as Entry & { split?: unknown })?.split ?? "train"),
            (item as { path?: unknown })?.path,
          ];
    const paths = (Array.isArray(path) ? path : [path]).filter((one) => typeof one === "string");
    if (paths.length > 0) bySplit.set(split, [...(bySplit.get(split) ?? []), ...paths]);
  }
  const splits = [...bySplit.keys()];
  if (splits.length === 0) return null;
  const wanted = options.split ?? (bySplit.has("train") ? "train" : splits[0]!);
  return { patterns: bySplit.get(wanted) ?? [], splits };
}

/** The split a file's name or folder speaks of; null when none. */
function splitOf(path: string): string | null {
  for (const [split, names] of Object.entries(SPLIT_NAMES))
    if (names.some((name) => new RegExp(`(^|[/._\\- ])${name}([/._\\- \\d]|$)`, "i").test(path)))
      return split;
  return null;
}

/**
 * The files with the wanted rows, sorted by name.
 *
 * @param paths every file of the data set
 * @param card text of its README.md
 * @throws {DataError} listing what there is when nothing fits
 */
export function selectDataFiles(
  paths: readonly string[],
  card: string | null,
  options: SelectFilesOptions = {},
): string[] {
  const data = paths.filter((path) => isSafePath(path) && ROW_FILE_ENDING.test(path)).sort();
  if (options.files !== undefined) {
    const found = data.filter((path) => options.files!.some((pattern) => matchesPattern(path, pattern)));
    if (found.length > 0) return found;
    throw new DataError(`no file matches ${options.files.join(", ")} (files with rows: ${some(data)})`);
  }
  const named = cardPatterns(card, options);
  if (named !== null) {
    const found = data.filter((path) => named.patterns.some((pattern) => matchesPattern(path, pattern)));
    if (found.length > 0) return found;
    if (options.split !== undefined && named.patterns.length === 0)
      throw new DataError(`the data set has no split "${options.split}" (there are ${some(named.splits)})`);
  }
  const splits = new Map<string | null, string[]>();
  for (const path of data) splits.set(splitOf(path), [...(splits.get(splitOf(path)) ?? []), path]);
  const found =
    options.split === undefined
      ? (splits.get("train") ?? splits.get(null))
      : (splits.get(options.split) ?? (options.split === "train" ? splits.get(null) : undefined));
  if (found !== undefined) return found;
  const what = options.split === undefined ? "no file with rows" : `no file of split "${options.split}"`;
  throw new DataError(`${what} (files with rows: ${some(data)})`);
}
