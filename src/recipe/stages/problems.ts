/**
 * Problem sets: practice benchmarks, files, data sets of the Hub and earlier stages put together, without repeated
 * questions, without what is too long, what the grader cannot verify, what stands in a benchmark, and what has become
 * easy. Says what was left out and why. Source: recipe A1.5, A1.6, A2, B5.
 */
import { readFileSync } from "node:fs";
import { type ProblemsConfig, problemsStageSchema } from "../../config/stages/problems.ts";
import { type ContaminationIndex, createContaminationIndex } from "../../data/contamination.ts";
import { createIdAssigner, writeProblems } from "../../data/problems.ts";
import { openRowFile } from "../../data/row-file.ts";
import { ConfigError, DataError } from "../../errors.ts";
import { randomStream } from "../../random.ts";
import { dropEasy, parseAccuracyLog } from "../../rl/index.ts";
import { createPromptMeasure } from "../../text/prompt-length.ts";
import type { Json, Problem } from "../../types.ts";
import {
  createProblemSelector,
  findContradictions,
  type ProblemRules,
} from "../builders/problem-selection.ts";
import type { SourcesFile } from "../result-files.ts";
import type { StageContext, StageKind, StageOutput } from "../stage.ts";
import { readProblemsInput } from "./inputs.ts";
import { outputPlace, resolveOutput, writeJsonOutput } from "./output-files.ts";
import { pinProblemSources, readProblemSources } from "./problem-sources.ts";
import { promptVariant } from "./prompt-text.ts";
import { stopIfAsked } from "./resumable.ts";

/** Problems judged between two looks at the signal: tokenising and grading take up to a millisecond each. */
const PAUSE_PROBLEMS = 500;

/** Problems the accuracy log of a stage shows to be easy. */
function easyProblems(
  problems: readonly Problem[],
  rule: NonNullable<ProblemsConfig["dropEasy"]>,
  context: StageContext,
): Set<string> {
  const path = context.output(rule.stage).files?.["accuracy"];
  if (path === undefined)
    throw new ConfigError(`stage ${context.id}: stage ${rule.stage} keeps no accuracy log`, {
      hint: "drop_easy.stage names an rl stage",
    });
  const log = parseAccuracyLog(readFileSync(resolveOutput(context, path), "utf8"));
  const { kept } = dropEasy(problems, (problem) => problem.id, log, {
    threshold: rule.threshold,
    estimate: rule.variant,
    minVisits: rule.minVisits,
  });
  const hard = new Set(kept.map(({ id }) => id));
  return new Set(problems.map(({ id }) => id).filter((id) => !hard.has(id)));
}

/** The benchmarks' questions, ready to be looked for. */
async function benchmarkIndex(
  { against, ...options }: NonNullable<ProblemsConfig["decontaminate"]>,
  context: StageContext,
): Promise<ContaminationIndex> {
  const benchmarks: Problem[] = [];
  for (const reference of against) benchmarks.push(...(await readProblemsInput(context, reference)));
  return createContaminationIndex(benchmarks, options);
}

async function rulesOf(
  config: ProblemsConfig,
  context: StageContext,
  all: readonly Problem[],
): Promise<ProblemRules> {
  const { overlong, decontaminate, dropEasy: easyRule } = config;
  const easy = easyRule === undefined ? null : easyProblems(all, easyRule, context);
  return {
    dedupe: true,
    ...(config.contradictions === "drop" ? { contradicted: await findContradictions(all) } : {}),
    maxCharacters: config.maxPromptCharacters,
    ...(overlong === undefined
      ? {}
      : {
          tokens: {
            measure: createPromptMeasure(context.model(overlong.model), promptVariant(overlong.prompt)),
            limit: overlong.maxTokens,
          },
        }),
    requireVerifiable: config.requireVerifiable,
    ...(config.unsuitable.length === 0
      ? {}
      : { unsuitable: { reasons: config.unsuitable, maxSymbols: config.maxSymbols } }),
    ...(decontaminate === undefined ? {} : { contamination: await benchmarkIndex(decontaminate, context) }),
    ...(easy === null ? {} : { tooEasy: ({ id }: Problem) => easy.has(id) }),
  };
}

