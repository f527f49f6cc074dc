/**
 * Reads what a report needs from a run folder, and nothing else: the recipe, the metrics, the evaluations and the
 * stages' result files, as described in docs/run-folder.md. A file that is absent is absent; one that cannot be read
 * becomes a note in the report. Only a folder that does not exist is an error.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { ZodType } from "zod";
import { DataError } from "../errors.ts";
import { passRateShape, shiftShape } from "../recipe/calibration/pass-rate-shape.ts";
import { evaluationShape } from "../recipe/evaluation/evaluation-shape.ts";
import type {
  AlphaFile,
  CancellationFile,
  DecisionsFile,
  DifferenceFile,
  DropsFile,
  EvaluationFile,
  GainersFile,
  PassRateFile,
  ShiftFile,
  SimilarityFile,
} from "../recipe/result-files.ts";
import type { SweepFile } from "../recipe/temperature/sweep-file.ts";
import { sweepShape } from "../recipe/temperature/sweep-shape.ts";
import { differenceShape, similarityShape } from "./comparison-shapes.ts";
import { readCampaigns } from "./read-campaigns.ts";
import { parseRecipe, type RunRecipe } from "./recipe-view.ts";
import {
  alphaShape,
  cancellationShape,
  dropsShape,
  gainersShape,
  type SamplesShape,
  samplesShape,
} from "./shapes.ts";

/** One line of metrics.jsonl or timings.jsonl. */
export interface StepMetrics {
  stage: string;
  step: number;
  values: Record<string, number>;
}

/** A file a number of the report comes from. */
export interface SourceFile {
  /** Relative to the run folder, forward slashes. */
  file: string;
  sizeBytes: number;
  sha256: string;
}

/** Everything a report is made of. Lists are in the order of the recipe's stages. */
export interface RunRecords {
  /** Name in the recipe, or of the folder. */
  run: string;
  recipe: RunRecipe;
  environment: Record<string, unknown>;
  metrics: StepMetrics[];
  timings: StepMetrics[];
  evaluations: EvaluationFile[];
  passRates: PassRateFile[];
  shifts: ShiftFile[];
  sweeps: SweepFile[];
  similarity: SimilarityFile[];
  difference: DifferenceFile[];
  drops: DropsFile[];
  decisions: DecisionsFile[];
  gainers: GainersFile[];
  cancellation: CancellationFile[];
  alpha: AlphaFile[];
  samples: SamplesShape["samples"];
  /** Files whose content is the same in every run of this recipe and seed. */
  sources: SourceFile[];
  /** What could not be read and why, one line each. */
  notes: string[];
}

/** Largest result file: 256 MiB hold some million problems; more would be read into memory for a table. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;
/** Most lines of a metrics file: a million steps. */
const MAX_METRIC_LINES = 1_000_000;
/** Most stage folders and evaluation files looked at. */
const MAX_ENTRIES = 500;

/** Reads files once, remembers their hashes and what went wrong. */
function createReader(runFolder: string) {
  const notes: string[] = [];
  const sources: SourceFile[] = [];

  function readText(file: string, options: { source: boolean }): string | undefined {
    const path = join(runFolder, file);
    try {
      const { size } = statSync(path);
      if (size > MAX_FILE_BYTES) {
        notes.push(`${file} is left out: ${size} bytes, the limit is ${MAX_FILE_BYTES}`);
        return undefined;
      }
      const bytes = readFileSync(path);
      if (options.source) {
        const sha256 = createHash("sha256").update(bytes).digest("hex");
        sources.push({ file, sizeBytes: bytes.length, sha256 });
      }
      return bytes.toString("utf8");
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code;
      if (code !== "ENOENT" && code !== "ENOTDIR")
        notes.push(`${file} cannot be read: ${code ?? "unknown error"}`);
      return undefined;
    }
  }

  function readShape<T>(file: string, shape: ZodType<T>): T | undefined {
    const text = readText(file, { source: true });
    if (text === undefined) return undefined;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      notes.push(`${file} is left out: it is not complete JSON`);
      return undefined;
    }
    const result = shape.safeParse(value);
    if (result.success) return result.data;
    const issue = result.error.issues[0];
    notes.push(
      `${file} is left out: ${issue?.path.join(".") || "top level"}: ${issue?.message ?? "wrong shape"}`,
    );
    return undefined;
  }

  function readMetrics(file: string, options: { source: boolean }): StepMetrics[] {
    const lines = (readText(file, options) ?? "").split("\n");
    const steps: StepMetrics[] = [];
    let damaged = 0;
    for (const line of lines.slice(0, MAX_METRIC_LINES)) {
      if (line.trim() === "") continue;
      const step = parseStep(line);
      if (step === undefined) damaged++;
      else steps.push(step);
    }
    if (damaged > 0) notes.push(`${file}: ${damaged} damaged line${damaged === 1 ? "" : "s"} left out`);
    if (lines.length > MAX_METRIC_LINES)
      notes.push(`${file}: only the first ${MAX_METRIC_LINES} lines are shown`);
    return steps;
  }

  function list(folder: string): string[] {
    try {
      return readdirSync(join(runFolder, folder)).sort().slice(0, MAX_ENTRIES);
    } catch {
      return [];
    }
  }

  return { notes, sources, readText, readShape, readMetrics, list };
}

