/** Section of a teacher stage: written solutions of practice problems, graded like any other response. Source: recipe B3. */
import { z } from "zod";
import { graderSchema, MAX_PROBLEMS, problemsSchema } from "./common.ts";

const weight = z.number().min(0).max(1000);

export const teacherSchema = z.strictObject({
  problems: problemsSchema.describe("Practice problems to solve: a stage that writes them, or a JSONL file."),
  solutionsPerProblem: z.int().min(1).max(64).default(1).describe("Solutions of each problem, drawn anew."),
  errorRate: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe("Probability that a step is wrong; later steps compute with the wrong value."),
  styles: z
    .strictObject({
      full: weight.default(1),
      mid: weight.default(0),
      hasty: weight.default(0),
      direct: weight.default(0),
    })
    .refine((styles) => styles.full + styles.mid + styles.hasty + styles.direct > 0, {
      error: "at least one style needs a positive weight",
    })
    .prefault({})
    .describe(
      "Weights of the solution styles: every step in full, without the formula, the result alone, no steps.",
    ),
  shortcutShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe("Probability of the second route where a problem has one."),
  keep: z
    .enum(["all", "correct"])
    .default("all")
    .describe("`correct` keeps verified solutions only, as consensus sets need."),
  grader: graderSchema,
  limit: z.int().min(1).max(MAX_PROBLEMS).optional().describe("Use only the first n problems."),
});

export type TeacherConfig = z.infer<typeof teacherSchema>;
