/**
 * Writes `report/index.html` and `summary.json` from what a run folder holds. It computes no result that a stage could
 * have written, runs no model, and leaves the ledger alone; a run that is not finished gets a report of what there is.
 */
import { join } from "node:path";
import { writeFileAtomic } from "../data/atomic.ts";
import { loadChartKit } from "./charts/render.ts";
import { createContext } from "./context.ts";
import { gatherMissing } from "./gather-missing.ts";
import { renderPage } from "./page.ts";
import { readRun } from "./read-run.ts";
import { type RunRecipe, usesPracticeTasks } from "./recipe-view.ts";
import { campaignSections } from "./sections/campaign.ts";
import { cancellationSection } from "./sections/cancellation.ts";
import { curvesSection } from "./sections/curves.ts";
import { differenceSection } from "./sections/difference.ts";
import { difficultyShiftSections } from "./sections/difficulty-shift.ts";
import { dropsSections } from "./sections/drops.ts";
import { evaluationSection } from "./sections/evaluation.ts";
import { healthSection } from "./sections/health.ts";
import { mergeSection } from "./sections/merge.ts";
import { passRatesSection } from "./sections/pass-rates.ts";
import { referenceSection } from "./sections/reference.ts";
import { reproductionSection } from "./sections/reproduction.ts";
import { resultsSection } from "./sections/results.ts";
import { samplesSection } from "./sections/samples.ts";
import { similaritySection } from "./sections/similarity.ts";
import { temperatureSections } from "./sections/temperature.ts";
import { createSummary } from "./summary.ts";

export interface WriteReportOptions {
  /** The run folder, absolute or relative to the working folder. */
  runFolder: string;
  /** Headline of the page; the run's name by default. */
  title?: string;
}

/** Absolute or as given, like the run folder. */
export interface WrittenReport {
  html: string;
  summary: string;
}

/** What was run, and what it does not stand for. */
function subtitleOf(recipe: RunRecipe): string {
  const seed = recipe.seed === undefined ? "" : `, seed ${recipe.seed}`;
  const practice = usesPracticeTasks(recipe)
    ? " Models and problems are the built-in practice ones, small enough to train in minutes; no number here says anything about mathematics benchmarks or large models."
    : "";
  return `The POLARIS post-training recipe from calibration to evaluation${seed}. Every arm is one training run; read the intervals.${practice}`;
}

/**
 * Writes the report of a run. Sections whose files are missing are listed, with the stage that makes them.
 *
 * @throws {DataError} when the run folder does not exist
 * @throws {StoreError} when the folder is not writable or the disk is full
 */
export async function writeReport(options: WriteReportOptions): Promise<WrittenReport> {
  const { runFolder } = options;
  const records = readRun(runFolder);
  const context = createContext(records, await loadChartKit());
  const page = renderPage({
    title: options.title ?? `POLARIS run: ${records.run}`,
    subtitle: subtitleOf(records.recipe),
    sections: gatherMissing([
      resultsSection(context),
      evaluationSection(context),
      ...campaignSections(context),
      curvesSection(context),
      healthSection(context),
      ...dropsSections(context),
      passRatesSection(context),
      ...difficultyShiftSections(context),
      ...temperatureSections(context),
      similaritySection(context),
      differenceSection(context),
      cancellationSection(context),
      mergeSection(context),
      samplesSection(context),
      referenceSection(),
      reproductionSection(context),
    ]),
    footer:
      "Made by Polaris from the files of the run folder. No script, no network: the page can be passed on as one file.",
  });
  const written = { html: join(runFolder, "report", "index.html"), summary: join(runFolder, "summary.json") };
  writeFileAtomic(written.html, page);
  writeFileAtomic(written.summary, `${JSON.stringify(createSummary(context), null, 2)}\n`);
  return written;
}
