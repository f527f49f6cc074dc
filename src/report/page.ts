/**
 * The page around the sections: one HTML file that opens from a folder, asks the network for nothing and runs no
 * script. The content security policy allows exactly the one style sheet, by its hash, and nothing else.
 */
import { createHash } from "node:crypto";
import type { Section } from "./components.ts";
import { type HtmlValue, html, htmlText, trustedHtml } from "./html.ts";
import { STYLE_SHEET } from "./style-sheet.ts";

export interface PageOptions {
  title: string;
  subtitle: HtmlValue;
  sections: Section[];
  footer: HtmlValue;
}

/** The whole document as text. */
export function renderPage(options: PageOptions): string {
  const { title, subtitle, sections, footer } = options;
  const styleHash = createHash("sha256").update(STYLE_SHEET, "utf8").digest("base64");
  const policy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'`;
  return htmlText(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trustedHtml(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${trustedHtml(STYLE_SHEET)}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p class="subtitle">${subtitle}</p>
<nav aria-label="Contents"><ul>
${sections.map((section) => html`<li><a href="#${section.id}">${section.title}</a></li>\n`)}</ul></nav>
</header>
<main>
${sections.map(
  (section) => html`<section id="${section.id}">
<h2>${section.title}</h2>
${section.body}</section>
`,
)}</main>
<footer><p>${footer}</p></footer>
</body>
</html>
`);
}
