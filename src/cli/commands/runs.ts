/** `polaris runs`: what runs there are, and what one of them has done. Reads ledgers, never takes their lock. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { parse } from "yaml";
import { DataError, PolarisError } from "../../errors.ts";
import { ledgerPath } from "../../recipe/run-folder.ts";
import { type LedgerStep, openLedger } from "../../store/ledger.ts";
import { isHeld } from "../../store/run-lock.ts";
import { readSummaryRows, resultsTable } from "../results-table.ts";
import {
  createStyle,
  formatNumber,
  formatSeconds,
  formatTable,
  printable,
  type Style,
  wantsColor,
} from "../style.ts";

interface RunView {
  run: string;
  state: "running" | "done" | "failed" | "stopped" | "unreadable";
  done: number;
  total: number;
  startedAt: string | null;
  seconds: number;
  steps: LedgerStep[];
  problem?: string;
}

/** Stage ids of the run's resolved recipe, in file order; none when it cannot be read. */
function recipeStages(runFolder: string): string[] {
  try {
    const { stages } = parse(readFileSync(join(runFolder, "recipe.yaml"), "utf8")) as {
      stages: { id: string }[];
    };
    return stages.map((stage) => String(stage.id));
  } catch {
    return [];
  }
}

function viewRun(runFolder: string): RunView {
  try {
    const ledger = openLedger(ledgerPath(runFolder));
    try {
      const steps = ledger.steps();
      const total = Math.max(recipeStages(runFolder).length, steps.length);
      const done = steps.filter((step) => step.status === "done").length;
      const state = isHeld(ledger)
        ? "running"
        : steps.some((step) => step.status === "failed")
          ? "failed"
          : done === total && total > 0
            ? "done"
            : "stopped";
      const startedAt = steps.map((step) => step.startedAt).sort()[0] ?? null;
      const seconds = steps.reduce((sum, step) => sum + step.seconds, 0);
      return { run: runFolder, state, done, total, startedAt, seconds, steps };
    } finally {
      ledger.close();
    }
  } catch (error) {
    if (!(error instanceof PolarisError)) throw error;
    return {
      run: runFolder,
      state: "unreadable",
      done: 0,
      total: 0,
      startedAt: null,
      seconds: 0,
      steps: [],
      problem: error.message,
    };
  }
}

function paintState(style: Style, state: string): string {
  if (state === "done") return style.green(state);
  if (state === "running") return style.cyan(state);
  return state === "failed" || state === "unreadable" ? style.red(state) : style.yellow(state);
}

function print(lines: readonly string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}

function createList(): Command {
  return new Command("ls")
    .description("Lists the runs in a folder.")
    .argument("[folder]", "folder of run folders", "runs")
    .option("--json", "print JSON")
    .action((folder: string, { json }: { json?: boolean }) => {
      const names = existsSync(folder) && statSync(folder).isDirectory() ? readdirSync(folder).sort() : [];
      const runs = names
        .map((name) => join(folder, name))
        .filter((path) => existsSync(ledgerPath(path)))
        .map(viewRun);
      if (json) {
        print([
          JSON.stringify(
            runs.map(({ steps: _, ...run }) => run),
            null,
            2,
          ),
        ]);
        return;
      }
      if (runs.length === 0) {
        print([`no runs in ${folder}; polaris quickstart makes one`]);
        return;
      }
      const style = createStyle(wantsColor(process.stdout.isTTY === true));
      const rows = runs.map((run) => [
        printable(run.run),
        paintState(style, run.state),
        `${run.done}/${run.total}`,
        run.startedAt?.slice(0, 16).replace("T", " ") ?? "",
        formatSeconds(run.seconds),
      ]);
      print(formatTable(rows, ["run", "state", "stages", "started (UTC)", "time"].map(style.dim)));
      for (const run of runs) if (run.problem) print([style.red(printable(run.problem))]);
    });
}

function stageRow(style: Style, step: LedgerStep): string[] {
  const numbers = Object.entries((step.output?.["numbers"] ?? {}) as Record<string, unknown>)
    .filter(([, value]) => typeof value === "number")
    .slice(0, 4)
    .map(([name, value]) => `${printable(name)} ${formatNumber(value as number)}`);
  const text = step.status === "failed" ? printable(step.error ?? "") : numbers.join("  ");
  return [
    printable(step.stage),
    style.dim(printable(step.kind)),
    paintState(style, step.status),
    formatSeconds(step.seconds),
    String(step.attempt),
    step.key.slice(0, 8),
    text,
  ];
}

function createShow(): Command {
  return new Command("show")
    .description("Shows the stages of a run and its results.")
    .argument("<run>", "run folder, or the name of one in runs/")
    .option("--json", "print JSON")
    .action((run: string, { json }: { json?: boolean }) => {
      const runFolder = findRun(run);
      const view = viewRun(runFolder);
      if (view.problem) throw new DataError(view.problem);
      if (json) {
        print([JSON.stringify({ ...view, rows: readSummaryRows(runFolder) }, null, 2)]);
        return;
      }
      const style = createStyle(wantsColor(process.stdout.isTTY === true));
      print([
        `${style.bold(printable(runFolder))}  ${paintState(style, view.state)}  ${view.done}/${view.total} stages  ${formatSeconds(view.seconds)}`,
        "",
      ]);
      const started = new Map(view.steps.map((step) => [step.stage, step]));
      const waiting = recipeStages(runFolder)
        .filter((id) => !started.has(id))
        .map((id) => [printable(id), "", style.dim("waiting"), "", "", "", ""]);
      const rows = [...view.steps.map((step) => stageRow(style, step)), ...waiting];
      print(formatTable(rows, ["stage", "kind", "state", "time", "starts", "key", "numbers"].map(style.dim)));
      const results = resultsTable(readSummaryRows(runFolder), style);
      if (results.length > 0) print(["", ...results]);
      const report = join(runFolder, "report", "index.html");
      if (existsSync(report)) print(["", `report  ${report}`]);
    });
}

/**
 * Folder of a run given by path or by name.
 * @throws {DataError} when there is no such run
 */
export function findRun(run: string): string {
  for (const folder of [run, join("runs", run)]) if (existsSync(ledgerPath(folder))) return folder;
  throw new DataError(`${run} is no run folder`, { hint: "polaris runs ls lists the runs" });
}

export function createRunsCommand(): Command {
  return new Command("runs")
    .description("Lists and shows runs.")
    .addCommand(createList())
    .addCommand(createShow());
}
