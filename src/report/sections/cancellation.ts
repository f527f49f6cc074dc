/**
 * Gradient cancellation: whether the update of right and wrong responses cancels where they agree and sits where they
 * part, by real gradients. The sentences say what the intervals allow, also where that is less than the published claim.
 */

import { MATCHES, REGIONS } from "../../consensus/cancellation.ts";
import type { CancellationSummary } from "../../consensus/cancellation-summary.ts";
import type { CancellationFile, Estimate } from "../../recipe/result-files.ts";
import { drawOffsets, type OffsetSeries } from "../charts/offsets.ts";
import { drawShares } from "../charts/shares.ts";
import { figure, missing, type Section, table } from "../components.ts";
import type { ReportContext } from "../context.ts";
import {
  formatCount,
  formatEstimate,
  formatNumber,
  formatRange,
  formatShare,
  hasInterval,
  plural,
} from "../format.ts";
import { html, type SafeHtml } from "../html.ts";
import { intervalsApart } from "../wording.ts";

const LOW = "var(--arm-filtered)";
const HIGH = "var(--arm-high)";
/** Fewest problems an offset needs to be drawn. */
const MIN_PROBLEMS = 3;

const KINDS = [
  { key: "low", name: "low difference", colour: LOW },
  { key: "high", name: "high difference", colour: HIGH },
] as const;

const MATCH_NAMES = {
  identical: "same result, same text up to there",
  reworded: "same result, other text",
  different: "different results at the same position",
} as const;

/** A kept norm with its interval, two decimals: `0.58 (0.25–0.93)`. */
function formatKept(estimate: Estimate | null): string {
  if (estimate === null) return "none";
  const value = formatNumber(estimate.value, 2);
  return hasInterval(estimate) ? `${value} (${formatRange(estimate.low, estimate.high, 2)})` : value;
}

/** A share with its interval and the sign behind the value: `31% (25–38)`. */
function formatPart(estimate: Estimate): string {
  const value = `${formatShare(estimate.value, 0)}%`;
  if (!hasInterval(estimate)) return value;
  return `${value} (${formatRange(estimate.low * 100, estimate.high * 100, 0)})`;
}

/**
 * What a kept norm allows to be said: 1 is the level at which right and wrong have nothing to do with each other. Ends
 * are compared as they are printed, so that no sentence contradicts the interval beside it.
 */
export function keptWords(kept: Estimate): string {
  const printed = (value: number): number => Number(value.toFixed(2));
  const size = formatNumber(Math.abs(1 - kept.value) * 100, 0);
  if (printed(kept.high) < 1) return `cancel ${size}% of their norm`;
  if (printed(kept.low) > 1) return `add ${size}% to it rather than cancel`;
  return "neither cancel nor add up as far as this run shows";
}

type Summaries = { kind: (typeof KINDS)[number]; summary: CancellationSummary }[];

/** Whether the step where they part holds more of the update than of the tokens, and what was there beforehand. */
function concentration(file: CancellationFile, summaries: Summaries): string {
  const at = summaries.map(
    ({ kind, summary: { regions } }) =>
      `${formatPart(regions.at.update)} of the update in ${formatPart(regions.at.tokens)} of the tokens with ${kind.name}, and ${formatPart(regions.at.signal)} of the gradient of the single steps before they are added`,
  );
  const shown = summaries.every(({ summary: { regions } }) =>
    intervalsApart(regions.at.update, regions.at.tokens),
  );
  const kinds =
    file.low === null || file.high === null
      ? ""
      : intervalsApart(file.low.regions.at.update, file.high.regions.at.update)
        ? ", and not equally in both kinds"
        : ", and the two kinds cannot be told apart in this";
  return `The first step in which two responses differ holds ${at.join("; ")}: ${shown ? "the update concentrates where they part" : "no concentration is shown"}${kinds}.`;
}

/** What the beginning that two responses share loses, and whether that needs equal words. */
function sharedSteps({ kind, summary: { regions, matches } }: Summaries[number]): string {
  const reworded =
    matches.reworded.kept === null
      ? "no step had the same result in other words"
      : `those with the same result in other words ${keptWords(matches.reworded.kept)} (${formatKept(matches.reworded.kept)} kept)`;
  return `The steps before it, with ${kind.name}: ${formatPart(regions.before.tokens)} of the tokens, ${formatPart(regions.before.signal)} of the gradient of the single steps, ${formatPart(regions.before.update)} of the update. Shared steps in equal text cancel entirely, by definition; ${reworded}.`;
}

/** Groups under their real advantages against the account by advantages alone. */
function groupAccount({ kind, summary: { group } }: Summaries[number]): string[] {
  if (group === null) return [];
  const verdict = intervalsApart(group.predicted, group.measured)
    ? "; that account does not hold for this model"
    : "";
  return [
    `Whole groups with ${kind.name}: ${formatPart(group.predicted)} of what the steps contribute would cancel if equal steps had equal gradients, ${formatPart(group.measured)} does${verdict}.`,
  ];
}

/** The findings, one sentence each. */
function findingsOf(file: CancellationFile, summaries: Summaries): SafeHtml {
  const whole = summaries.map(
    ({ kind, summary }) => `with ${kind.name} ${keptWords(summary.kept)} (${formatKept(summary.kept)} kept)`,
  );
  const sentences = [
    concentration(file, summaries),
    ...summaries.map(sharedSteps),
    `Whole responses ${whole.join("; ")}.`,
    ...summaries.flatMap(groupAccount),
  ];
  return html`<ul class="findings">${sentences.map((sentence) => html`<li>${sentence}</li>\n`)}</ul>
`;
}

