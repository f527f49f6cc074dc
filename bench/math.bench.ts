/**
 * The verifier's speed and accuracy: canonical keys per second on real spans, latency of a verdict on labelled pairs,
 * and the same pairs through Math-Verify, in turns, where a Python that has it is found (POLARIS_PEER_PYTHON).
 * Reads the reference sets beside the repository; without them it uses the fuzzer's seeds.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { formatTable } from "../src/cli/style.ts";
import { isOpaque } from "../src/math/ast.ts";
import { canonicalForm, canonicalKey, forgetKeys } from "../src/math/key.ts";
import { judgePair, type LabelledPair } from "../src/math/pairs.ts";
import { parse } from "../src/math/parser.ts";
import { SEEDS } from "../src/math/testing/mutate.ts";
import { forgetGolds, verify } from "../src/math/verify.ts";
import { randomStream } from "../src/random.ts";

const SHARED = new URL("../../shared/grading/", import.meta.url);
/** Pairs both graders judge; Math-Verify needs about a tenth of a second for each. */
const PEER_PAIRS = 400;
const REPEATS = 5;

interface Timed {
  equal: boolean;
  ms: number;
}

function readLines<Row>(name: string): Row[] {
  const file = new URL(name, SHARED);
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);
}

/** Processor milliseconds of this process. */
const cpuMs = (): number => process.cpuUsage().user / 1000;

/** Calls per second of processor time, best of some repeats. */
function rate(inputs: readonly string[], run: (input: string) => unknown): number {
  let best = 0;
  for (let i = 0; i < REPEATS; i++) {
    // Only repeats within one pass are remembered.
    forgetKeys();
    const start = cpuMs();
    for (const input of inputs) run(input);
    best = Math.max(best, (inputs.length / (cpuMs() - start)) * 1000);
  }
  return best;
}

function quantile(times: readonly number[], share: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Fastest of three, nothing remembered from the others: the scheduler's pauses are not the grader's. */
function judgeTimed(pair: LabelledPair): Timed {
  let ms = Number.POSITIVE_INFINITY;
  let equal = false;
  for (let i = 0; i < 3; i++) {
    forgetKeys();
    forgetGolds();
    const start = performance.now();
    equal = judgePair(pair.gold, pair.prediction).equal;
    ms = Math.min(ms, performance.now() - start);
  }
  return { equal, ms };
}

/** Math-Verify as a child that answers one pair at a time; null where it is not installed. */
function openMathVerify(): { judge(pair: LabelledPair): Promise<Timed>; close(): void } | null {
  const python = process.env["POLARIS_PEER_PYTHON"] ?? "python3";
  const found = spawnSync(python, ["-c", "import math_verify"], { timeout: 120_000 });
  if (found.status !== 0) return null;
  const script = fileURLToPath(new URL("peers/math_verify_bench.py", import.meta.url));
  const child: ChildProcess = spawn(python, [script], { stdio: ["pipe", "pipe", "ignore"] });
  const waiting: ((line: string) => void)[] = [];
  createInterface({ input: child.stdout as NonNullable<ChildProcess["stdout"]> }).on("line", (line) =>
    waiting.shift()?.(line),
  );
  return {
    judge: (pair) =>
      new Promise((resolve) => {
        waiting.push((line) => resolve(JSON.parse(line) as Timed));
        child.stdin?.write(`${JSON.stringify({ gold: String(pair.gold), prediction: pair.prediction })}\n`);
      }),
    close: () => child.kill(),
  };
}

function latencyRow(name: string, results: readonly Timed[], pairs: readonly LabelledPair[]): string[] {
  const times = results.map((one) => one.ms);
  const right = results.filter((one, i) => one.equal === pairs[i]?.expected).length;
  return [
    name,
    String(results.length),
    quantile(times, 0.5).toFixed(4),
    quantile(times, 0.99).toFixed(3),
    Math.max(...times).toFixed(2),
    `${((100 * right) / results.length).toFixed(1)}%`,
  ];
}

export async function run(): Promise<void> {
  const spans = readLines<string>("spans.jsonl");
  const inputs =
    spans.length > 0 ? spans : SEEDS.flatMap((seed) => Array.from({ length: 50 }, (_, i) => `${seed}+${i}`));
  const opaque = inputs.filter((span) => isOpaque(parse(span).root)).length;
  for (const line of formatTable(
    [
      ["parse", rate(inputs, parse).toFixed(0)],
      ["canonical form, nothing remembered", rate(inputs, (span) => canonicalForm(span)).toFixed(0)],
      ["canonicalKey, repeats remembered", rate(inputs, (span) => canonicalKey(span)).toFixed(0)],
    ],
    [`${inputs.length} spans`, "per CPU second"],
  ))
    console.log(line);
  console.log(`understood: ${(100 * (1 - opaque / inputs.length)).toFixed(2)}% of the spans`);

  const all = readLines<LabelledPair>("dev.jsonl");
  if (all.length === 0) {
    console.log("no labelled pairs beside the repository: latency is not measured");
    return;
  }
  for (const pair of all) verify(String(pair.gold), pair.prediction);
  const own = all.map(judgeTimed);
  const rows = [latencyRow("polaris, all pairs", own, all)];
  const peer = openMathVerify();
  if (peer === null)
    console.log("Math-Verify: not installed, no comparison (POLARIS_PEER_PYTHON names a Python that has it)");
  else {
    const sample = randomStream(1, "bench", "math").shuffle(all).slice(0, PEER_PAIRS);
    const ours: Timed[] = [];
    const theirs: Timed[] = [];
    for (const pair of sample) {
      ours.push(judgeTimed(pair));
      theirs.push(await peer.judge(pair));
    }
    peer.close();
    rows.push(latencyRow("polaris", ours, sample), latencyRow("Math-Verify", theirs, sample));
    const ratio =
      quantile(
        theirs.map((one) => one.ms),
        0.5,
      ) /
      quantile(
        ours.map((one) => one.ms),
        0.5,
      );
    console.log(`median verdict ${ratio.toFixed(0)} times faster than Math-Verify`);
  }
  for (const line of formatTable(rows, ["", "pairs", "median ms", "p99 ms", "max ms", "accuracy"]))
    console.log(line);
}
