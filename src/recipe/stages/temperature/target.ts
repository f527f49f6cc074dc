/**
 * What a matched sweep aims at: the diversity of an earlier sweep's policy at its temperature, or of stored responses.
 * distinct-n depends on problems, samples, length limit and prompt, so anything drawn otherwise is refused. Source: recipe A3, A4.3.
 */
import { resolve } from "node:path";
import type { TemperatureSweepConfig } from "../../../config/stages/temperature-sweep.ts";
import { ConfigError } from "../../../errors.ts";
import type { Problem, Rollout } from "../../../types.ts";
import type { ExpectedKind, StageContext } from "../../stage.ts";
import { differingConditions } from "../../temperature/describe.ts";
import { diversityOf } from "../../temperature/diversity.ts";
import { readSweep } from "../../temperature/read-sweep.ts";
import type { SweepConditions, SweepFile, SweepTarget } from "../../temperature/sweep-file.ts";
import { isFileReference, streamRolloutInputs } from "../inputs.ts";
import { resolveOutput } from "../output-files.ts";

type MatchConfig = NonNullable<TemperatureSweepConfig["match"]>;

/** The target, and the sweep that chose the temperature the search starts at; null when no sweep is named. */
export interface ResolvedTarget {
  target: SweepTarget;
  from: SweepFile | null;
}

/** What must stand under the keys of `match` that only some kinds of stages can answer. */
export function matchExpectations(match: MatchConfig | undefined): ExpectedKind[] {
  const expected: ExpectedKind[] = [];
  if (match?.from !== undefined)
    expected.push({
      reference: match.from,
      key: "match.from",
      kinds: ["temperature_sweep"],
      hint: "name the sweep that chose the temperature of the stage that ended, or its sweep.json",
    });
  if (match?.entropyOf !== undefined)
    expected.push({
      reference: match.entropyOf,
      key: "match.entropy_of",
      kinds: ["rl", "campaign"],
      hint: "name the stage that trained, or leave entropy_of out: entropies of the sweeps are compared then",
    });
  return expected;
}

/** Zone that the sweep which chose a temperature has it in; null when there is none. */
export function startZone(from: SweepFile | null, temperature: number): SweepTarget["startZone"] {
  return from?.decision.zones.points.find((point) => point.temperature === temperature)?.zone ?? null;
}

/** The sweep a reference stands for; null when it stands for responses. */
function sweepOf(context: StageContext, reference: string): SweepFile | null {
  if (isFileReference(reference)) return reference.endsWith(".json") ? readSweep(resolve(reference)) : null;
  const path = context.output(reference).files?.["sweep"];
  return path === undefined ? null : readSweep(resolveOutput(context, path));
}

/** @throws {ConfigError} naming everything that was drawn otherwise */
function requireEqual(
  context: StageContext,
  reference: string,
  there: SweepConditions,
  here: SweepConditions,
): void {
  const differing = differingConditions(here, there);
  if (differing.length === 0) return;
  throw new ConfigError(
    `stage ${context.id}: diversity can only be matched where responses are drawn alike; ${reference} has ${differing.join("; ")}`,
    { hint: "give both sweeps the same problems, limit, samples_per_problem, sampling and prompt" },
  );
}

/** @throws {ConfigError} for a diversity of 0, which every temperature reaches */
function requireSome(context: StageContext, reference: string, diversity: number): void {
  if (diversity > 0) return;
  throw new ConfigError(`stage ${context.id}: match.to: the responses of ${reference} have diversity 0`, {
    hint: "set unit: tokens in both sweeps when responses have too few words between spaces",
  });
}

/** Mean distinct-n of stored responses to the sweep's problems, and the temperature they were drawn at. */
async function storedDiversity(
  context: StageContext,
  reference: string,
  problems: readonly Problem[],
  here: SweepConditions,
): Promise<{ diversity: number; temperature: number }> {
  const groups = new Map<string, Pick<Rollout, "text" | "tokens">[]>(problems.map(({ id }) => [id, []]));
  let temperature: number | null = null;
  for await (const { problemId, sampling, text, tokens } of streamRolloutInputs(context, [reference])) {
    const own = groups.get(problemId);
    if (own === undefined || own.length > here.samplesPerProblem) continue;
    own.push({ text, tokens });
    const { temperature: drawnAt, ...rest } = sampling;
    temperature ??= drawnAt;
    if (drawnAt !== temperature)
      throw new ConfigError(
        `stage ${context.id}: ${reference} mixes temperatures ${temperature} and ${drawnAt}`,
        {
          hint: "name responses that were all drawn at one temperature",
        },
      );
    // The prompt of stored responses is not on record; equal problems and settings are as far as can be checked.
    requireEqual(context, reference, { ...here, sampling: rest }, here);
  }
  if (temperature === 0)
    throw new ConfigError(
      `stage ${context.id}: match.to: expected sampled responses, got greedy ones in ${reference}`,
      { hint: "responses at temperature 0 are all alike and no target; name sampled ones" },
    );
  for (const [id, own] of groups)
    if (own.length !== here.samplesPerProblem)
      throw new ConfigError(
        `stage ${context.id}: ${reference}: problem ${id}: expected ${here.samplesPerProblem} responses, as many as this sweep draws, got ${own.length > here.samplesPerProblem ? "more" : own.length}`,
        { hint: "name responses to the same problems, as many of each, or an earlier sweep" },
      );
  const sum = [...groups.values()].reduce((total, group) => total + diversityOf(group, here), 0);
  return { diversity: sum / groups.size, temperature: temperature as number };
}

/**
 * Reads what `match` names.
 * @throws {ConfigError} when it was drawn in another way, or a named stage holds neither a sweep nor responses
 */
export async function resolveTarget(
  context: StageContext,
  match: MatchConfig,
  problems: readonly Problem[],
  here: SweepConditions,
): Promise<ResolvedTarget> {
  const { to, rule } = match;
  let from = match.from === undefined ? null : sweepOf(context, match.from);
  if (match.from !== undefined && from === null)
    throw new ConfigError(
      `stage ${context.id}: match.from: expected a temperature_sweep stage or its sweep.json, got ${match.from}`,
    );
  if (to === undefined) {
    const minTemperature = from?.decision.temperature ?? 0;
    return {
      from,
      target: {
        diversity: match.diversity as number,
        rule,
        of: null,
        minTemperature,
        startZone: startZone(from, minTemperature),
      },
    };
  }
  const sweep = sweepOf(context, to);
  if (sweep === null) {
    const { diversity, temperature } = await storedDiversity(context, to, problems, here);
    requireSome(context, to, diversity);
    const minTemperature = from?.decision.temperature ?? temperature;
    return {
      from,
      target: { diversity, rule, of: to, minTemperature, startZone: startZone(from, minTemperature) },
    };
  }
  requireEqual(context, to, sweep.conditions, here);
  requireSome(context, to, sweep.decision.diversity as number);
  from ??= sweep;
  return {
    from,
    target: {
      diversity: sweep.decision.diversity as number,
      rule,
      of: to,
      minTemperature: from.decision.temperature,
      startZone: startZone(from, from.decision.temperature),
    },
  };
}
