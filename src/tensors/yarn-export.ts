/**
 * YaRN in the words of an inference engine: the JSON it reads and the command that starts it. The scaling is the same
 * everywhere; the notation is not (see `rope-scaling.ts`), and a wrong one is silently another model.
 * Source: vLLM "Context extension", SGLang server arguments, transformers rope utilities; recipe A9.
 */
import type { Json } from "../types.ts";
import { type RopeDialect, ropeJsonText, ropeScalingJson, type YarnScaling } from "./rope-scaling.ts";

export interface YarnExportOptions {
  engine: RopeDialect;
  scaling: YarnScaling;
  /** Prompt and response together, in tokens. */
  maxPositionEmbeddings: number;
  /** Base of the frequencies; must stand in the override of engines that replace it as a whole. */
  ropeTheta?: number;
  /** Model as the command names it. */
  model: string;
}

export interface YarnExport {
  engine: RopeDialect;
  /** Keys of config.json, laid on the model's own. */
  config: Record<string, Json>;
  /** How to start the engine with it; absent where there is nothing to start. */
  commands: { title: string; command: string }[];
  /** What the reader must know, one sentence each. */
  notes: string[];
}

/** A word of a POSIX shell, quoted where needed. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The scaling for one engine. */
export function yarnExport(options: YarnExportOptions): YarnExport {
  const { engine, scaling, maxPositionEmbeddings, ropeTheta, model } = options;
  const rope = {
    ...ropeScalingJson(scaling, engine),
    ...(ropeTheta === undefined ? {} : { rope_theta: ropeTheta }),
  };
  const config = { max_position_embeddings: maxPositionEmbeddings, rope_scaling: rope };
  const notes: string[] = [];
  if (ropeTheta === undefined)
    notes.push(
      "The base of the frequencies is not known: give --model with the checkpoint folder, because newer engines forget it when the scaling is replaced.",
    );
  const reach = Math.floor(scaling.factor * scaling.originalMaxPositionEmbeddings);
  if (maxPositionEmbeddings > reach)
    notes.push(
      `${maxPositionEmbeddings} positions are more than factor × original length = ${reach}: vLLM and SGLang build their tables that long, and the scaling is meant for no more.`,
    );
  // Until then (its issue 38224) transformers put max_position_embeddings / original length in the factor's place.
  if (engine === "transformers" && maxPositionEmbeddings !== reach)
    notes.push(
      `transformers from before September 2025 takes ${maxPositionEmbeddings} / ${scaling.originalMaxPositionEmbeddings} for the factor: give it ${reach} positions, or a newer version.`,
    );
  const name = shellWord(model);
  if (engine === "transformers") return { engine, config, commands: [], notes };
  if (engine === "sglang") {
    const json = shellWord(ropeJsonText(config));
    return {
      engine,
      config,
      commands: [
        {
          title: "SGLang",
          command: `SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN=1 python -m sglang.launch_server --model-path ${name} --json-model-override-args ${json} --context-length ${maxPositionEmbeddings}`,
        },
      ],
      notes,
    };
  }
  // vLLM refuses a length above factor x original length unless it is told to trust the caller.
  const trust = maxPositionEmbeddings > reach ? "VLLM_ALLOW_LONG_MAX_MODEL_LEN=1 " : "";
  const { rope_scaling: _, ...rest } = config;
  const overrides = { ...rest, rope_parameters: rope };
  return {
    engine,
    config,
    commands: [
      {
        title: "vLLM from 0.12, which reads rope_parameters",
        command: `${trust}vllm serve ${name} --hf-overrides ${shellWord(ropeJsonText(overrides))} --max-model-len ${maxPositionEmbeddings}`,
      },
      {
        title: "vLLM 0.8 to 0.11, which read rope_scaling",
        command: `${trust}vllm serve ${name} --hf-overrides ${shellWord(ropeJsonText(config))} --max-model-len ${maxPositionEmbeddings}`,
      },
    ],
    notes,
  };
}
