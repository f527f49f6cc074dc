/** Temperature sweeps through the real runner: curves, resume, matched search, and what later stages are given. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readProblems } from "../../data/problems.ts";
import { readRollouts, writeRollouts } from "../../data/rollouts.ts";
import { distinctNOfTokens } from "../../stats/index.ts";
import type { Rollout } from "../../types.ts";
import { differingConditions } from "../temperature/describe.ts";
import { readSweep } from "../temperature/read-sweep.ts";
import { sweepFromResponses } from "../temperature/sweep-from-responses.ts";
import { createWorkbench, type Workbench } from "./testing/recipe-run.ts";
import { openTabularPolicy } from "./testing/tabular-policy.ts";

let bench: Workbench;
const path = (name: string, file: string): string => join(bench.folder, "runs", name, file);
const json = <T>(name: string, file: string): T => JSON.parse(readFileSync(path(name, file), "utf8")) as T;
const sweepOf = (name: string, id = "sweep") => readSweep(path(name, `stages/${id}/sweep.json`));

const LIMITS = "sampling: {max_new_tokens: 12}";
const ALIKE = `problems: "{root}/toy.jsonl", samples_per_problem: 8, unit: tokens, ${LIMITS}`;
const HALF = "{root}/runs/half/stages/sft/model";
const GOOD = "{root}/runs/half/stages/good/model";
const stage = (model: string, extra: string, id = "sweep"): string =>
  `  - {id: ${id}, kind: temperature_sweep, model: "${model}", ${ALIKE}, ${extra}}\n`;
const GRID = "grid: {start: 0.4, end: 1.6, step: 0.4}";

beforeAll(async () => {
  bench = await createWorkbench();
  const sft = (id: string, model: string, data: string, epochs: number): string =>
    `  - {id: ${id}, kind: sft, model: "${model}", data: ["{root}/${data}.jsonl.gz"], problems: "{root}/toy.jsonl", epochs: ${epochs}, batch_size: 10, optimizer: {learning_rate: 0.1}, schedule: {kind: constant}}\n`;
  await bench.run("half", sft("sft", "{root}/model", "mixed", 40) + sft("good", "sft", "right", 80));
}, 60_000);
afterAll(() => rmSync(bench.folder, { recursive: true, force: true }));

describe("temperature_sweep stage", () => {
  test("its curves are those of the responses it kept, and its choice reaches every later stage", async () => {
    await bench.run(
      "curves",
      stage(HALF, `${GRID}, keep_rollouts: all`) +
        `  - {id: drawn, kind: calibrate, model: "${HALF}", problems: "{root}/toy.jsonl", sampling: {temperature_from: sweep, max_new_tokens: 12}, filter: {drop_solved: false}}\n`,
    );
    const file = sweepOf("curves");
    expect(file.points.map(({ temperature }) => temperature)).toEqual([0.4, 0.8, 1.2, 1.6]);
    for (const point of file.points) {
      const rollouts = await readRollouts(
        path("curves", `stages/sweep/rollouts-${point.temperature}.jsonl.gz`),
      );
      expect(new Set(rollouts.map(({ sampling }) => sampling.temperature))).toEqual(
        new Set([point.temperature]),
      );
      const groups = file.problems.ids.map((id) => rollouts.filter(({ problemId }) => problemId === id));
      expect(point.correct).toEqual(
        groups.map((group) => group.filter((one) => one.verdict?.correct).length),
      );
      expect(point.distinct).toEqual(
        groups.map((group) => distinctNOfTokens(group.map(({ tokens }) => tokens))),
      );
      const mean = (values: number[]): number =>
        values.reduce((sum, value) => sum + value, 0) / values.length;
      expect(point.accuracy.value).toBeCloseTo(mean(point.correct) / 8, 12);
      expect(point.diversity.value).toBeCloseTo(mean(point.distinct), 12);
      expect(point.entropy).toBeCloseTo(-mean(rollouts.flatMap(({ logprobs }: Rollout) => logprobs)), 9);
    }
    const entropies = file.points.map(({ entropy }) => entropy as number);
    expect([...entropies].sort((a, b) => a - b)).toEqual(entropies);
    const drawn = await readRollouts(path("curves", "stages/drawn/rollouts.jsonl.gz"));
    expect(drawn[0]?.sampling).toEqual({
      temperature: file.decision.temperature,
      topK: 0,
      topP: 1,
      minP: 0,
      maxNewTokens: 12,
    });
    // Chunks are gone, the resolved recipe keeps the reference, and a second run finds everything done.
    expect(readdirSync(path("curves", "checkpoints/sweep"))).toEqual([]);
    expect(bench.read("curves", "recipe.yaml")).toContain("temperature_from: sweep");
  });

  test("responses that are there give the curves of the stage that drew them", async () => {
    const rollouts = (temperature: number): string =>
      path("curves", `stages/sweep/rollouts-${temperature}.jsonl.gz`);
    const paths = [1.6, 0.4, 1.2, 0.8].map(rollouts);
    const rules = { ngram: 4, unit: "tokens", robustTolerance: 0.008, explorationShare: 0.8 } as const;
    const problems = await readProblems(join(bench.folder, "toy.jsonl"));
    const stored = await sweepFromResponses({ paths, problems, ...rules });
    const drawn = sweepOf("curves");
    expect(stored.points).toEqual(drawn.points.map((point) => ({ ...point, entropy: null })));
    expect(stored.decision).toEqual(drawn.decision);
    expect(stored.problems.ids).toEqual(drawn.problems.ids);
    expect(differingConditions(stored.conditions, drawn.conditions)).toEqual([]);
    // The verdicts on record say the same.
    const recorded = await sweepFromResponses({ paths, ...rules });
    expect(recorded.points.map(({ accuracy }) => accuracy)).toEqual(
      drawn.points.map(({ accuracy }) => accuracy),
    );
    const refused = (files: string[], more = {}) =>
      expect(sweepFromResponses({ paths: files, ...rules, ...more })).rejects;
    await refused([rollouts(0.4), rollouts(0.4)]).toThrow(/temperature 0\.4 occurs in two/);
    await refused([rollouts(0.4)], { problems: problems.slice(1) }).toThrow(
      /toy-\S+ is not among the problems given/,
    );
    const [first, ...others] = (await readRollouts(rollouts(0.8))) as [Rollout, ...Rollout[]];
    const save = (name: string, rows: Rollout[]): string => {
      writeRollouts(join(bench.folder, name), rows);
      return join(bench.folder, name);
    };
    await refused([rollouts(0.4), save("short.jsonl.gz", others)]).toThrow(
      /expected 8 responses as elsewhere, got 7/,
    );
    const { verdict: _, ...bare } = first;
    await refused([save("bare.jsonl.gz", [bare as Rollout])]).toThrow(/without a verdict/);
    const longer = others.map((one) => ({ ...one, sampling: { ...one.sampling, maxNewTokens: 99 } }));
    await refused([rollouts(0.4), save("longer.jsonl.gz", [first, ...longer])]).toThrow(/expected sampling/);
    const fewer = others.filter(({ problemId }) => problemId !== first.problemId);
    await refused([rollouts(0.4), save("fewer.jsonl.gz", fewer)]).toThrow(
      /problems of the first temperature/,
    );
    await refused([save("none.jsonl.gz", [])]).toThrow(/expected responses, got none/);
    const greedy = { ...first, sampling: { ...first.sampling, temperature: 0 } };
    await refused([save("greedy.jsonl.gz", [greedy])]).toThrow(/greedy|temperature 0/);
  });

  test("a file of another run serves as well", async () => {
    const sweep = path("curves", "stages/sweep/sweep.json");
    await bench.run(
      "elsewhere",
      `  - {id: drawn, kind: calibrate, model: "${HALF}", problems: "{root}/toy.jsonl", samples_per_problem: 2, sampling: {temperature_from: "${sweep}", max_new_tokens: 12}, filter: {drop_solved: false}}\n`,
    );
    const drawn = await readRollouts(path("elsewhere", "stages/drawn/rollouts.jsonl.gz"));
    expect(drawn[0]?.sampling.temperature).toBe(sweepOf("curves").decision.temperature);
  });

  test("one benchmark of an evaluation may be drawn at it, the others at their own", async () => {
    const sweep = path("curves", "stages/sweep/sweep.json");
    const evaluation = (sampling: string): string =>
      `  - {id: scores, kind: evaluate, arms: [{arm: half, model: "${HALF}"}], problems: "{root}/toy.jsonl", samples_per_problem: 2, keep_rollouts: all, sampling: {temperature: 0.5, max_new_tokens: 12}, overrides: [{benchmarks: [toy], sampling: ${sampling}}]}\n`;
    await bench.run("override", evaluation(`{temperature_from: "${sweep}"}`));
    const [benchmark] = json<{ arms: { benchmarks: { sampling: { temperature: number } }[] }[] }>(
      "override",
      "evaluations/scores.json",
    ).arms.flatMap(({ benchmarks }) => benchmarks);
    expect(benchmark?.sampling.temperature).toBe(sweepOf("curves").decision.temperature);
    await expect(
      bench.run("override-both", evaluation(`{temperature: 1, temperature_from: "${sweep}"}`)),
    ).rejects.toThrow(/temperature or temperature_from, got both/);
  });

  test("after a kill only the temperatures that are missing are drawn, with the same bytes", async () => {
    await bench.run("whole", stage(HALF, GRID));
    let calls = 0;
    await expect(
      bench.run("cut", stage(HALF, GRID), {
        open: async (checkpoint) => {
          const policy = await openTabularPolicy(checkpoint);
          const sample = policy.sample.bind(policy);
          policy.sample = async (...given) =>
            ++calls === 3 ? Promise.reject(new Error("power cut")) : sample(...given);
          return policy;
        },
      }),
    ).rejects.toThrow(/power cut/);
    expect(existsSync(path("cut", "checkpoints/sweep/t-0.8-0.jsonl.gz"))).toBe(true);
    const asked: number[] = [];
    await bench.run("cut", stage(HALF, GRID), {
      resume: true,
      open: async (checkpoint) => {
        const policy = await openTabularPolicy(checkpoint);
        const sample = policy.sample.bind(policy);
        policy.sample = async (requests, options) => {
          asked.push(requests[0]?.sampling.temperature as number);
          return sample(requests, options);
        };
        return policy;
      },
    });
    expect(asked).toEqual([1.2, 1.6]);
    expect(bench.read("cut", "stages/sweep/sweep.json")).toBe(bench.read("whole", "stages/sweep/sweep.json"));
  });

  test("a surer model is matched at a higher temperature, climbing from where it trained", async () => {
    const matched = (extra: string): string =>
      stage(GOOD, `match: {to: "${path("whole", "stages/sweep/sweep.json")}"${extra}}`, "matched");
    await bench.run("match", matched(", max_temperatures: 40"));
    const [first, second] = [sweepOf("whole"), sweepOf("match", "matched")];
    const { decision, search, points } = second;
    expect(decision.target).toMatchObject({
      diversity: first.decision.diversity,
      minTemperature: first.decision.temperature,
    });
    expect(points[0]?.temperature).toBe(first.decision.temperature);
    const there = first.points.find(({ temperature }) => temperature === first.decision.temperature);
    expect(search).toMatchObject({
      entropyBefore: there?.entropy,
      entropyAfter: points[0]?.entropy,
      step: 0.1,
    });
    expect(decision.temperature).toBeGreaterThan(first.decision.temperature);
    // Only the last point may reach the target: the search is over as soon as one does.
    const reaching = points.filter(
      ({ diversity }) => diversity.value >= (first.decision.diversity as number),
    );
    expect(reaching.length).toBeLessThanOrEqual(1);
    expect(["reached", "collapse"]).toContain(search?.ended);
    expect(decision.reached).toBe(search?.ended === "reached");

    // A slight fall by the recipe's own threshold takes the fine step, and a limit ends the search.
    await bench.run("fine", matched(", entropy_drop: 1, max_temperatures: 2"));
    const fine = sweepOf("fine", "matched");
    expect(fine.search).toMatchObject({ step: 0.05, ended: "limit" });
    expect(fine.points).toHaveLength(2);
    expect(fine.decision.reached).toBe(false);
  });

  test("responses that were drawn alike are a target, others are refused by name", async () => {
    const rollouts = path("curves", "stages/sweep/rollouts-0.8.jsonl.gz");
    await bench.run("stored", stage(HALF, `match: {to: "${rollouts}"}`));
    const stored = sweepOf("stored");
    const point = sweepOf("curves").points[1];
    expect(stored.decision.target?.diversity).toBeCloseTo(point?.diversity.value as number, 12);
    expect(stored.decision.temperature).toBe(0.8);
    expect(stored.search?.ended).toBe("reached");
    await expect(
      bench.run("fewer", stage(HALF, `match: {to: "${rollouts}"}`).replace("problem: 8", "problem: 4")),
    ).rejects.toThrow(/expected 4 responses, as many as this sweep draws, got more/);
    const sweep = path("curves", "stages/sweep/sweep.json");
    await expect(
      bench.run(
        "longer",
        stage(HALF, `match: {to: "${sweep}"}`).replace("max_new_tokens: 12", "max_new_tokens: 9"),
      ),
    ).rejects.toThrow(/drawn alike; .*maxNewTokens 9 here, 12 there/);
  });

  test("the entropies of a training stage may set the step", async () => {
    const rl = `  - {id: train, kind: rl, model: "${HALF}", problems: "{root}/toy.jsonl", steps: 4, samples_per_problem: 4, batch_size: 10, optimizer: {learning_rate: 0.1}, sampling: {temperature_from: sweep, max_new_tokens: 12}, zero_advantage: {on_gate: ignore}}\n`;
    await bench.run(
      "trained",
      stage(HALF, GRID) +
        rl +
        stage("train", "match: {to: sweep, entropy_of: train, max_temperatures: 2}", "matched"),
    );
    const rows = bench.metrics("trained").filter(({ stage: id }) => id === "train");
    const values = rows.map(({ entropy }) => entropy as number);
    const [a, b, c, d] = values as [number, number, number, number];
    const { search } = sweepOf("trained", "matched");
    expect(search?.entropyBefore).toBeCloseTo((a + b) / 2, 12);
    expect(search?.entropyAfter).toBeCloseTo((c + d) / 2, 12);
  });
});

describe("the unit of diversity", () => {
  test("words are the published one; text without spaces says so, and is no target", async () => {
    const words = stage(HALF, "temperatures: [0.8]").replace("unit: tokens", "unit: words");
    await bench.run("words", words);
    const file = sweepOf("words");
    expect(file.points[0]?.diversity.value).toBe(0);
    expect(file.decision.warnings.at(-1)).toMatch(/no response has 4 words.*unit: tokens/);
    const to = path("words", "stages/sweep/sweep.json");
    await expect(
      bench.run("aimless", stage(HALF, `match: {to: "${to}"}`).replace("unit: tokens", "unit: words")),
    ).rejects.toThrow(/diversity 0/);
    await expect(bench.run("units", stage(HALF, `match: {to: "${to}"}`))).rejects.toThrow(
      /unit "tokens" here, "words" there/,
    );
  });
});

describe("curves that say nothing", () => {
  test("no correct response anywhere stops the stage with what the responses look like", async () => {
    const silent = async (checkpoint: string) => {
      const policy = await openTabularPolicy(checkpoint);
      const sample = policy.sample.bind(policy);
      policy.sample = async (...given) =>
        (await sample(...given)).map((group) =>
          group.map((one) => ({ ...one, text: "", tokens: [], logprobs: [], finishReason: "stop" as const })),
        );
      return policy;
    };
    await expect(bench.run("silent", stage(HALF, GRID), { open: silent })).rejects.toThrow(
      /no response is correct at 0\.4, 0\.8, 1\.2, 1\.6.*100\.0% have no boxed answer/,
    );
  });

  test("a tolerance finer than the number of responses can show is said at the first temperature", async () => {
    const notes: string[] = [];
    const observe = (event: { event: string; text?: string }) => {
      if (event.event === "stage-note") notes.push(event.text as string);
    };
    await bench.run("fine-tolerance", stage(HALF, "temperatures: [0.8, 1.2]"), { observe });
    expect(notes[0]).toMatch(
      /10 problems x 8 responses show differences of accuracy from about \d+\.\d points on/,
    );
    notes.length = 0;
    await bench.run(
      "wide-tolerance",
      stage(HALF, "temperatures: [0.8, 1.2], zones: {robust_tolerance: 0.9}"),
      {
        observe,
      },
    );
    expect(notes.join()).not.toContain("show differences");
  });

  test("entropies that were never logged are missed before anything is drawn", async () => {
    let drawn = 0;
    const from = path("whole", "stages/sweep/sweep.json");
    // One step has one entropy, and a fall needs two.
    const rl = `  - {id: once, kind: rl, model: "${HALF}", problems: "{root}/toy.jsonl", steps: 1, samples_per_problem: 4, batch_size: 10, sampling: {temperature: 1, max_new_tokens: 12}, zero_advantage: {on_gate: ignore}}\n`;
    await expect(
      bench.run("unlogged", rl + stage(HALF, `match: {to: "${from}", entropy_of: once}`), {
        observe: (event) => {
          if (event.event === "stage-progress" && event.stage === "sweep") drawn++;
        },
      }),
    ).rejects.toThrow(/entropy_of: stage once logged 1 entropies/);
    expect(drawn).toBe(0);
  });

  test("stages of a kind that cannot hold what is asked of them are refused before the run", async () => {
    const first = `  - {id: first, kind: calibrate, model: "${HALF}", problems: "{root}/toy.jsonl", ${LIMITS}}\n`;
    const from = path("whole", "stages/sweep/sweep.json");
    const refused = (name: string, text: string) => expect(bench.run(name, first + text)).rejects;
    await refused("no-rl", stage(HALF, `match: {to: "${from}", entropy_of: first}`)).toThrow(
      /no-rl\.yaml:5:\d+: stage sweep: match\.entropy_of: expected a stage of kind rl or campaign, got "first", a stage of kind calibrate/,
    );
    await refused("no-sweep", stage(HALF, "match: {diversity: 0.5, from: first}")).toThrow(
      /match\.from: expected a stage of kind temperature_sweep/,
    );
    await refused(
      "no-rates",
      `${stage(HALF, GRID)}  - {id: after, kind: calibrate, model: "${HALF}", problems: "{root}/toy.jsonl", ${LIMITS}, compare_with: sweep}\n`,
    ).toThrow(/compare_with: expected a stage of kind calibrate, got "sweep"/);
    expect(existsSync(path("no-rates", "stages"))).toBe(false);
  });
});

describe("what is refused", () => {
  const refused = (name: string, text: string) => expect(bench.run(name, text)).rejects;

  test("sections that contradict themselves", async () => {
    await refused("none", stage(HALF, "ngram: 4")).toThrow(/expected temperatures, grid or match, got none/);
    await refused("both", stage(HALF, `${GRID}, temperatures: [1]`)).toThrow(/got both/);
    await refused("zero", stage(HALF, "temperatures: [0]")).toThrow(/temperatures/);
    await refused("twice", stage(HALF, "temperatures: [1, 1]")).toThrow(/each once/);
    await refused("huge", stage(HALF, "grid: {start: 0.1, end: 9, step: 0.01}")).toThrow(/at most 100/);
    await refused("lost", stage(HALF, "match: {diversity: 0.5}")).toThrow(/where to begin/);
    await refused(
      "own",
      stage(HALF, GRID).replace("max_new_tokens", "temperature: 1, max_new_tokens"),
    ).toThrow(/unknown key "temperature"/);
  });

  test("temperature_from that names no temperature, at its line, or stands beside one", async () => {
    const drawn = (from: string, extra = ""): string =>
      `  - {id: first, kind: calibrate, model: "${HALF}", problems: "{root}/toy.jsonl", ${LIMITS}}\n  - {id: drawn, kind: calibrate, model: "${HALF}", problems: "{root}/toy.jsonl", sampling: {temperature_from: ${from}, max_new_tokens: 12${extra}}}\n`;
    await refused("kind", drawn("first")).toThrow(
      /kind\.yaml:5:\d+: stage drawn: temperature_from: expected a stage that chooses a temperature, got "first", a stage of kind calibrate/,
    );
    await refused("typo", drawn("frist")).toThrow(/no stage is called "frist".*first/);
    await refused("model", drawn("builtin:practice-small")).toThrow(/a model/);
    await refused("two", drawn("first", ", temperature: 0.7")).toThrow(/temperature or temperature_from/);
    writeFileSync(join(bench.folder, "bad.json"), JSON.stringify({ layout: 1, points: [] }));
    await refused("bad", drawn('"{root}/bad.json"')).toThrow(
      /bad\.json: expected the result of a temperature sweep/,
    );
  });
});