function parseStep(line: string): StepMetrics | undefined {
  try {
    const value = JSON.parse(line) as Record<string, unknown>;
    const { stage, step, ...rest } = value;
    if (typeof stage !== "string" || stage.length > 300 || !Number.isSafeInteger(step)) return undefined;
    const values: Record<string, number> = {};
    for (const [key, number] of Object.entries(rest)) if (typeof number === "number") values[key] = number;
    return { stage, step: step as number, values };
  } catch {
    return undefined;
  }
}

function parseEnvironment(text: string | undefined, notes: string[]): Record<string, unknown> {
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(text);
    if (value !== null && typeof value === "object" && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // Reported below, together with a file of another shape.
  }
  notes.push("environment.json is left out: it is not a JSON object");
  return {};
}

/**
 * Reads the run folder.
 * @throws {DataError} when the folder does not exist or is not a folder
 */
export function readRun(runFolder: string): RunRecords {
  let isFolder = false;
  try {
    isFolder = statSync(runFolder).isDirectory();
  } catch {
    // Said below: absent and unreadable are the same to the reader of the message.
  }
  if (!isFolder)
    throw new DataError(`run folder ${runFolder}: expected a folder, found none`, {
      hint: "name the folder of a run, for example: polaris report runs/quickstart",
    });
  const reader = createReader(runFolder);
  const recipe = parseRecipe(reader.readText("recipe.yaml", { source: true }), reader.notes);
  const stageFolders = reader.list("stages").filter((name) => !name.endsWith(".partial"));
  const order = new Map(recipe.stages.map((stage, i) => [stage.id, i]));
  const byRecipe = (a: string, b: string): number => (order.get(a) ?? 1e6) - (order.get(b) ?? 1e6);
  stageFolders.sort(byRecipe);

  function readStages<T>(file: string, shape: ZodType<T>): T[] {
    return stageFolders.flatMap((id) => reader.readShape(`stages/${id}/${file}`, shape) ?? []);
  }
  const campaigns = readCampaigns(recipe, reader.readShape);
  const evaluations = reader
    .list("evaluations")
    .filter((file) => file.endsWith(".json"))
    .flatMap((file) => reader.readShape(`evaluations/${file}`, evaluationShape) ?? [])
    .sort((a, b) => byRecipe(a.stage, b.stage));

  return {
    run: recipe.name ?? basename(runFolder),
    recipe,
    environment: parseEnvironment(reader.readText("environment.json", { source: false }), reader.notes),
    metrics: reader.readMetrics("metrics.jsonl", { source: true }),
    timings: reader.readMetrics("timings.jsonl", { source: false }),
    evaluations,
    passRates: readStages("pass-rates.json", passRateShape),
    shifts: readStages("shift.json", shiftShape),
    sweeps: [...readStages("sweep.json", sweepShape), ...campaigns.sweeps],
    similarity: [...readStages("similarity.json", similarityShape), ...campaigns.similarity],
    difference: [...readStages("difference.json", differenceShape), ...campaigns.difference],
    decisions: campaigns.decisions,
    drops: [...readStages("drops.json", dropsShape), ...campaigns.drops],
    gainers: readStages("gainers.json", gainersShape),
    cancellation: readStages("cancellation.json", cancellationShape),
    alpha: readStages("alpha.json", alphaShape),
    samples: readStages("samples.json", samplesShape).flatMap((file) => file.samples),
    sources: reader.sources,
    notes: reader.notes,
  };
}
