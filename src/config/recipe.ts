/**
 * The recipe file: top level and the part every stage has. The keys of each stage kind stand in `stages/<kind>.ts`;
 * what kinds exist is passed in as `StageSchemas`, so that this folder imports no stage.
 */
import { z } from "zod";
import { type EngineConfig, engineSchema } from "./engine.ts";

/** Longest chain of stages a recipe may have; the full V2 recipe has about fifteen. */
const MAX_STAGES = 200;

const seedSchema = z.int().min(0).max(4294967295);

export const recipeSchema = z.strictObject({
  name: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
      "expected 1 to 64 letters, digits, dots, dashes or underscores",
    )
    .describe("name of the run; its default folder is runs/<name>"),
  seed: seedSchema.default(0).describe("seed of every random stream, 0 to 2^32-1; a stage may set its own"),
  engine: engineSchema.prefault({}),
  stages: z
    .array(z.unknown())
    .min(1)
    .max(MAX_STAGES)
    .describe("what runs; a stage starts when the stages it names have finished"),
});

/** Keys every stage has; `z.object` because the kind's own strict schema judges the others. */
export const stageCommonSchema = z.object({
  id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, "expected 1 to 64 lower-case letters, digits, dashes or underscores")
    .describe("unique name of the stage; other stages refer to it, its outputs stand in stages/<id>"),
  kind: z.string().describe("what the stage does"),
  seed: seedSchema.optional().describe("seed of this stage; default: the recipe's seed"),
});

/** Keys of the common part, in the order they are printed. */
export const STAGE_COMMON_KEYS = Object.keys(stageCommonSchema.shape);

/** The configuration schema of every stage kind, without the common keys. */
export type StageSchemas = Readonly<Record<string, z.ZodType>>;

export interface RecipeStage {
  id: string;
  kind: string;
  seed?: number;
  /** The kind's own keys, validated, defaults filled in; camelCase. */
  config: unknown;
}

/** A validated recipe, every default filled in. */
export interface Recipe {
  name: string;
  seed: number;
  engine: EngineConfig;
  stages: RecipeStage[];
}
