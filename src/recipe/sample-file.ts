/**
 * Rollouts of a file of problems from a server, outside any run: what `polaris sample` does. Every response is kept in a
 * journal beside the output until all are there; then the output is written, complete, and the journal goes.
 */
import { existsSync, rmSync } from "node:fs";
import { extname } from "node:path";
import { type OpenaiEngineConfig, templateVariables } from "../config/engine.ts";
import type { GraderConfig, PromptConfig, SamplingConfig } from "../config/stages/common.ts";
import { writeRollouts } from "../data/rollouts.ts";
import { openServedModel, type ServedSampler } from "../engine/openai/open.ts";
import { ConfigError, EngineError } from "../errors.ts";
import { acquireFileLock } from "../store/file-lock.ts";
import { openRolloutSink } from "../store/rollouts/sink.ts";
import type { Problem, Rollout } from "../types.ts";
import { drawJournaled, type FailedResponse } from "./journaled-sampling.ts";
import { servedTemplate } from "./open-policy.ts";
import { requireCapabilities } from "./stages/capabilities.ts";
import { gradeGroups } from "./stages/grading.ts";
import { createPrompts } from "./stages/prompt-text.ts";

export interface SampleFileOptions {
  problems: readonly Problem[];
  engine: OpenaiEngineConfig;
  /** `default`, or a name the server lists. */
  model: string;
  sampling: SamplingConfig;
  samplesPerProblem: number;
  prompt: PromptConfig;
  /** Null leaves the rollouts without verdicts. */
  grader: GraderConfig | null;
  seed: number;
  /** JSONL, gzip by name; a store where the name has no ending. */
  out: string;
  overwrite?: boolean;
  /** Responses that may be left out because they cannot be drawn. Default 0. */
  allowFailed?: number;
  signal?: AbortSignal;
  /** Responses there and wanted, tokens drawn by this call, responses given up by it. */
  onProgress?: (done: number, total: number, tokens: number, failed: number) => void;
}

export interface SampleFileSummary {
  problems: number;
  /** Name of the model at its server, with the revision where one is given. */
  model: string;
  responses: number;
  /** Responses left out: neither right nor wrong, and in no rollout. */
  failed: readonly FailedResponse[];
  /** Null without a grader. */
  correct: number | null;
  /** Responses whose grading failed: neither right nor wrong. */
  graderErrors: number;
  truncated: number;
  /** Tokens of all responses, those of earlier calls included. */
  tokens: number;
}

/** Where responses wait until all are there. */
export function journalOf(out: string): string {
  return `${out}.journal.jsonl`;
}

function tally(summary: SampleFileSummary, group: readonly Rollout[]): void {
  for (const { verdict, finishReason, tokens, lengthTokens } of group) {
    summary.responses++;
    summary.tokens += lengthTokens ?? tokens.length;
    if (finishReason === "length") summary.truncated++;
    if (verdict?.correct === true) summary.correct = (summary.correct ?? 0) + 1;
    if (verdict?.correct === null) summary.graderErrors++;
  }
}

/** Says how the responses that could not be drawn can be left out. */
function withWayOut(error: unknown): unknown {
  const failed = error instanceof EngineError ? error.details?.["failed"] : undefined;
  if (!(error instanceof EngineError) || typeof failed !== "number") return error;
  const { message, details, retryable, cause } = error;
  return new EngineError(message, {
    hint: `repeat the command: only these are asked for again; or leave them out with --allow-failed ${failed}`,
    details,
    retryable,
    cause,
  });
}

/** JSON lines, or a store where the name has no ending. */
function writeOutput(out: string, rollouts: Iterable<Rollout>): void {
  if (extname(out) !== "") {
    writeRollouts(out, rollouts);
    return;
  }
  const sink = openRolloutSink(out);
  try {
    for (const rollout of rollouts) sink.write(rollout);
    sink.close();
  } finally {
    sink.discard();
  }
}

/**
 * Draws, grades and writes. Called again after a stop, a failure or a kill, it asks only for what is missing.
 *
 * @throws {ConfigError} when the output is there already
 * @throws {EngineError} when more responses than allowed could not be drawn; {InterruptedError} when the signal fires
 */
export async function sampleFile(options: SampleFileOptions): Promise<SampleFileSummary> {
  const { problems, engine, sampling, samplesPerProblem, prompt, grader, seed, out, signal } = options;
  const release = acquireFileLock(out);
  let sampler: ServedSampler | undefined;
  const open = async (): Promise<ServedSampler> => {
    if (sampler !== undefined) return sampler;
    sampler = await openServedModel(options.model, engine, { signal });
    requireCapabilities(sampler, { stage: "sample", sampling, drawnOnce: true });
    return sampler;
  };
  try {
    if (existsSync(out) && options.overwrite !== true)
      throw new ConfigError(`${out} is there already`, {
        hint: "choose another file with --out, or replace it with --overwrite",
      });
    // Rollouts name the model itself: "default" says nothing once the server holds another.
    const named = options.model === "default" ? engine.model : options.model;
    const name = named ?? (await open()).model;
    const model = engine.revision === "" ? name : `${name}@${engine.revision}`;
    let tokens = 0;
    const total = problems.length * samplesPerProblem;
    const drawn = await drawJournaled({
      path: journalOf(out),
      sampler: open,
      problems,
      ...createPrompts(servedTemplate(engine), prompt),
      sampling,
      samplesPerProblem,
      seed,
      stream: ["sample"],
      stage: "sample",
      step: 0,
      policyVersion: model,
      settings: {
        endpoint: engine.endpoint,
        stop: engine.stop,
        chat_template_kwargs: templateVariables(engine),
      },
      allowFailed: options.allowFailed,
      signal,
      onTokens: (count) => {
        tokens += count;
      },
      onResponses: (done, failed) => options.onProgress?.(done, total, tokens, failed),
    }).catch((error: unknown) => {
      throw withWayOut(error);
    });
    const summary: SampleFileSummary = {
      problems: problems.length,
      model,
      responses: 0,
      failed: drawn.failed,
      correct: grader === null ? null : 0,
      graderErrors: 0,
      truncated: 0,
      tokens: 0,
    };
    function* graded(): Generator<Rollout> {
      for (const { problem, group } of drawn.problems()) {
        if (grader !== null) gradeGroups([problem], [group], grader);
        tally(summary, group);
        yield* group;
      }
    }
    try {
      writeOutput(out, graded());
    } finally {
      drawn.close();
    }
    rmSync(journalOf(out), { force: true });
    return summary;
  } finally {
    await sampler?.close();
    release();
  }
}
