/**
 * The few building blocks every section is made of: figures of panels with one caption, tables, and the note that says
 * which stage makes what is missing. Markup only; sections decide what goes in.
 */
import { type HtmlValue, html, type SafeHtml } from "./html.ts";

/** A part of the page, with an entry in the contents. */
export interface Section {
  id: string;
  title: string;
  body: SafeHtml;
  /** The run has nothing for it; the body says why, in a sentence or two. Such sections share one list. */
  missing?: true;
}

/** One chart of a figure. */
export interface Panel {
  title: string;
  /** What the axis measures, in words with the unit. */
  unit?: string;
  chart: SafeHtml | undefined;
}

/** Panels side by side under one caption; panels without a chart are left out, and so is a figure without panels. */
export function figure(options: { panels: Panel[]; caption: HtmlValue }): SafeHtml {
  const panels = options.panels.filter((panel) => panel.chart !== undefined);
  if (panels.length === 0) return html``;
  return html`<figure${panels.length === 1 ? html` class="single"` : ""}>
<div class="panels">${panels.map(
    ({ title, unit, chart }) =>
      html`<div class="panel"><h4>${title}${unit === undefined ? "" : html` <span class="unit">${unit}</span>`}</h4>${chart}</div>
`,
  )}</div>
<figcaption>${options.caption}</figcaption>
</figure>
`;
}

/** A column of a table; numbers are right-aligned with tabular figures. */
export interface Column {
  title: HtmlValue;
  align?: "left" | "right";
}

/** A table that scrolls inside its own box on a narrow page. First cells are row headers. */
export function table(options: {
  columns: Column[];
  rows: { cells: HtmlValue[]; emphasis?: boolean }[];
  caption: HtmlValue;
}): SafeHtml {
  const { columns, rows, caption } = options;
  const alignment = (i: number): string => (columns[i]?.align === "left" ? "text" : "number");
  return html`<figure class="table">
<div class="scroll"><table>
<thead><tr>${columns.map((column, i) => html`<th scope="col" class="${alignment(i)}">${column.title}</th>`)}</tr></thead>
<tbody>
${rows.map(
  ({ cells, emphasis }) =>
    html`<tr${emphasis ? html` class="emphasis"` : ""}>${cells.map((cell, i) =>
      i === 0 ? html`<th scope="row">${cell}</th>` : html`<td class="${alignment(i)}">${cell}</td>`,
    )}</tr>
`,
)}</tbody>
</table></div>
<figcaption>${caption}</figcaption>
</figure>
`;
}

/** An estimate in a cell: the value, and its interval smaller below or behind it. */
export function valueWithInterval(value: string, interval: string | undefined): SafeHtml {
  return interval === undefined
    ? html`<span class="value">${value}</span>`
    : html`<span class="value">${value}</span> <span class="interval">(${interval})</span>`;
}

/**
 * A section of which the run has nothing.
 * @param reason a clause, for example "no stage left an alpha.json"
 * @param stageKind kind of the stage that makes it
 */
export function missing(id: string, title: string, reason: string, stageKind: string): Section {
  return {
    id,
    title,
    body: html`${reason}. A stage of kind <code>${stageKind}</code> makes it.`,
    missing: true,
  };
}

/** An arm's name with its colour, as legend and row header at once. */
export function armTag(label: string, colour: string): SafeHtml {
  return html`<span class="arm"><svg class="key" width="10" height="10" viewBox="0 0 10 10" aria-hidden="true"><circle cx="5" cy="5" r="4.5" fill="${colour}"/></svg>${label}</span>`;
}
