/**
 * Similarity study: do two responses to one problem share intermediate results, by whether they are correct? Shown with
 * and without the final answer, which two correct responses share by construction.
 */

import { PUBLISHED_SIMILARITY } from "../../consensus/index.ts";
import type { Estimate, SimilarityClasses, SimilarityFile } from "../../recipe/result-files.ts";
import { drawRanges } from "../charts/ranges.ts";
import { figure, missing, type Section, table } from "../components.ts";
import type { ReportContext } from "../context.ts";
import { formatCount, formatEstimate, formatNumber, formatShare, plural } from "../format.ts";
import { html, type SafeHtml } from "../html.ts";
import { intervalsApart } from "../wording.ts";

const CLASSES: { key: keyof SimilarityClasses; label: string; colour: string }[] = [
  { key: "correctCorrect", label: "correct\u2013correct", colour: "var(--right)" },
  { key: "correctIncorrect", label: "correct\u2013wrong", colour: "var(--muted)" },
  { key: "incorrectIncorrect", label: "wrong\u2013wrong", colour: "var(--wrong)" },
];

function rows(classes: SimilarityClasses): { label: string; colour: string; estimate: Estimate }[] {
  return CLASSES.map(({ key, label, colour }) => ({
    label,
    colour,
    estimate: classes[key].problems === 0 ? { value: Number.NaN, low: 0, high: 0 } : classes[key],
  }));
}

function finding(classes: SimilarityClasses): string {
  const { correctCorrect, correctIncorrect, incorrectIncorrect } = classes;
  if (correctCorrect.problems === 0)
    return "Without the final answer there are no two correct responses with steps to compare, so nothing is claimed.";
  const above = (other: Estimate): boolean =>
    intervalsApart(correctCorrect, other) && correctCorrect.value > other.value;
  const apart = intervalsApart(correctIncorrect, incorrectIncorrect)
    ? "those two differ from each other as well"
    : "those two cannot be told apart";
  if (above(correctIncorrect) && above(incorrectIncorrect))
    return `Without the final answer, correct responses share more results with each other than either kind of pair with a wrong response; ${apart}.`;
  return "Without the final answer, the intervals do not separate correct pairs from the others.";
}

function estimateCell(estimate: Estimate & { problems: number }): string | SafeHtml {
  return estimate.problems === 0 ? "no pairs" : formatEstimate(estimate);
}

/** A judge's scores: drawn pairs only, so their counts stand beside them. */
function judgeFigure(context: ReportContext, judge: NonNullable<SimilarityFile["judge"]>): SafeHtml {
  const { classes, pairs, unscored, failed } = judge;
  return figure({
    panels: [
      {
        title: "Judge's score",
        unit: "1 to 10",
        chart: drawRanges(context.kit, {
          title: "Similarity by a judge",
          rows: rows(classes),
          domain: [1, 10],
          scale: 1,
          axisLabel: "1 nothing in common, 10 the same results",
        }),
      },
    ],
    caption: `Scores of ${judge.model} for at most ${judge.pairsPerClass} pairs per class and problem, without the final answer: ${CLASSES.map(({ key, label }) => `${label} ${plural(classes[key].pairs, "pair")}`).join(", ")}. ${formatCount(pairs - unscored)} of ${formatCount(pairs)} pairs have a score; ${formatCount(unscored - failed)} replies held none and ${formatCount(failed)} pairs got no reply. The blog reports ${CLASSES.map(({ key, label }) => `${label} ${formatNumber(PUBLISHED_SIMILARITY.judge[key], 1)}`).join(", ")} with its own judge and prompt.`,
  });
}

function study(context: ReportContext, file: SimilarityFile): SafeHtml {
  const panels = [
    { title: "Without the final answer", classes: file.withoutFinalAnswer },
    { title: "With the final answer", classes: file.withFinalAnswer },
  ].map(({ title, classes }) => ({
    title,
    unit: "Jaccard, %",
    chart: drawRanges(context.kit, {
      title: `Similarity ${title.toLowerCase()}`,
      rows: rows(classes),
      domain: [0, 100],
      scale: 100,
      axisLabel: "shared results, % of those in either response",
    }),
  }));
  const seed = context.records.recipe.seed ?? "not recorded";
  return html`<p>${finding(file.withoutFinalAnswer)}</p>
${figure({
  panels,
  caption: `Mean Jaccard similarity of the intermediate results of two responses to the same problem, by pair class; mean per problem first, then over problems; 95% intervals over problems. Model ${file.model}, stage ${file.stage}, seed ${seed}. In tasks whose answer needs the intermediate values, correct pairs agree partly by construction.`,
})}${table({
  columns: [
    { title: "pair class", align: "left" },
    { title: "without final answer, %" },
    { title: "with final answer, %" },
    ...(file.micro === undefined
      ? []
      : [{ title: "all pairs, without, %" }, { title: "all pairs, with, %" }]),
    { title: "pairs" },
    { title: "problems" },
    { title: "published, %" },
  ],
  rows: CLASSES.map(({ key, label }) => {
    const { pairs, problems } = file.withoutFinalAnswer[key];
    return {
      cells: [
        label,
        estimateCell(file.withoutFinalAnswer[key]),
        estimateCell(file.withFinalAnswer[key]),
        ...(file.micro === undefined
          ? []
          : [
              estimateCell(file.micro.withoutFinalAnswer[key]),
              estimateCell(file.micro.withFinalAnswer[key]),
            ]),
        formatCount(pairs),
        formatCount(problems),
        formatShare(PUBLISHED_SIMILARITY.jaccard[key]),
      ],
    };
  }),
  caption: html`Pairs and problems are those of the column without the final answer.${file.micro === undefined ? "" : " All pairs: the mean over pairs instead of over problems."} Published: the POLARIS blog's figure for its own model on BeyondAIME, whose matching, averaging and treatment of the final answer are not known; it is no result of this run.`,
})}${file.judge === undefined ? "" : judgeFigure(context, file.judge)}`;
}

/** Two filters over one set of rollouts leave equal studies; each is shown once. */
function distinctStudies(files: readonly SimilarityFile[]): SimilarityFile[] {
  const numbers = ({ withFinalAnswer, withoutFinalAnswer }: SimilarityFile): string =>
    JSON.stringify([withFinalAnswer, withoutFinalAnswer]);
  return files.filter((file, i) => files.findIndex((other) => numbers(other) === numbers(file)) === i);
}

/** The section. */
export function similaritySection(context: ReportContext): Section {
  const similarity = distinctStudies(context.records.similarity);
  const id = "similarity";
  const title = "Similarity of responses";
  if (similarity.length === 0) return missing(id, title, "no stage left a similarity.json", "similarity");
  return { id, title, body: html`${similarity.map((file) => study(context, file))}` };
}
