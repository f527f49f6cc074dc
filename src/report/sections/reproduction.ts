/**
 * How to get these numbers again: the command, the seed, the versions, the files they were read from with their
 * hashes, and the recipe itself. What could not be read is said here too.
 */
import { type Section, table } from "../components.ts";
import type { ReportContext } from "../context.ts";
import { formatCount } from "../format.ts";
import { html, type SafeHtml } from "../html.ts";

/** Most lines of environment.json shown, and the longest value. */
const MAX_LINES = 40;
const MAX_VALUE_CHARACTERS = 300;
/** Keys whose values name folders of the machine, which a report that is passed on should not. */
const PRIVATE_KEY = /(^|\.)(cwd|path|home|folder|hostname|host|user|pid|exec_?path|argv0)$/i;

/** environment.json as key and value, nested keys joined by dots; private and very long values are left out. */
export function environmentLines(environment: Record<string, unknown>): [string, string][] {
  const lines: [string, string][] = [];
  const walk = (value: unknown, path: string, depth: number): void => {
    if (lines.length >= MAX_LINES || depth > 4 || PRIVATE_KEY.test(path)) return;
    if (Array.isArray(value)) {
      if (value.every((item) => typeof item !== "object"))
        lines.push([path, value.map(withoutFolders).join(" ")]);
      return;
    }
    if (value !== null && typeof value === "object")
      for (const [key, inner] of Object.entries(value))
        walk(inner, path === "" ? key : `${path}.${key}`, depth + 1);
    else if (value !== null && value !== undefined) lines.push([path, withoutFolders(value)]);
  };
  walk(environment, "", 0);
  return lines.map(([key, value]) => [key, value.slice(0, MAX_VALUE_CHARACTERS)]);
}

/** An absolute path shortened to its last part. */
function withoutFolders(value: unknown): string {
  return String(value).replace(/(^|[\s=])(?:[A-Za-z]:)?[\\/](?:[^\s\\/]+[\\/])+([^\s\\/]*)/g, "$1$2");
}

function notesList(notes: readonly string[]): SafeHtml {
  if (notes.length === 0) return html``;
  return html`<h3>Left out of this report</h3>
<ul class="findings">${notes.slice(0, 100).map((note) => html`<li>${note}</li>\n`)}</ul>
`;
}

/** The section. */
export function reproductionSection(context: ReportContext): Section {
  const { records } = context;
  const { recipe, run, sources, notes } = records;
  const kinds = recipe.stages.map(({ id, kind }) => (id === kind ? id : `${id} (${kind})`)).join(" \u2192 ");
  const environment = environmentLines(records.environment);
  const body = html`<dl>
<dt>Run</dt><dd>${run}</dd>
<dt>Seed</dt><dd>${recipe.seed ?? "not recorded"}</dd>
<dt>Again, from nothing</dt><dd><code>polaris run recipe.yaml --run-dir runs/again</code> with the recipe below</dd>
<dt>This page only</dt><dd><code>polaris report &lt;run folder&gt;</code></dd>
<dt>Stages</dt><dd>${kinds || "not recorded"}</dd>
</dl>
<p>Everything random draws from streams named under the seed; how far equal recipes give equal bits on another machine is the engine\u2019s promise. Every number in the tables, times apart, is in <code>summary.json</code>, read from the files below.</p>
${
  environment.length === 0
    ? ""
    : html`<details><summary>Versions and machine</summary>
<dl>
${environment.map(([key, value]) => html`<dt>${key}</dt><dd>${value}</dd>\n`)}</dl></details>
`
}${notesList(notes)}<details><summary>Files these numbers come from</summary>
${table({
  columns: [{ title: "file", align: "left" }, { title: "bytes" }, { title: "SHA-256", align: "left" }],
  rows: sources.map(({ file, sizeBytes, sha256 }) => ({
    cells: [file, formatCount(sizeBytes), html`<code>${sha256.slice(0, 16)}\u2026</code>`],
  })),
  caption: "Relative to the run folder; the whole hashes are in summary.json.",
})}</details>
<details><summary>The recipe as it was run</summary>
<pre class="source">${recipe.text === "" ? "recipe.yaml is not there" : recipe.text}</pre></details>
`;
  return { id: "reproduction", title: "Reproduction", body };
}
