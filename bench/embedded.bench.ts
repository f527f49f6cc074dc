/**
 * The embedded engine against PyTorch, `transformers` and TRL on identical weights, shapes, prompts and lengths, at
 * equal cores, alternating in one run. Each side is warmed up; ratios compare bests, medians and processor time.
 * Without a Python that has the peers, only the engine's own speed is printed. What is compared: docs/benchmarks.md.
 */
import { rmSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { openEmbeddedPolicy } from "../src/engine/embedded/policy.ts";
import type { OptimizerParameters, Policy, SampleRequest } from "../src/engine/seams.ts";
import { groupAdvantages } from "../src/rl/advantage.ts";
import { aggregationWeights, tokenWeights } from "../src/rl/aggregation.ts";
import type { PolicyGradientLoss } from "../src/rl/loss.ts";
import type { SamplingParameters } from "../src/types.ts";
import { findPeerPython, type Measurement, openPeer, type Peer, type PeerName } from "./peer-process.ts";
import { type BenchRow, formatTable, joinMeasurements, summarize } from "./summary.ts";
import {
  type BenchPrompt,
  denseBatch,
  type Ending,
  equalPrompts,
  lengthsOf,
  MODEL_NAMES,
  type ModelName,
  practicePrompts,
  rolloutBatch,
  writeBenchCheckpoint,
} from "./workloads.ts";

const TEMPERATURE = 1;
const NEW_TOKENS = 96;
const SAMPLED_SEQUENCES = 512;
const GRPO_PROBLEMS = 16;
const GRPO_SAMPLES = 8;

const SAMPLING: SamplingParameters = {
  temperature: TEMPERATURE,
  topK: 0,
  topP: 1,
  minP: 0,
  maxNewTokens: NEW_TOKENS,
};
const OPTIMIZER: OptimizerParameters = {
  learningRate: 1e-5,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
  maxGradientNorm: 1,
};
const POLICY_LOSS: PolicyGradientLoss = {
  kind: "policy_gradient",
  temperature: TEMPERATURE,
  clipRatioLow: 0.2,
  clipRatioHigh: 0.28,
  clipRatioC: 3,
  klCoefficient: 0,
  klEstimator: "low_var_kl",
  entropyCoefficient: 0,
};

/** A workload: what the engine does in one repeat, and what each peer is asked. */
interface Workload {
  ending: Ending;
  /** One repeat; returns the tokens that count. */
  step(policy: Policy, repeat: number): Promise<number>;
  peers: { side: string; peer: PeerName; request: Record<string, unknown> }[];
}

function requestsOf(prompts: readonly BenchPrompt[], samples: number, seed: number): SampleRequest[] {
  return prompts.map(({ text }, i) => ({ prompt: text, samples, sampling: SAMPLING, seed: seed * 1000 + i }));
}

async function sampledTokens(policy: Policy, requests: SampleRequest[]): Promise<number> {
  const completions = await policy.sample(requests);
  return completions.flat().reduce((sum, { tokens }) => sum + tokens.length, 0);
}

/** A full iteration as the recipe runs it: sample, reward, advantages, old log-probabilities, update. */
async function grpoIteration(
  policy: Policy,
  prompts: readonly BenchPrompt[],
  repeat: number,
): Promise<number> {
  const groups = await policy.sample(requestsOf(prompts, GRPO_SAMPLES, repeat));
  const counts = groups.flat().map(({ tokens }) => tokens.length);
  const shares = aggregationWeights(counts, { mode: "global_token_mean" });
  const sequences = groups.flatMap((group) => {
    // The peer's reward: a fixed function of the tokens, so that groups have variance and grading costs nothing.
    const rewards = group.map(({ tokens }) => (tokens.reduce((a, b) => a + b, 0) % 7 < 2 ? 1 : 0));
    const advantages = groupAdvantages(rewards);
    return group.map(({ promptTokens, tokens }, i) => ({
      promptTokens,
      responseTokens: tokens,
      advantages: new Float32Array(tokens.length).fill(advantages[i]!),
    }));
  });
  const old = await policy.logprobs(sequences, TEMPERATURE);
  const batch = sequences.map((sequence, i) => ({
    ...sequence,
    weights: tokenWeights(shares[i]!, new Uint8Array(counts[i]!).fill(1)),
    oldLogprobs: old[i]!.logprobs,
  }));
  await policy.forwardBackward(batch, POLICY_LOSS);
  await policy.optimStep(OPTIMIZER);
  return counts.reduce((a, b) => a + b, 0);
}

function samplingWorkload(ending: Ending, prompts: BenchPrompt[], samples: number): Workload {
  const rows = prompts.flatMap(({ tokens }) => Array.from({ length: samples }, () => tokens));
  const request = { task: "sample", prompts: rows, new_tokens: NEW_TOKENS, temperature: TEMPERATURE };
  return {
    ending,
    step: (policy, repeat) => sampledTokens(policy, requestsOf(prompts, samples, repeat)),
    peers: [
      { side: "torch loop", peer: "torch", request: { ...request, implementation: "plain" } },
      { side: "generate", peer: "torch", request: { ...request, implementation: "transformers" } },
    ],
  };
}

/** Every workload by name, on one model. */
const WORKLOADS: Record<string, (model: ModelName) => Workload> = {
  "train-dense": (model) => {
    const batch = denseBatch(model, 16, 128);
    const request = { task: "train-dense", batch: 16, length: 128 };
    return {
      ending: "drawn",
      async step(policy) {
        await policy.forwardBackward(batch, { kind: "cross_entropy" });
        await policy.optimStep(OPTIMIZER);
        return 16 * 128;
      },
      peers: [
        { side: "torch", peer: "torch", request: { ...request, implementation: "plain" } },
        { side: "transformers", peer: "torch", request: { ...request, implementation: "transformers" } },
      ],
    };
  },
  "train-rollouts": () => {
    const batch = rolloutBatch(GRPO_PROBLEMS, GRPO_SAMPLES, NEW_TOKENS);
    const request = { task: "train-rollouts", lengths: lengthsOf(batch), temperature: TEMPERATURE };
    const total = lengthsOf(batch).reduce((sum, [p, r]) => sum + p + r, 0);
    return {
      ending: "drawn",
      async step(policy) {
        await policy.forwardBackward(batch, POLICY_LOSS);
        await policy.optimStep(OPTIMIZER);
        return total;
      },
      peers: [
        {
          side: "transformers, padded as TRL",
          peer: "torch",
          request: { ...request, implementation: "transformers", padding: "batch" },
        },
        {
          side: "torch, sorted by length",
          peer: "torch",
          request: { ...request, implementation: "plain", padding: "micro_batch" },
        },
      ],
    };
  },
  "sample-fixed": () => samplingWorkload("never", equalPrompts(SAMPLED_SEQUENCES / 8, 32), 8),
  "sample-ending": () => samplingWorkload("drawn", practicePrompts(SAMPLED_SEQUENCES / 8), 8),
  grpo: () => {
    const prompts = practicePrompts(GRPO_PROBLEMS);
    return {
      ending: "drawn",
      step: (policy, repeat) => grpoIteration(policy, prompts, repeat),
      peers: [
        {
          side: "TRL",
          peer: "trl",
          request: {
            prompts: prompts.map(({ text }) => text),
            samples: GRPO_SAMPLES,
            new_tokens: NEW_TOKENS,
            temperature: TEMPERATURE,
          },
        },
      ],
    };
  },
};

/** Times `repeats` calls of the engine in this process. */
async function measureEngine(
  step: (repeat: number) => Promise<number>,
  first: number,
  repeats: number,
): Promise<Measurement> {
  const result: Measurement = { tokens: [], seconds: [], cpuSeconds: [] };
  for (let repeat = first; repeat < first + repeats; repeat++) {
    const cpu = process.cpuUsage();
    const start = performance.now();
    result.tokens.push(await step(repeat));
    result.seconds.push((performance.now() - start) / 1000);
    const used = process.cpuUsage(cpu);
    result.cpuSeconds.push((used.user + used.system) / 1e6);
  }
  return result;
}

/** Measures one workload on one model at one number of cores, sides taking turns. */
async function measureWorkload(options: {
  name: string;
  model: ModelName;
  cores: number;
  rounds: number;
  repeats: number;
  peers: Partial<Record<PeerName, Peer>>;
  report: (row: BenchRow) => void;
}): Promise<BenchRow[]> {
  const { name, model, cores, rounds, repeats, peers, report } = options;
  const workload = WORKLOADS[name]!(model);
  const checkpoint = await writeBenchCheckpoint(model, workload.ending);
  const policy = await openEmbeddedPolicy({ checkpoint, workers: cores, threadsPerWorker: 1 });
  const sides = workload.peers.filter(({ peer }) => peers[peer] !== undefined);
  const engine: Measurement[] = [];
  const others: Measurement[][] = sides.map(() => []);
  try {
    const step = (repeat: number): Promise<number> => workload.step(policy, repeat);
    await measureEngine(step, 0, 2);
    for (let round = 0; round < rounds; round++) {
      engine.push(await measureEngine(step, 2 + round * repeats, repeats));
      for (const [i, { peer, request }] of sides.entries())
        others[i]!.push(
          await peers[peer]!.ask({
            ...request,
            checkpoint,
            threads: cores,
            repeats,
            steps: repeats,
            warmup: 1,
          }),
        );
    }
  } finally {
    await policy.close();
    rmSync(dirname(checkpoint), { recursive: true, force: true });
  }
  const common = { workload: name, model, cores };
  const own = summarize({ ...common, side: "engine" }, joinMeasurements(engine));
  const rows = [
    own,
    ...sides.map(({ side }, i) => summarize({ ...common, side }, joinMeasurements(others[i]!), own)),
  ];
  rows.forEach(report);
  return rows;
}

/** A comma-separated option whose values must be known. @throws {TypeError} naming the unknown one */
function choices<Name extends string>(text: string, known: readonly Name[], option: string): Name[] {
  return text.split(",").map((name) => {
    if (!known.includes(name as Name))
      throw new TypeError(`--${option}: expected ${known.join(", ")}, got ${name}`);
    return name as Name;
  });
}

/**
 * Runs the bench and prints the ratio table.
 * Options: `--workloads a,b`, `--models a,b`, `--cores 1,2`, `--rounds 3`, `--repeats 3`, `--no-peers`, `--json file`.
 */
export async function run(args: readonly string[] = []): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      workloads: { type: "string", default: Object.keys(WORKLOADS).join(",") },
      models: { type: "string", default: "practice,small" },
      cores: { type: "string", default: cpus().length > 1 ? "1,2" : "1" },
      rounds: { type: "string", default: "3" },
      repeats: { type: "string", default: "3" },
      peers: { type: "boolean", default: true },
      json: { type: "string" },
    },
  });
  const workloads = choices(values.workloads, Object.keys(WORKLOADS), "workloads");
  const models = choices(values.models, MODEL_NAMES, "models");
  const peers: Partial<Record<PeerName, Peer>> = {};
  for (const peer of values.peers ? (["torch", "trl"] as const) : []) {
    if (peer === "trl" && !workloads.includes("grpo")) continue;
    const found = findPeerPython(peer);
    if ("missing" in found) console.log(`without ${peer}: ${found.missing}`);
    else peers[peer] = openPeer(peer, found.python);
  }
  const rows: BenchRow[] = [];
  try {
    for (const name of workloads)
      for (const model of models)
        for (const cores of values.cores.split(",").map(Number))
          rows.push(
            ...(await measureWorkload({
              name,
              model,
              cores,
              rounds: Number(values.rounds),
              repeats: Number(values.repeats),
              peers,
              report: ({ workload, side, best }) =>
                console.log(`${workload} ${model} on ${cores}: ${side} ${Math.round(best)} tok/s`),
            })),
          );
  } finally {
    for (const peer of Object.values(peers)) peer.close();
  }
  console.log(`\n${formatTable(rows)}`);
  if (values.json)
    writeFileSync(values.json, `${JSON.stringify({ processor: cpus()[0]?.model, rows }, null, 2)}\n`);
}
