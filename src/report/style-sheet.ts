/**
 * The page's one style sheet: light and dark by the reader's preference, one column of text with panels that fold on a
 * phone, and a print form. Arm colours keep at least 3:1 contrast on their surface in both themes and are told apart
 * by colour-blind readers (after Okabe and Ito's palette); names always stand beside them.
 */
export const STYLE_SHEET = `
:root {
  color-scheme: light dark;
  --page: #f7f7f5; --surface: #ffffff; --ink: #1c1f24; --muted: #5c6470; --line: #dcdfe3; --grid: #e8eaed;
  --accent: #0b63a5; --mark: #fff3c9; --mark-line: #b98900; --boxed: #d8ecff; --boxed-line: #0b63a5;
  --right: #00714f; --wrong: #b3401a;
  --arm-base: #737a85; --arm-sft: #8c5bb0; --arm-grpo: #0072b2; --arm-core: #d55e00; --arm-filtered: #00805c;
  --arm-large: #6d6256; --arm-distilled: #b8457a; --arm-merged: #8a7400;
  --arm-high: #b03030; --arm-control-1: #4f7d8c; --arm-control-2: #97643a; --arm-control-3: #5b6ab0;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #14161a; --surface: #1b1e24; --ink: #e8eaee; --muted: #a2abb8; --line: #343a44; --grid: #2a2f38;
    --accent: #6fb7ec; --mark: #463a12; --mark-line: #d8ad3a; --boxed: #12395a; --boxed-line: #6fb7ec;
    --right: #4fcb9d; --wrong: #ff9468;
    --arm-base: #a3abb7; --arm-sft: #c79be6; --arm-grpo: #56b0ea; --arm-core: #ff8b45; --arm-filtered: #37cb9b;
    --arm-large: #c6b6a1; --arm-distilled: #f088b8; --arm-merged: #e0c846;
    --arm-high: #ff8080; --arm-control-1: #8fc3d4; --arm-control-2: #dba474; --arm-control-3: #a9b5f5;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main, header, footer { max-width: 1020px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 44px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -0.01em; }
h2 { font-size: 22px; line-height: 1.3; margin: 0 0 10px; padding-top: 8px; letter-spacing: -0.005em; }
h3 { font-size: 17px; margin: 26px 0 8px; }
h4 { font-size: 14px; margin: 0 0 6px; font-weight: 600; }
p { margin: 0 0 12px; max-width: 74ch; }
a { color: var(--accent); text-underline-offset: 2px; }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; font-size: 0.88em; }
.subtitle { color: var(--muted); margin: 0 0 18px; }
.unit, .interval { color: var(--muted); font-weight: 400; }
nav { border-top: 1px solid var(--line); border-bottom: 1px solid var(--line); padding: 10px 0; font-size: 14px; margin: 0 0 28px; }
nav ul { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 4px 18px; }
section { margin: 0 0 44px; }
.claim { font-weight: 600; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 0 22px; }
ul.findings { margin: 0 0 16px; padding-left: 20px; max-width: 78ch; }
ul.findings li { margin: 0 0 6px; }
figure { margin: 14px 0 22px; background: var(--surface); border: 1px solid var(--line); border-radius: 8px; padding: 16px 18px; }
figcaption { color: var(--muted); font-size: 13.5px; line-height: 1.5; margin-top: 12px; max-width: 92ch; }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 380px), 1fr)); gap: 20px 28px; }
.panel { min-width: 0; }
@media (min-width: 860px) {
  figure.single { display: grid; grid-template-columns: minmax(0, 470px) 1fr; gap: 28px; align-items: center; }
}
svg.chart { display: block; width: 100%; max-width: 470px; height: auto; overflow: visible; font-family: inherit; font-variant-numeric: tabular-nums; }
svg.chart text { white-space: pre; }
svg.key { vertical-align: -0.5px; margin-right: 7px; }
.arm { white-space: nowrap; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14.5px; font-variant-numeric: tabular-nums; }
th, td { padding: 7px 14px 7px 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: baseline; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--muted); font-weight: 600; font-size: 13px; border-bottom: 1.5px solid var(--muted); vertical-align: bottom; }
tbody th { font-weight: 500; }
tbody tr:last-child th, tbody tr:last-child td { border-bottom: 0; }
th.number, td.number { text-align: right; }
td.number { white-space: nowrap; }
.value { font-weight: 600; }
.interval { font-size: 0.87em; }
.prose { min-width: 240px; }
tr.emphasis .value { color: var(--accent); }
#not-in-this-run ul { list-style: none; margin: 0; padding: 0; }
.missing { border-left: 3px solid var(--line); padding: 4px 0 4px 14px; color: var(--muted); }
.sample { border-top: 1px solid var(--line); padding: 14px 0; }
.sample:first-of-type { border-top: 0; padding-top: 2px; }
.sample p { margin: 0 0 6px; font-size: 14px; }
.sample pre, pre.source {
  margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.75;
  background: var(--page); border: 1px solid var(--line); border-radius: 6px; padding: 10px 12px;
}
pre.source { line-height: 1.5; max-height: 480px; overflow: auto; }
.step { background: var(--mark); border-bottom: 2px solid var(--mark-line); border-radius: 2px; margin-right: 2px; }
.boxed { background: var(--boxed); border: 1.5px solid var(--boxed-line); border-radius: 3px; padding: 0 2px; }
.markup { color: var(--muted); }
.shared { background: var(--boxed); border-bottom: 2px solid var(--boxed-line); border-radius: 2px; margin-right: 2px; }
.elsewhere { background: var(--mark); border-bottom: 2px dotted var(--mark-line); border-radius: 2px; margin-right: 2px; }
.unseen { border-bottom: 3px double var(--wrong); color: var(--wrong); margin-right: 2px; }
.own { border-bottom: 2px dashed var(--muted); margin-right: 2px; }
.parting { color: var(--surface); background: var(--wrong); border-radius: 3px; padding: 1px 6px; font: 600 11.5px/1.4 system-ui, sans-serif; white-space: nowrap; }
.verdict { font-weight: 600; }
.verdict.right { color: var(--right); }
.verdict.wrong { color: var(--wrong); }
.verdict.unknown { color: var(--muted); }
details { margin: 12px 0; }
summary { cursor: pointer; font-weight: 600; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; font-size: 14.5px; margin: 0 0 14px; }
dt { color: var(--muted); }
dd { margin: 0; overflow-wrap: anywhere; }
footer { color: var(--muted); font-size: 13px; padding-bottom: 48px; }
@media (max-width: 560px) {
  body { font-size: 15.5px; }
  main, header, footer { padding-left: 14px; padding-right: 14px; }
  header { padding-top: 24px; }
  h1 { font-size: 25px; }
  figure { padding: 12px 12px; border-radius: 6px; }
  table { font-size: 13.5px; }
  td.number .interval { display: block; }
  td.number .unit { white-space: normal; }
  tbody th { min-width: 92px; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: 8px; }
}
@media print {
  :root { --page: #ffffff; --surface: #ffffff; }
  body { font-size: 10.5pt; }
  main, header, footer { max-width: none; padding: 0; }
  nav { display: none; }
  figure { break-inside: avoid; border: 0; padding: 0; }
  section { break-inside: auto; margin-bottom: 24px; }
  h2, h3, h4 { break-after: avoid; }
  .sample, .panel, tr { break-inside: avoid; }
  .scroll { overflow: visible; }
  table { font-size: 8.5pt; }
  th, td { padding-right: 8px; }
  td.number .interval { display: block; }
  .panels { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  pre.source { max-height: none; }
  details::details-content { content-visibility: visible; block-size: auto; }
  figure.single { display: block; }
  a { color: inherit; text-decoration: none; }
}
`;
