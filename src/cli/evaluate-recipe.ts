/**
 * The recipe behind `polaris evaluate`: one evaluate stage from the command's options, and the folder it runs in. Each way
 * of asking has a folder of its own, so that another temperature never replaces a result.
 */
import { basename, join } from "node:path";
import { ConfigError } from "../errors.ts";
import { contentKey } from "../store/canonical.ts";
import type { Json } from "../types.ts";

/** Options of the command, numbers checked. */
export interface EvaluateCommandOptions {
  arm?: string;
  against?: string;
  samples: number;
  samplesOf?: [benchmark: string, samples: number][];
  limit?: number;
  temperature: number;
  topK: number;
  topP: number;
  minP: number;
  maxNewTokens: number;
  prompt: string;
  grader: string;
  answerFrom: string;
  count: number;
  seed: number;
  passAt?: number[];
  hardest?: number;
  ropeFactor?: number;
  ropeOriginal?: number;
  ropeAttentionScale?: number;
  baseUrl?: string;
  keepRollouts?: boolean;
  runDir?: string;
  overwrite?: boolean;
  out?: string;
  set?: string[];
  json?: boolean;
}

/** Id of the one evaluate stage. */
export const EVALUATION_STAGE = "evaluation";

/** Letters, digits, dots and dashes of the last part of a reference: a name for folders and rows. */
export function nameOfModel(model: string): string {
  const last = basename(model.replace(/[/\\]+$/, "").replace(/^(builtin|served):/, ""));
  return (
    last
      .replace(/[^A-Za-z0-9._-]+/g, "-")
      .replace(/^[^A-Za-z0-9]+/, "")
      .slice(0, 48) || "model"
  );
}

/** The problems arguments: files, or `practice:chain,inverse` for the built-in benchmarks. */
function problemStages(problems: readonly string[], count: number): { references: string[]; stages: Json[] } {
  const stages: Json[] = [];
  const references = problems.map((one) => {
    if (!one.startsWith("practice:")) return /[./\\]/.test(one) ? one : `./${one}`;
    const benchmarks = one.slice("practice:".length).split(",");
    const id = stages.length === 0 ? "problems" : `problems-${stages.length + 1}`;
    stages.push({
      id,
      kind: "problems",
      sources: [{ from: "practice", split: "held_out", count, benchmarks }],
    });
    return id;
  });
  return { references, stages };
}

/** On a server every name that is no path is a name it serves. */
function modelReference(model: string, baseUrl: string | undefined): string {
  return baseUrl === undefined || /^(served:|builtin:|[./~])/.test(model) ? model : `served:${model}`;
}

/** Name of the run: the model and the first of the files. */
function nameOfEvaluation(model: string, problems: readonly string[]): string {
  const first = nameOfModel((problems[0] as string).replace(/^practice:/, "").replace(/\.[A-Za-z.]+$/, ""));
  const more = problems.length > 1 ? `-and-${problems.length - 1}` : "";
  return `evaluate-${nameOfModel(model)}-${first.slice(0, 32)}${more}`;
}

/** Folder of a recipe: one for each way of asking. Where the server stands is none. */
export function defaultFolder(name: string, recipe: Json, overrides: readonly string[]): string {
  const { engine: _, ...asked } = recipe as Record<string, Json>;
  return join("runs", `${name}-${contentKey({ asked, overrides: [...overrides] }).slice(0, 8)}`);
}

/** Two arms of one model differ by name at least. */
function armNames(
  model: string,
  options: EvaluateCommandOptions,
): { arm: string; against: string | undefined } {
  const arm = options.arm ?? nameOfModel(model);
  if (options.against === undefined) return { arm, against: undefined };
  const other = nameOfModel(options.against);
  return { arm, against: other === arm ? `${other} (reference)` : other };
}

/** The recipe the command runs, with the keys of the recipe file. */
export function evaluateRecipe(
  model: string,
  problems: readonly string[],
  options: EvaluateCommandOptions,
): Json {
  const { references, stages } = problemStages(problems, options.count);
  const { arm, against } = armNames(model, options);
  const { ropeFactor, ropeOriginal, ropeAttentionScale, baseUrl } = options;
  if (ropeFactor === undefined && (ropeOriginal !== undefined || ropeAttentionScale !== undefined))
    throw new ConfigError("--rope-original and --rope-attention-scale need --rope-factor");
  const scaling: Record<string, Json> = {};
  if (ropeFactor !== undefined) scaling["factor"] = ropeFactor;
  if (ropeOriginal !== undefined) scaling["original_length"] = ropeOriginal;
  if (ropeAttentionScale !== undefined) scaling["attention_scale"] = ropeAttentionScale;
  const measured: Record<string, Json> = { arm, model: modelReference(model, baseUrl) };
  if (ropeFactor !== undefined) measured["rope_scaling"] = scaling;
  const evaluation: Record<string, Json> = {
    id: EVALUATION_STAGE,
    kind: "evaluate",
    arms: [
      ...(against === undefined
        ? []
        : [{ arm: against, model: modelReference(options.against as string, baseUrl) }]),
      measured,
    ],
    problems: references.length === 1 ? (references[0] as string) : references,
    samples_per_problem: options.samples,
    sampling: {
      temperature: options.temperature,
      top_k: options.topK,
      top_p: options.topP,
      min_p: options.minP,
      max_new_tokens: options.maxNewTokens,
    },
    prompt: options.prompt,
    grader: { mode: options.grader, answer_from: options.answerFrom },
    keep_rollouts: options.keepRollouts ? "all" : "none",
  };
  if (options.limit !== undefined) evaluation["limit"] = options.limit;
  if (options.samplesOf !== undefined)
    evaluation["overrides"] = options.samplesOf.map(([benchmark, samples]) => ({
      benchmarks: [benchmark],
      samples_per_problem: samples,
    }));
  if (options.passAt !== undefined) evaluation["pass_at"] = options.passAt;
  if (options.hardest !== undefined) evaluation["hardest"] = { count: options.hardest };
  return {
    name: nameOfEvaluation(model, problems),
    seed: options.seed,
    ...(baseUrl === undefined ? {} : { engine: { kind: "openai", base_url: baseUrl } }),
    stages: [...stages, evaluation],
  };
}