async function run(config: ProblemsConfig, context: StageContext): Promise<StageOutput> {
  const sources: SourcesFile["sources"] = [];
  const invalid: DataError[] = [];
  const onInvalid =
    config.invalidRows === "drop" ? (error: DataError) => void invalid.push(error) : undefined;
  // Ids are made unique over all rows: the second row of a repeated question may not keep the id of the first.
  const assign = createIdAssigner(`stage ${context.id}`, "name_source");
  const all: Problem[] = [];
  for await (const problem of readProblemSources(
    config.sources,
    context,
    sources,
    onInvalid === undefined ? {} : { onInvalid },
  ))
    all.push(assign(problem));

  const rules = await rulesOf(config, context, all);
  const droppedPlace = outputPlace(context, "dropped.jsonl.gz");
  const dropped = openRowFile(droppedPlace.absolute, {});
  const selector = createProblemSelector(rules, (row) => dropped.write({ ...row }));
  let kept: Problem[] = [];
  try {
    for (const error of invalid) selector.dropRow(error);
    for (const [i, problem] of all.entries()) {
      if (selector.judge(problem)) kept.push(problem);
      if (i % PAUSE_PROBLEMS !== 0) continue;
      context.progress.update(i, all.length);
      await new Promise(setImmediate);
      stopIfAsked(context, i, all.length);
    }
    if (config.shuffle) kept = randomStream(context.seed, "problems", "shuffle").shuffle(kept);
    for (const problem of kept.splice(config.limit ?? kept.length))
      selector.drop(problem, "beyond_limit", `limit ${config.limit}`);
    for (const _ of kept) selector.keep();
    dropped.close();
  } finally {
    dropped.discard();
  }
  const drops = selector.counter.file(context.id);
  const applied = drops.reasons.filter(({ count }) => count > 0);
  if (kept.length === 0)
    throw new DataError(
      `stage ${context.id}: no problem is left of ${drops.total}: ${applied.map(({ reason, count }) => `${reason} ${count}`).join(", ")}`,
      { hint: "loosen the rules of the reasons named" },
    );
  const place = outputPlace(context, "problems.jsonl");
  writeProblems(place.absolute, kept);
  const commits = sources.flatMap(({ name, commit }) => (commit === undefined ? [] : [`${name}@${commit}`]));
  const numbers: Record<string, Json> = { problems: kept.length };
  // What applied comes first: the terminal shows a few numbers of a stage.
  for (const { reason, count } of applied) numbers[reason] = count;
  for (const reason of ["too_long", "not_verifiable", "too_easy"]) numbers[reason] ??= 0;
  if (commits.length > 0) numbers["hub"] = commits.join(" ");
  return {
    problems: place.relative,
    files: {
      drops: writeJsonOutput(outputPlace(context, "drops.json"), drops),
      dropped: droppedPlace.relative,
      sources: writeJsonOutput(outputPlace(context, "sources.json"), {
        stage: context.id,
        sources,
      } satisfies SourcesFile),
    },
    numbers,
  };
}

export const problemsStage: StageKind<ProblemsConfig> = {
  kind: "problems",
  version: 3,
  schema: problemsStageSchema,
  inputs: (config) => [
    ...config.sources.flatMap((source) => (source.from === "reference" ? [source.problems] : [])),
    ...(config.dropEasy === undefined ? [] : [config.dropEasy.stage]),
    ...(config.overlong === undefined ? [] : [config.overlong.model]),
    ...(config.decontaminate?.against ?? []),
  ],
  pin: async (config, context) => ({
    ...config,
    sources: await pinProblemSources(config.sources, context),
  }),
  run,
};
