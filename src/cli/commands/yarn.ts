/**
 * `polaris yarn`: the same YaRN scaling in the notation of each inference engine, a checkpoint folder with it laid on, and
 * what engines make of a folder that has one already.
 */
import { Command, InvalidArgumentError, Option } from "commander";
import { ConfigError } from "../../errors.ts";
import {
  appliedAttentionScale,
  defaultAttentionScale,
  parseRopeScaling,
  type RopeDialect,
  readRawConfig,
  ropeJsonText,
  ropeThetaOf,
  writeScaledFolder,
  type YarnScaling,
  yarnExport,
  yarnRange,
  yarnScaling,
} from "../../tensors/index.ts";
import type { Json } from "../../types.ts";
import { formatTable, printable } from "../style.ts";

const ENGINES: readonly RopeDialect[] = ["vllm", "sglang", "transformers"];

interface ScalingOptions {
  factor: number;
  originalLength?: number;
  attentionScale: number;
  maxPositions?: number;
  betaFast: number;
  betaSlow: number;
}

interface ExportOptions extends ScalingOptions {
  engine: RopeDialect | "all";
  model?: string;
  ropeTheta?: number;
  json?: boolean;
}

function number(minimum: number, maximum: number, whole = false): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !(value >= minimum && value <= maximum) || (whole && !Number.isInteger(value)))
      throw new InvalidArgumentError(
        `Expected ${whole ? "a whole number" : "a number"} from ${minimum} to ${maximum}.`,
      );
    return value;
  };
}

function addScalingOptions(command: Command): Command {
  return command
    .option("--factor <f>", "longest wanted length over the original length", number(1, 1024), 1.5)
    .option(
      "--original-length <n>",
      "length the model was trained at, in tokens; default: the model's, else 32768",
      number(1, 2 ** 24, true),
    )
    .option(
      "--attention-scale <s>",
      "what cos and sin are multiplied by; 1 leaves attention alone, as POLARIS wants it",
      number(0.01, 16),
      1,
    )
    .option(
      "--max-positions <n>",
      "prompt and response together, in tokens; default: factor × original length",
      number(1, 2 ** 24, true),
    )
    .option("--beta-fast <b>", "turns above which a frequency is kept", number(0.001, 1e6), 32)
    .option(
      "--beta-slow <b>",
      "turns below which a frequency is divided by the factor",
      number(0.001, 1e6),
      1,
    );
}

/** The scaling and the positions it is meant for. @throws {ConfigError} when the two betas are the wrong way round */
function scalingOf(
  options: ScalingOptions,
  config: Record<string, Json> | null,
): { scaling: YarnScaling; maxPositions: number } {
  const own = config?.["max_position_embeddings"];
  const originalMaxPositionEmbeddings = options.originalLength ?? (typeof own === "number" ? own : 32_768);
  const { factor, attentionScale, betaFast, betaSlow } = options;
  if (betaFast < betaSlow)
    throw new ConfigError(`--beta-fast: expected at least --beta-slow, got ${betaFast} and ${betaSlow}`);
  const scaling = yarnScaling({ factor, originalMaxPositionEmbeddings, attentionScale, betaFast, betaSlow });
  return {
    scaling,
    maxPositions: options.maxPositions ?? Math.round(factor * originalMaxPositionEmbeddings),
  };
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join("\n")}\n`);
}

/** A path is a folder to read; anything else is a name the engine knows. */
function configOf(model: string | undefined): Record<string, Json> | null {
  return model !== undefined && /^[./~]|\\/.test(model) ? readRawConfig(model) : null;
}

function createExport(): Command {
  return addScalingOptions(
    new Command("export").description(
      "Prints the scaling for inference engines: JSON, and the command that starts them.",
    ),
  )
    .addOption(new Option("--engine <name>", "which engine").choices([...ENGINES, "all"]).default("all"))
    .option("--model <model>", "checkpoint folder (its config.json is read) or the name the engine knows")
    .option("--rope-theta <base>", "base of the frequencies, where no folder says it", number(1, 1e12))
    .option("--json", "print JSON")
    .action((options: ExportOptions) => {
      const config = configOf(options.model);
      const { scaling, maxPositions } = scalingOf(options, config);
      const theta = options.ropeTheta ?? (config === null ? undefined : ropeThetaOf(config));
      const engines = options.engine === "all" ? ENGINES : [options.engine];
      const exports = engines.map((engine) =>
        yarnExport({
          engine,
          scaling,
          maxPositionEmbeddings: maxPositions,
          ropeTheta: theta,
          model: options.model ?? "MODEL",
        }),
      );
      if (options.json) {
        const shown = options.engine === "all" ? exports : exports[0];
        print([ropeJsonText(shown as unknown as Json, 2)]);
        return;
      }
      const notes = [...new Set(exports.flatMap((one) => one.notes))];
      print([
        ...exports.flatMap(({ engine, config: keys, commands }) => [
          `# ${engine}: keys of config.json`,
          ropeJsonText(keys),
          ...commands.flatMap(({ title, command }) => [`# ${title}`, command]),
          "",
        ]),
        ...notes.map((note) => `note: ${note}`),
      ]);
    });
}

