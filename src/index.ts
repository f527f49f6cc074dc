/**
 * The public API: load a recipe, run it, read its records. The parts are sub-paths of their own: `polaris/math`,
 * `polaris/consensus`, `polaris/rl`, `polaris/stats`, `polaris/data`, `polaris/tensors`, `polaris/engine`.
 */
export { type LoadedRecipe, type LoadRecipeOptions, loadRecipe } from "./config/load-recipe.ts";
export type { Recipe, StageSchemas } from "./config/recipe.ts";
export * from "./errors.ts";
export { type RandomStream, randomStream } from "./random.ts";
export { difficultyShiftFile } from "./recipe/calibration/shift.ts";
export { type CompareOptions, compareArms, compareWithReference } from "./recipe/evaluation/comparison.ts";
export type * from "./recipe/evaluation/evaluation-file.ts";
export { evaluationMarkdown } from "./recipe/evaluation/markdown.ts";
export { readEvaluation } from "./recipe/evaluation/read-evaluation.ts";
export type { PassRateFile, ShiftFile } from "./recipe/result-files.ts";
export { type RunRecipeOptions, type RunResult, runRecipe } from "./recipe/runner.ts";
export type { StageContext, StageKind, StageOutput } from "./recipe/stage.ts";
export { STAGE_KINDS } from "./recipe/stages/index.ts";
export { type CurvePoint, type DecisionRules, decideTemperature } from "./recipe/temperature/decide.ts";
export { readCurves, readSweep } from "./recipe/temperature/read-sweep.ts";
export type * from "./recipe/temperature/sweep-file.ts";
export { type ResponseSweepOptions, sweepFromResponses } from "./recipe/temperature/sweep-from-responses.ts";
export { type WriteReportOptions, writeReport } from "./report/index.ts";
export { openConsensusStore } from "./store/consensus/open.ts";
export type { ConsensusStore, OpenStoreOptions } from "./store/consensus/store.ts";
export { openRolloutReader, openRolloutStore } from "./store/rollouts/open.ts";
export type { RolloutQuery } from "./store/rollouts/query.ts";
export { streamRolloutSource } from "./store/rollouts/source.ts";
export type * from "./store/rollouts/store.ts";
export type { RolloutTally } from "./store/rollouts/tally.ts";
export type * from "./types.ts";
