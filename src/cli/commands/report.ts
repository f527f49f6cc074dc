/** `polaris report`: writes the report of a run folder again, from its records alone. */
import { Command } from "commander";
import { findRun } from "./runs.ts";

export function createReportCommand(): Command {
  return new Command("report")
    .description("Writes report/index.html and summary.json of a run again, from the records in its folder.")
    .argument("<run>", "run folder, or the name of one in runs/")
    .option("--title <text>", "title of the page")
    .option("--json", "print JSON")
    .action(async (run: string, { title, json }: { title?: string; json?: boolean }) => {
      const runFolder = findRun(run);
      const { writeReport } = await import("../../report/index.ts");
      const { html, summary } = await writeReport({ runFolder, title });
      process.stdout.write(
        json ? `${JSON.stringify({ html, summary })}\n` : `report   ${html}\nsummary  ${summary}\n`,
      );
    });
}
