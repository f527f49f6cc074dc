/** The report stage: the page and the summary of everything the run folder holds so far. */
import { type ReportConfig, reportSchema } from "../../config/stages/report.ts";
import type { StageContext, StageKind, StageOutput } from "../stage.ts";

async function run(config: ReportConfig, context: StageContext): Promise<StageOutput> {
  // biome-ignore lint/style/noRestrictedImports: a recipe may end in a face; it is loaded only when the stage runs
  const { writeReport } = await import("../../report/index.ts");
  await writeReport({ runFolder: context.runFolder, title: config.title });
  return { files: { report: "report/index.html", summary: "summary.json" } };
}

export const reportStage: StageKind<ReportConfig> = {
  kind: "report",
  version: 1,
  schema: reportSchema,
  inputs: (config) => config.after,
  readsRun: true,
  run,
};
