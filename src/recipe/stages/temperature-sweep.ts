/**
 * The temperature search: accuracy and distinct-4 of a policy over temperatures, zones, and the temperature to train at.
 * The first sweep takes the end of the robust zone; after a stage, a matched one climbs from that stage's temperature to
 * where responses are as diverse as they were, never into the collapse zone. Source: recipe A3, A4.
 */
import {
  type TemperatureSweepConfig,
  temperatureSweepSchema,
} from "../../config/stages/temperature-sweep.ts";
import { writeFileAtomic } from "../../data/atomic.ts";
import { ConfigError, DataError } from "../../errors.ts";
import { GRADER_VERSION } from "../../math/index.ts";
import { searchInterval, temperatureGrid } from "../../rl/index.ts";
import type { Json, Problem } from "../../types.ts";
import { servedName } from "../references.ts";
import type { StageContext, StageKind, StageOutput } from "../stage.ts";
import { decideTemperature } from "../temperature/decide.ts";
import { formatSweep } from "../temperature/format-sweep.ts";
import { curveOf } from "../temperature/read-sweep.ts";
import { expectedResolution } from "../temperature/resolution.ts";
import type {
  SearchRecord,
  SweepConditions,
  SweepFile,
  SweepPoint,
  TemperatureDecision,
} from "../temperature/sweep-file.ts";
import { discardChunks } from "./chunked-sampling.ts";
import { hashProblems } from "./evaluate/arms.ts";
import { readProblemsInput } from "./inputs.ts";
import { outputPlace } from "./output-files.ts";
import { promptVariant } from "./prompt-text.ts";
import { sweptEntropy, trainingEntropy } from "./temperature/entropy.ts";
import { probeTemperature, rolloutsPlace } from "./temperature/probe.ts";
import { matchExpectations, type ResolvedTarget, resolveTarget } from "./temperature/target.ts";

/** Highest temperature anything is drawn at, as in every sampling section. */
const MAX_TEMPERATURE = 10;

/** One sweep while it runs. */
interface Sweep {
  config: TemperatureSweepConfig;
  context: StageContext;
  problems: readonly Problem[];
  conditions: SweepConditions;
  resolved: ResolvedTarget | null;
  /** Draws at a temperature and adds the point. */
  probe(temperature: number): Promise<SweepPoint>;
  points: SweepPoint[];
}

/** @throws {DataError} when nothing was solved at any temperature */
function decide({ config, context, conditions, resolved, points }: Sweep): TemperatureDecision {
  if (points.every(({ correct }) => correct.every((solved) => solved === 0))) {
    const share = (key: "truncated" | "unboxed" | "graderErrors"): string =>
      `${(100 * Math.max(...points.map((point) => point[key]))).toFixed(1)}%`;
    throw new DataError(
      `stage ${context.id}: no response is correct at ${points.map(({ temperature }) => temperature).join(", ")}, so there is nothing to choose by; up to ${share("truncated")} were cut at the limit, ${share("unboxed")} have no boxed answer, the grader failed on ${share("graderErrors")}`,
      {
        hint: "look at a few responses: a limit that is too short (sampling.max_new_tokens), a prompt that asks for no box (prompt), or problems that are too hard",
      },
    );
  }
  return decideTemperature(curveOf({ points, conditions }), {
    ...config.zones,
    target: resolved?.target ?? null,
  });
}

/** Temperatures the recipe names, ascending; null when the search finds its own. */
function givenTemperatures({ temperatures, grid }: TemperatureSweepConfig): number[] | null {
  if (temperatures !== undefined) return [...temperatures].sort((a, b) => a - b);
  return grid === undefined ? null : temperatureGrid(grid);
}

/** Climbs from the last stage's temperature until diversity is back, accuracy collapses, or the limit is reached. */
async function search(sweep: Sweep, { target, from }: ResolvedTarget): Promise<SearchRecord> {
  const { config, context, conditions, points } = sweep;
  const match = config.match as NonNullable<TemperatureSweepConfig["match"]>;
  const start = target.minTemperature;
  // Read before anything is drawn: a stage without entropies is a mistake in the recipe.
  const trained = match.entropyOf === undefined ? null : trainingEntropy(context, match.entropyOf);
  const first = await sweep.probe(start);
  const { before, after } = trained ?? sweptEntropy(from, conditions.problemsSha256, first);
  const { entropyDrop: threshold, fineStep: fine, coarseStep: coarse } = match;
  // Without entropies the fine step costs more draws and misses nothing.
  const known = before !== null && after !== null && before > 0;
  const step = known ? searchInterval(before, Math.max(0, after), { threshold, fine, coarse }) : fine;
  context.progress.note(
    known
      ? `entropy ${before.toFixed(3)} -> ${after.toFixed(3)}: temperatures ${step} apart`
      : `entropy is not known: temperatures ${step} apart`,
  );
  const ends = (): SearchRecord["ended"] | null => {
    const last = points.at(-1) as SweepPoint;
    if (decide(sweep).zones.points.at(-1)?.zone === "collapse") return "collapse";
    if (last.diversity.value >= target.diversity) return "reached";
    return points.length >= match.maxTemperatures || last.temperature + step > MAX_TEMPERATURE
      ? "limit"
      : null;
  };
  let ended = ends();
  while (ended === null) {
    // Counted from the start: adding step to step would gather rounding errors.
    await sweep.probe(Math.round((start + points.length * step) * 100) / 100);
    ended = ends();
  }
  return { step, entropyBefore: before, entropyAfter: after, ended };
}

