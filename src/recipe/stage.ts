/**
 * The stage seam: what a stage is given, what it promises, what it returns. A recipe is a list of stages that name
 * each other's outputs; the runner owns order, keys, atomic outputs and resume, a stage owns its own work.
 */
import type { ZodType } from "zod";
import type { Policy, Sampler } from "../engine/seams.ts";
import type { Json } from "../types.ts";

/** Paths are relative to the run folder (or absolute for files outside it) and exist when the stage has finished. */
export interface StageOutput {
  /** A Hugging Face checkpoint folder. */
  checkpoint?: string;
  /** Other checkpoint folders it kept, by the name after `@`: `best`, `last`, `step-40`. */
  models?: Record<string, string>;
  /** JSONL of problems. */
  problems?: string;
  /** Rollouts: JSONL (gzip), a folder of such files, or a store. */
  rollouts?: string;
  /** JSONL snapshot of consensus sets. */
  consensus?: string;
  /** JSON result of an evaluation. */
  evaluation?: string;
  /** Anything else a later stage or the report reads, by name. */
  files?: Record<string, string>;
  /** Headline numbers, shown in the closing table and kept in the ledger. */
  numbers?: Record<string, Json>;
}

/** The chat template is applied by the server, or here with the one in a folder; null = none, the text goes out bare. */
export type TemplateSource =
  | { by: "server" }
  | {
      by: "folder";
      folder: string | null;
      /** Under the template's own names, for example `enable_thinking`. */
      variables?: Readonly<Record<string, Json>>;
    };

/** What a stage reports while it works; shown on the terminal, never part of a result. */
export interface StageProgress {
  /** Steps done and to do; `values` are shown as given (reward, accuracy, entropy, length). */
  update(done: number, total: number, values?: Record<string, number>): void;
  /** A line that stays. */
  note(text: string): void;
  /** Tokens sampled or trained since the last call, for the throughput display. */
  tokens(count: number): void;
}

/** One step's metrics, appended to metrics.jsonl. Deterministic values only; times go to `timings.jsonl`. */
export interface MetricsWriter {
  write(step: number, values: Record<string, number>): void;
  timing(step: number, values: Record<string, number>): void;
  /** Forgets what this stage wrote after `step`: called once when a stage resumes from its own checkpoint. */
  rewind(step: number): void;
}

export interface StageContext {
  /** Id of the stage in the recipe; unique. */
  id: string;
  /** Seed of this stage: recipe seed unless the stage sets its own. */
  seed: number;
  /** Absolute path of the run folder. */
  runFolder: string;
  /**
   * Where this stage writes its outputs, absolute; empty when the stage starts. It is `<run>/stages/<id>.partial` and
   * becomes `<run>/stages/<id>` when the stage has finished; paths in the returned output are renamed along, paths
   * written into files are not.
   */
  folder: string;
  /** Where a long stage keeps resumable state, absolute: `<run>/checkpoints/<id>/`. Survives a kill. */
  checkpointFolder: string;
  /** What this stage's content key is made of, for a stage that keys parts of its own. */
  keyParts: {
    /** The configuration as written: `temperatureFrom` still stands where the stage is given the number. */
    config: Json;
    /** Content key of every reference `inputs` names. */
    inputs: Readonly<Record<string, string>>;
    /** Engine settings that change bits. */
    engine: Json;
  };
  /** Output of a stage that `inputs` names. @throws {ConfigError} when it names none such: the content key covers no other */
  output(stageId: string): StageOutput;
  /** Absolute path of a model reference: a stage id, `builtin:<name>`, or a checkpoint folder. */
  model(reference: string): string;
  /**
   * The engine's policy with these weights loaded. One policy is open at a time; it is reused between stages.
   * @throws {EngineError} when the engine only samples
   */
  policy(model: string): Promise<Policy>;
  /**
   * A second policy with these weights, beside the one in training, for log-probabilities alone: it takes as much memory
   * again. Never train it.
   */
  reference(model: string): Promise<Pick<Policy, "logprobs">>;
  /** What draws from a model: the policy with these weights, or the server that holds `served:<name>`. */
  sampler(model: string): Promise<Sampler>;
  /** Who turns a conversation into the text a model reads. */
  template(model: string): TemplateSource;
  metrics: MetricsWriter;
  progress: StageProgress;
  /** Fires at the first Ctrl-C: finish the step in hand, write the resumable state, throw InterruptedError. */
  signal: AbortSignal;
}

/** What a stage is given to settle names that move. */
export interface PinContext {
  /** Configurations of stages as earlier starts of this run, and this one so far, recorded them. */
  recorded: readonly Json[];
  signal: AbortSignal;
}

/** A reference that makes sense for stages of some kinds alone; files are judged when they are read. */
export interface ExpectedKind {
  reference: string;
  /** Key in the recipe, for the message. */
  key: string;
  kinds: readonly string[];
  /** What may stand there. */
  hint: string;
}

/** One kind of stage, registered in `recipe/stages/index.ts`. */
export interface StageKind<Config = unknown> {
  kind: string;
  /** Part of the content key; raise it when equal inputs would give other outputs. */
  version: number;
  schema: ZodType<Config>;
  /** Stage ids, builtin names and paths this configuration reads. */
  inputs(config: Config): string[];
  /**
   * Puts what a moving name (the branch of a data set) stands for into the configuration, so that the content key and the
   * recorded recipe cover it. Called once at the start of a run; a resumed run keeps what it had recorded.
   */
  pin?(config: Config, context: PinContext): Promise<Config>;
  /** Which of its inputs must be stages of certain kinds: a mistake there is told before hours of sampling. */
  expects?(config: Config): ExpectedKind[];
  /** True when it needs gradients: an engine that only samples refuses it before anything runs. */
  trains?: boolean;
  /** Why no model will be kept under `<id>@<name>`, in a sentence; null when one may be. Absent: it keeps none. */
  refusesModel?(config: Config, name: string): string | null;
  /** True when its `files.sweep` holds a temperature other stages may take by `temperature_from`. */
  choosesTemperature?: boolean;
  /**
   * True when it keeps finished parts below its checkpoints, each under a content key of its own. Another configuration
   * then leaves checkpoints and metrics in place, and the stage itself throws out what no longer fits.
   */
  keepsParts?: boolean;
  /**
   * Keys of the configuration that only decide what becomes of drawn responses. When no others change, the stage finds its
   * earlier responses by `previousRollouts` and unfinished ones in its checkpoints.
   */
  keysAfterDrawing?: readonly string[];
  /** True when it reads the whole run folder: every stage before it in the file is then an input too. */
  readsRun?: boolean;
  run(config: Config, context: StageContext): Promise<StageOutput>;
}
