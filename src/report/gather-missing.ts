/**
 * Sections of which a run has nothing share one list at the end of the page, instead of a heading each: a run of three stages
 * is a page about three stages, and still says what it could hold.
 */
import type { Section } from "./components.ts";
import { html } from "./html.ts";

/** @returns the sections there are, in order, and one more that lists the others where there are any */
export function gatherMissing(sections: readonly Section[]): Section[] {
  const present = sections.filter(({ missing }) => missing !== true);
  const absent = sections.filter(({ missing }) => missing === true);
  if (absent.length === 0) return present;
  const body = html`<ul>
${absent.map(
  ({ id, title, body: reason }) =>
    html`<li id="${id}" class="missing"><strong>${title}</strong>: ${reason}</li>\n`,
)}</ul>
`;
  return [...present, { id: "not-in-this-run", title: "Not in this run", body }];
}
