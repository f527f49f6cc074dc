/** What readers accept as pass rates and as a shift of them. Capped, because files come from other machines. */
import { z } from "zod";
import { readJsonFile } from "../../data/json-file.ts";
import { DataError } from "../../errors.ts";
import type { PassRateFile, ShiftFile } from "../result-files.ts";

/** Longest name (stage, problem id) shown: longer ones are an attack or a mistake. */
const name = z.string().max(300);
const model = z.string().max(4096);
const share = z.number().min(0).max(1);
const count = z.number().int().min(0);
/** 2 M rows are far above any training set and still fit in memory. */
const MAX_PROBLEMS = 2_000_000;
const MAX_BINS = 4097;
/** Largest file read: two million rows of a hundred bytes. */
const MAX_BYTES = 256 * 1024 * 1024;

export const passRateShape = z.object({
  stage: name,
  model,
  samplesPerProblem: count.min(1),
  counts: z.array(count).min(2).max(MAX_BINS),
  shape: name,
  outcomes: z
    .object({
      responses: count,
      correct: count,
      truncated: count,
      unboxed: count,
      empty: count,
      graderErrors: count,
    })
    .optional(),
  problems: z.array(z.object({ id: name, source: name, passRate: share })).max(MAX_PROBLEMS),
});

const side = z.object({
  stage: name,
  model,
  samplesPerProblem: count.min(1),
  counts: z.array(count).min(2).max(MAX_BINS),
  shape: name,
  mean: share,
});

export const shiftShape = z.object({
  stage: name,
  before: side,
  after: side,
  problems: count,
  onlyBefore: count,
  onlyAfter: count,
  transitions: z.array(z.array(count).max(MAX_BINS)).max(MAX_BINS),
  change: z.object({
    value: z.number(),
    low: z.number(),
    high: z.number(),
    wins: count,
    losses: count,
    ties: count,
  }),
});

// Fails to compile when a type and its shape part ways.
type Accepts<Written, Read> = Written extends Read ? true : never;
export const PASS_RATE_SHAPES_AGREE: [
  Accepts<PassRateFile, z.infer<typeof passRateShape>>,
  Accepts<ShiftFile, z.infer<typeof shiftShape>>,
] = [true, true];

/** @throws {DataError} when the file is missing, too large, no JSON, or no pass rates; names the first wrong field */
export function readPassRates(path: string): PassRateFile {
  const hint = "name a calibrate stage, or the pass-rates.json it wrote";
  const result = passRateShape.safeParse(readJsonFile(path, { maxBytes: MAX_BYTES, hint }));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new DataError(
    `${path}: expected pass rates: ${issue?.path.join(".") || "top level"}: ${issue?.message ?? "wrong shape"}`,
    { hint },
  );
}