/** Says at the first temperature, before the others are paid for, when the tolerance is finer than the data can be. */
function noteResolution(
  { samplesPerProblem, zones }: TemperatureSweepConfig,
  context: StageContext,
  problems: number,
  { accuracy }: SweepPoint,
): void {
  const seen = expectedResolution({ problems, samplesPerProblem, accuracy: accuracy.value });
  if (seen <= zones.robustTolerance) return;
  context.progress.note(
    `${problems} problems x ${samplesPerProblem} responses show differences of accuracy from about ${(100 * seen).toFixed(1)} points on; zones.robust_tolerance asks for ${(100 * zones.robustTolerance).toFixed(1)}`,
  );
}

async function openSweep(config: TemperatureSweepConfig, context: StageContext): Promise<Sweep> {
  const problems = await readProblemsInput(context, config.problems, config.limit);
  const { topK, topP, minP, maxNewTokens } = config.sampling;
  const conditions: SweepConditions = {
    samplesPerProblem: config.samplesPerProblem,
    sampling: { topK, topP, minP, maxNewTokens },
    prompt: promptVariant(config.prompt),
    ngram: config.ngram,
    unit: config.unit,
    problemsSha256: hashProblems(problems),
  };
  const resolved =
    config.match === undefined ? null : await resolveTarget(context, config.match, problems, conditions);
  const given = givenTemperatures(config);
  const least = resolved?.target.minTemperature ?? 0;
  if (given !== null && (given.at(-1) as number) < least)
    throw new ConfigError(
      `stage ${context.id}: expected a temperature from ${least}, at which the last stage trained, got at most ${given.at(-1)}`,
    );
  const total = problems.length * (given?.length ?? config.match?.maxTemperatures ?? 1);
  const whole = topK === 0 && topP === 1 && minP === 0;
  const tempered =
    servedName(config.model) === null || (await context.sampler(config.model)).capabilities.temperedLogprobs;
  const points: SweepPoint[] = [];
  return {
    config,
    context,
    problems,
    conditions,
    resolved,
    points,
    async probe(temperature) {
      const before = points.length * problems.length;
      const point = await probeTemperature({
        context,
        config,
        problems,
        temperature,
        // Tokens drawn from a cut distribution are likelier than those of the whole one.
        exactLogprobs: whole && tempered,
        progress: { before, total },
      });
      points.push(point);
      if (points.length === 1) noteResolution(config, context, problems.length, point);
      context.progress.note(
        `temperature ${temperature}: ${(100 * point.accuracy.value).toFixed(1)}% correct, distinct-${config.ngram} ${(100 * point.diversity.value).toFixed(1)}`,
      );
      return point;
    },
  };
}

/** What the closing table and later stages read. */
function headline(decision: TemperatureDecision, points: readonly SweepPoint[]): Record<string, Json> {
  const chosen = points.find(({ temperature }) => temperature === decision.temperature) as SweepPoint;
  return {
    temperature: decision.temperature,
    diversity: chosen.diversity.value,
    accuracy: chosen.accuracy.value,
    robust_to: decision.zones.robust.to,
    exploration_to: decision.zones.explorationTo,
    tried: points.length,
    ...(decision.target === null
      ? {}
      : { target_diversity: decision.target.diversity, reached: decision.reached }),
  };
}

async function run(config: TemperatureSweepConfig, context: StageContext): Promise<StageOutput> {
  const sweep = await openSweep(config, context);
  const { problems, conditions, points } = sweep;
  const given = givenTemperatures(config);
  let record: SearchRecord | null = null;
  if (given === null) record = await search(sweep, sweep.resolved as ResolvedTarget);
  else for (const temperature of given) await sweep.probe(temperature);
  const decision = decide(sweep);
  if (record?.ended === "limit" && !decision.reached)
    decision.warnings.push(
      `the search stopped after ${points.length} temperatures: a higher match.max_temperatures or step goes on`,
    );
  if (points.every(({ diversity }) => diversity.value === 0))
    decision.warnings.push(
      `no response has ${config.ngram} ${config.unit}: diversity says nothing${config.unit === "words" ? "; unit: tokens counts tokens instead of words" : ""}`,
    );
  for (const warning of decision.warnings) context.progress.note(warning);
  const file: SweepFile = {
    layout: 1,
    stage: context.id,
    model: config.model,
    seed: context.seed,
    graderVersion: GRADER_VERSION,
    problems: { reference: config.problems, count: problems.length, ids: problems.map(({ id }) => id) },
    conditions,
    points,
    decision,
    search: record,
  };
  const place = outputPlace(context, "sweep.json");
  writeFileAtomic(place.absolute, formatSweep(file));
  const output: StageOutput = {
    files: { sweep: place.relative },
    numbers: headline(decision, points),
  };
  if (config.keepRollouts === "all") {
    output.rollouts = rolloutsPlace(context, config, decision.temperature).relative;
    for (const { temperature } of points)
      output.files = {
        ...output.files,
        [`rollouts_${temperature}`]: rolloutsPlace(context, config, temperature).relative,
      };
  }
  discardChunks(context);
  return output;
}

export const temperatureSweepStage: StageKind<TemperatureSweepConfig> = {
  kind: "temperature_sweep",
  version: 2,
  schema: temperatureSweepSchema,
  choosesTemperature: true,
  inputs: ({ model, problems, match }) => [
    model,
    problems,
    ...[match?.to, match?.from, match?.entropyOf].filter((reference) => reference !== undefined),
  ],
  expects: ({ match }) => matchExpectations(match),
  run,
};
