/** Where problems come from: practice tasks, files and earlier stages, data sets of the Hugging Face Hub. Source: recipe A1.5. */
import { z } from "zod";
import { MAX_PROBLEMS, problemsSchema } from "./common.ts";

const nameSchema = z.string().min(1).max(200);

const columnsSchema = z
  .strictObject({
    prompt: nameSchema.optional().describe("Column of the question, as text or messages."),
    answer: nameSchema.optional().describe("Column of the gold answer; `a.b` is field b of column a."),
    id: nameSchema.optional().describe("Column of an id that is unique within the source."),
    source: nameSchema.optional().describe("Column of the benchmark or collection a row belongs to."),
  })
  .optional()
  .describe("Columns by name, where the usual names (POLARIS, verl, TRL) do not say it.");

const renameSchema = z
  .string()
  .min(1)
  .max(64)
  .optional()
  .describe("Rename the benchmark these problems belong to.");

/** Problems of the built-in practice tasks. */
const practiceSource = z.strictObject({
  from: z.literal("practice"),
  benchmarks: z
    .array(z.string().min(1).max(64))
    .min(1)
    .max(64)
    .describe("Named practice benchmarks, for example `chain` or `inverse-long`."),
  split: z
    .enum(["train", "validation", "held_out"])
    .describe("No problem is in two splits, whatever the seeds and sizes."),
  count: z.int().min(1).max(MAX_PROBLEMS).describe("Problems per benchmark."),
  seed: z.int().min(0).max(0xffffffff).optional().describe("Seed of the drawing; the stage's by default."),
});

/** Problems in a file or written by an earlier stage. */
const referenceSource = z.strictObject({
  from: z.literal("reference"),
  problems: problemsSchema,
  columns: columnsSchema,
  source: renameSchema,
});

/** A data set of the Hub, through the shared cache. */
const hubSource = z.strictObject({
  from: z.literal("hub"),
  dataset: z
    .string()
    .regex(/^[\w.-]{1,96}(\/[\w.-]{1,96})?$/)
    .describe("Id on the Hub, for example `POLARIS-Project/Polaris-Dataset-53K`."),
  revision: z
    .string()
    .min(1)
    .max(200)
    .default("main")
    .describe(
      "Branch, tag or commit. The commit a branch stands for is settled when the run starts and kept when it is resumed.",
    ),
  commit: z
    .string()
    .regex(/^[0-9a-f]{40}$/, "expected 40 hexadecimal digits")
    .optional()
    .describe("The commit the revision stands for. Recorded by a run; given, the Hub is not asked for it."),
  files: z
    .array(z.string().min(1).max(500))
    .min(1)
    .max(64)
    .optional()
    .describe(
      "Patterns of the files to read (`*` within a folder, `**` across); the split's files by default.",
    ),
  split: nameSchema.optional().describe("Split by the card or by file names; `train` where there is one."),
  config: nameSchema.optional().describe("Configuration the card names; its default one by default."),
  columns: columnsSchema,
  source: renameSchema,
});

export const problemSourcesSchema = z
  .array(z.discriminatedUnion("from", [practiceSource, referenceSource, hubSource]))
  .min(1)
  .max(64)
  .describe("Read in order; of problems with one text the first is kept.");

export type ProblemSource = z.infer<typeof problemSourcesSchema>[number];
export type ColumnsConfig = z.infer<typeof columnsSchema>;
