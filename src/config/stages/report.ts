/** Section of a report stage. It reads the run folder and decides nothing. */
import { z } from "zod";
import { referenceSchema } from "./common.ts";

export const reportSchema = z.strictObject({
  title: z.string().min(1).max(200).optional().describe("Headline; the run's name by default."),
  after: z
    .array(referenceSchema)
    .max(256)
    .default([])
    .describe("Stages that must be finished first, usually the evaluate stages."),
});

export type ReportConfig = z.infer<typeof reportSchema>;
