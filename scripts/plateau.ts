/**
 * How the stage-end rule does on noisy validations: simulated training runs whose true accuracy is known, validated on a
 * small benchmark every ten steps. For every rule: when it ends a stage, how often too early, how many steps it costs
 * after the curve is flat. Source: recipe A5 (curves read off figures), src/rl/plateau.ts.
 *
 *   npx tsx scripts/plateau.ts [--runs 1000] [--problems 30] [--samples 8]
 */
import { parseArgs } from "node:util";
import { type RandomStream, randomStream } from "../src/random.ts";
import { advancePlateau, EMPTY_PLATEAU, type PlateauOptions } from "../src/rl/index.ts";

/** True accuracy: from `start` it rises by `gain`, 63% of it in the first `steps`. */
interface Curve {
  name: string;
  start: number;
  gain: number;
  steps: number;
}

const CURVES: Curve[] = [
  { name: "4B: 0.74, +0.08 in 250", start: 0.74, gain: 0.08, steps: 250 },
  { name: "7B: 0.55, +0.17 in 400", start: 0.55, gain: 0.17, steps: 400 },
  { name: "small: 0.10, +0.30 in 50", start: 0.1, gain: 0.3, steps: 50 },
  { name: "flat: 0.74", start: 0.74, gain: 0, steps: 1 },
];

const RULES: Required<PlateauOptions>[] = [
  [1, 100],
  [5, 50],
  [5, 100],
  [5, 150],
  [5, 200],
  [10, 100],
  [10, 200],
].map(([window, patienceSteps]) => ({
  window: window as number,
  patienceSteps: patienceSteps as number,
  minImprovement: 0,
}));

const EVERY = 10;
/** Longer than every published stage. */
const MAX_STEPS = 2000;
/** A stage that ends with more than this still to gain ended too early. */
const LOST = 0.02;
/** Nothing to be gained any more. */
const FLAT = 0.005;

const trueAccuracy = ({ start, gain, steps }: Curve, step: number): number =>
  start + gain * (1 - Math.exp(-step / steps));

/** Chances of the problems at a mean accuracy: difficulties on the logistic scale, moved together. */
function chances(difficulties: readonly number[], accuracy: number): number[] {
  let [low, high] = [-30, 30];
  const at = (shift: number): number[] => difficulties.map((d) => 1 / (1 + Math.exp(-(d + shift))));
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    const mean = at(middle).reduce((sum, p) => sum + p, 0) / difficulties.length;
    if (mean < accuracy) low = middle;
    else high = middle;
  }
  return at((low + high) / 2);
}

/** One avg@k of the problems. */
function validate(probabilities: readonly number[], samples: number, stream: RandomStream): number {
  let correct = 0;
  for (const p of probabilities) {
    // One uniform draw is inverted through the binomial distribution.
    let rest = stream.uniform();
    let mass = (1 - p) ** samples;
    let count = 0;
    while (rest >= mass && count < samples) {
      rest -= mass;
      mass *= ((samples - count) / (count + 1)) * (p / (1 - p));
      count++;
    }
    correct += count;
  }
  return correct / (probabilities.length * samples);
}

/** Step at which each rule ends one run; null where it never does. */
function endings(points: readonly { step: number; value: number }[]): (number | null)[] {
  return RULES.map((rule) => {
    let state = EMPTY_PLATEAU;
    for (const point of points) {
      const next = advancePlateau(state, point, rule);
      if (next.plateau.reached) return point.step;
      state = next.state;
    }
    return null;
  });
}

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "1000" },
    problems: { type: "string", default: "30" },
    samples: { type: "string", default: "8" },
  },
});
const count = (name: "runs" | "problems" | "samples", limit: number): number => {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < 1 || value > limit)
    throw new RangeError(`--${name}: expected a whole number from 1 to ${limit}, got ${values[name]}`);
  return value;
};
const [runs, problems, samples] = [count("runs", 100_000), count("problems", 10_000), count("samples", 1000)];

console.log(
  `${runs} runs, avg@${samples} of ${problems} problems every ${EVERY} steps, at most ${MAX_STEPS} steps\n`,
);
console.log(
  "| true curve | window, patience | ends at (10%, median, 90%) | never | too early | left to gain | steps after flat |",
);
console.log("|---|---|---|---|---|---|---|");
for (const curve of CURVES) {
  // Spread of difficulties as on competition problems: many always or never solved.
  const setup = randomStream(0, "plateau", "difficulty", problems);
  const difficulties = Array.from({ length: problems }, () => 2.5 * setup.normal());
  const steps = Array.from({ length: MAX_STEPS / EVERY }, (_, i) => (i + 1) * EVERY);
  const truth = steps.map((step) => chances(difficulties, trueAccuracy(curve, step)));
  const ends: (number | null)[][] = RULES.map(() => []);
  for (let run = 0; run < runs; run++) {
    const stream = randomStream(0, "plateau", curve.name, run);
    const points = steps.map((step, i) => ({ step, value: validate(truth[i] as number[], samples, stream) }));
    for (const [i, end] of endings(points).entries()) ends[i]?.push(end);
  }
  const top = curve.start + curve.gain;
  const flatFrom = steps.find((step) => top - trueAccuracy(curve, step) <= FLAT) ?? MAX_STEPS;
  for (const [i, rule] of RULES.entries()) {
    const all = ends[i] ?? [];
    const stopped = all.map((end) => end ?? MAX_STEPS).sort((a, b) => a - b);
    const quantile = (q: number): number => stopped[Math.floor(q * (runs - 1))] as number;
    const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
    const left = stopped.map((end) => top - trueAccuracy(curve, end));
    const wasted = stopped.filter((end) => end > flatFrom).map((end) => end - flatFrom);
    console.log(
      `| ${curve.name} | ${rule.window}, ${rule.patienceSteps} | ${[0.1, 0.5, 0.9].map(quantile).join(", ")} | ` +
        `${percent(all.filter((end) => end === null).length / runs)} | ${percent(left.filter((rest) => rest > LOST).length / runs)} | ` +
        `${(100 * (left.reduce((sum, rest) => sum + rest, 0) / runs)).toFixed(1)} points | ` +
        `${Math.round(wasted.reduce((sum, rest) => sum + rest, 0) / Math.max(1, wasted.length))} |`,
    );
  }
}