function createApply(): Command {
  return addScalingOptions(
    new Command("apply").description(
      "Writes a checkpoint folder with the scaling in its config.json; weights are linked, not copied.",
    ),
  )
    .argument("<folder>", "Hugging Face checkpoint folder")
    .requiredOption("--out <folder>", "folder to write")
    .action(async (folder: string, options: ScalingOptions & { out: string }) => {
      const { scaling, maxPositions } = scalingOf(options, readRawConfig(folder));
      await writeScaledFolder({ folder, output: options.out, scaling, maxPositionEmbeddings: maxPositions });
      print([
        `${options.out}  YaRN ${scaling.factor} over ${scaling.originalMaxPositionEmbeddings} tokens, attention scale ${scaling.attentionScale}, ${maxPositions} positions`,
      ]);
    });
}

/** What each engine makes of the scaling in a config.json. */
function checkLines(config: Record<string, Json>, where: string): string[] {
  const raw = config["rope_scaling"] ?? config["rope_parameters"] ?? null;
  const positions = config["max_position_embeddings"];
  const scaling = parseRopeScaling(raw, typeof positions === "number" ? positions : 32_768, where);
  if (scaling === null || typeof raw !== "object" || raw === null || Array.isArray(raw))
    return ["no scaling: positions are used as they are"];
  const theta = ropeThetaOf(config) ?? 10_000;
  const heads = config["num_attention_heads"];
  const hidden = config["hidden_size"];
  const headDim =
    config["head_dim"] ?? (typeof hidden === "number" && typeof heads === "number" ? hidden / heads : 128);
  const readers = [...ENGINES, "vllm after 0.25"] as const;
  const rows: string[][] = readers.map((one) => [one, appliedAttentionScale(raw, one).toFixed(6)]);
  rows.push(["polaris", scaling.attentionScale.toFixed(6)]);
  const scales = new Set(rows.map(([, scale]) => scale));
  const lines = [
    `YaRN ${scaling.factor} over ${scaling.originalMaxPositionEmbeddings} tokens, ${String(positions)} positions`,
    ...formatTable(rows, ["engine", "attention scale"]),
  ];
  if (typeof headDim === "number" && headDim > 0) {
    const { low, high } = yarnRange(headDim, theta, scaling);
    lines.push(
      `frequencies 0 to ${low} of ${headDim / 2} are kept, those from ${high} on divided by ${scaling.factor}`,
    );
  }
  if (!("original_max_position_embeddings" in raw))
    lines.push(
      `note: original_max_position_embeddings is missing; transformers takes max_position_embeddings, ${String(positions)}, which moves the ramp`,
    );
  if (scales.size > 1)
    lines.push(
      `note: engines disagree: the default is ${defaultAttentionScale(scaling.factor).toFixed(6)}, transformers and vLLM after 0.25 read attention_factor, vLLM before and SGLang multiply the default by attn_factor; polaris yarn apply writes both`,
    );
  return lines;
}

function createCheck(): Command {
  return new Command("check")
    .description(
      "Says what attention scale each engine applies to a checkpoint folder, and what is missing in it.",
    )
    .argument("<folder>", "Hugging Face checkpoint folder")
    .action((folder: string) =>
      print(checkLines(readRawConfig(folder), `${folder}/config.json`).map(printable)),
    );
}

export function createYarnCommand(): Command {
  const command = new Command("yarn").description(
    "Longer contexts at inference by YaRN, in the notation of each engine.",
  );
  for (const create of [createExport, createApply, createCheck]) command.addCommand(create());
  return command;
}
