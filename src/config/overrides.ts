/**
 * `--set a.b=value`: one value laid on the merged recipe. A list item is addressed by its `id` or `arm`, or by its
 * index; the value is read as YAML, so `1e-3`, `true`, `[1, 2]` and `word` mean what they mean in the file.
 */
import { ConfigError } from "../errors.ts";
import { configErrorAt, itemName, type Located, parseLocated } from "./located.ts";
import { didYouMean } from "./nearest.ts";

/** Deeper than any recipe key. */
const MAX_SEGMENTS = 16;

/**
 * Returns a copy of `root` with one value replaced or added.
 * @param override `path=value`, for example `stages.rl.temperature=1.2`
 * @throws {ConfigError} when there is no `=`, or the path goes through something that is not there
 */
export function applyOverride(root: Located, override: string): Located {
  const equals = override.indexOf("=");
  const hint = "write --set stages.<id>.<key>=<value> or --set <key>=<value>";
  if (equals <= 0) throw new ConfigError(`--set ${override}: expected <path>=<value>`, { hint });
  const place = { file: `--set ${override}`, line: 0, column: 0 };
  const path = override.slice(0, equals).split(".");
  if (path.length > MAX_SEGMENTS || path.includes(""))
    throw configErrorAt(place, "expected a dotted path of keys", hint);
  const value = relocate(parseLocated(override.slice(equals + 1), "value"), place);

  const lay = (node: Located | undefined, depth: number): Located => {
    if (depth === path.length) return value;
    const segment = path[depth]!;
    if (node?.kind === "list") {
      let index = node.items.findIndex((item) => itemName(item) === segment);
      if (index < 0 && /^\d{1,6}$/.test(segment)) index = Number(segment);
      const item = node.items[index];
      if (item === undefined) {
        const names = node.items.map(itemName).filter((name) => name !== undefined);
        const where = path.slice(0, depth).join(".");
        const known = names.length > 0 ? ` (there are ${names.join(", ")})` : "";
        throw configErrorAt(
          place,
          `nothing called "${segment}" in ${where}${known}${didYouMean(segment, names)}`,
        );
      }
      return { ...node, items: node.items.with(index, lay(item, depth + 1)) };
    }
    if (node?.kind === "scalar" && node.value !== null)
      throw configErrorAt(place, `${path.slice(0, depth).join(".")} holds a value, not keys`);
    const entries = new Map(node?.kind === "map" ? node.entries : []);
    entries.set(segment, { place, value: lay(entries.get(segment)?.value, depth + 1) });
    return { kind: "map", place: node?.place ?? place, entries };
  };
  return lay(root, 0);
}

/** The same tree with every place set to the option: line numbers inside a one-line value help nobody. */
function relocate(node: Located, place: { file: string; line: number; column: number }): Located {
  if (node.kind === "scalar") return { ...node, place };
  if (node.kind === "list")
    return { kind: "list", place, items: node.items.map((item) => relocate(item, place)) };
  const entries = new Map(
    [...node.entries].map(([key, e]) => [key, { place, value: relocate(e.value, place) }]),
  );
  return { kind: "map", place, entries };
}