function cancellationFigure(context: ReportContext, file: CancellationFile, summaries: Summaries): SafeHtml {
  const series: OffsetSeries[] = summaries.map(({ kind, summary }) => ({
    label: kind.name,
    colour: kind.colour,
    points: summary.offsets
      .filter(({ problems }) => problems >= MIN_PROBLEMS)
      .map(({ offset, kept }) => ({ offset, estimate: kept })),
  }));
  if (file.control !== null)
    series.push({
      label: "other problem",
      colour: "var(--muted)",
      faint: true,
      points: file.control.offsets
        .filter(({ problems }) => problems >= MIN_PROBLEMS)
        .map(({ offset, kept }) => ({ offset, estimate: kept })),
    });
  const counts = summaries
    .map(
      ({ kind, summary }) =>
        `${plural(summary.pairs, "pair")} of ${plural(summary.problems, "problem")} with ${kind.name}`,
    )
    .join(", ");
  return figure({
    panels: [
      {
        title: "What is left of each step",
        unit: "share of the norm kept",
        chart: drawOffsets(context.kit, {
          title: `Norm kept after adding right and wrong, ${file.stage}`,
          series,
          yMax: 1.5,
          level: { value: 1, text: "unrelated" },
          axisLabel: "steps from the first that differs",
          middle: "they part",
        }),
      },
      {
        title: "Where the update is",
        unit: "% of a pair's total",
        chart: drawShares(context.kit, {
          title: `Share of tokens and of the update, ${file.stage}`,
          groups: summaries.map(({ kind, summary }) => ({
            name: kind.name,
            rows: REGIONS.map((region) => ({
              label: region === "at" ? "at the step" : `${region} it`,
              colour: kind.colour,
              size: summary.regions[region].tokens.value,
              effect: summary.regions[region].update,
            })),
          })),
          axisLabel: "hollow: tokens, filled: update, %",
          names: { size: "of the tokens", effect: "of the update" },
        }),
      },
    ],
    caption: `Gradients of all ${formatCount(file.parameters)} parameters of ${file.model} at temperature ${file.temperature}, one per step, for a wrong response (advantage −1) and the nearest right one (+1): ${counts}, of ${formatCount(file.eligible)} that can be compared (${file.rollouts}). Left: norm of right + wrong over what unrelated gradients would leave, √(|right|² + |wrong|²); 0 all cancels, 1 unrelated, above 1 they add up; steps count by their gradient. The dashed line pairs responses to different problems. Right: share of the tokens and of the update (inner product with right + wrong) before, at and after the first step that differs. 95% intervals over problems; steps seen in fewer than ${MIN_PROBLEMS} problems are not drawn. This is the raw gradient: the optimiser rescales it.`,
  });
}

function cancellationTable(file: CancellationFile, summaries: Summaries): SafeHtml {
  const row = (name: string, cell: (summary: CancellationSummary) => string) => ({
    cells: [name, ...summaries.map(({ summary }) => cell(summary))],
  });
  const share = (estimate: Estimate): string => formatEstimate(estimate, 0);
  return table({
    columns: [{ title: "", align: "left" }, ...summaries.map(({ kind }) => ({ title: kind.name }))],
    rows: [
      row("problems / pairs", ({ problems, pairs }) => `${formatCount(problems)} / ${formatCount(pairs)}`),
      row("norm kept: whole responses", ({ kept }) => formatKept(kept)),
      ...MATCHES.map((match) =>
        row(`norm kept: ${MATCH_NAMES[match]}`, ({ matches }) => formatKept(matches[match].kept)),
      ),
      ...MATCHES.map((match) =>
        row(`signal of those steps, % of the pair's: ${MATCH_NAMES[match]}`, ({ matches }) =>
          formatNumber(matches[match].signal * 100, 0),
        ),
      ),
      ...REGIONS.map((region) =>
        row(
          `% of tokens / single steps / update, ${region === "at" ? "at the first step that differs" : region}`,
          ({ regions }) =>
            `${share(regions[region].tokens)} / ${share(regions[region].signal)} / ${share(regions[region].update)}`,
        ),
      ),
      row("groups, GRPO advantages: norm kept", ({ group }) => formatKept(group?.kept ?? null)),
      row("groups: % of steps cancelled, measured", ({ group }) =>
        group === null ? "none" : share(group.measured),
      ),
      row("groups: % cancelled by advantages alone", ({ group }) =>
        group === null ? "none" : share(group.predicted),
      ),
    ],
    caption: `Norm kept by a right and a wrong response to different problems: ${
      file.control === null ? "not measured" : formatKept(file.control.kept)
    }. Low difference: overlap from ${formatNumber(file.lowFrom, 2)}; high difference: below that and at most ${formatNumber(file.highTo, 2)} (${file.measure}).`,
  });
}

function measurement(context: ReportContext, file: CancellationFile): SafeHtml {
  const summaries: Summaries = KINDS.flatMap((kind) => {
    const summary = file[kind.key];
    return summary === null ? [] : [{ kind, summary }];
  });
  const title = context.records.cancellation.length > 1 ? html`<h3>${file.stage}</h3>\n` : html``;
  if (summaries.length === 0)
    return html`${title}<p>None of the responses of ${file.rollouts} make a pair: no problem has a right and a wrong response with enough steps.</p>
`;
  return html`${title}${findingsOf(file, summaries)}${cancellationFigure(context, file, summaries)}${cancellationTable(file, summaries)}`;
}

/** The section. */
export function cancellationSection(context: ReportContext): Section {
  const { cancellation } = context.records;
  const id = "gradient-cancellation";
  const title = "Gradient cancellation";
  if (cancellation.length === 0)
    return missing(id, title, "no stage left a cancellation.json", "gradient_cancellation");
  return { id, title, body: html`${cancellation.map((file) => measurement(context, file))}` };
}
