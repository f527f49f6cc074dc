/**
 * How often the intervals of an evaluation hold the truth: simulated evaluations whose true scores are known, 10,000 per
 * row by default. A benchmark's problems are drawn from a population of difficulties, each with a chance of its own, and
 * every statistic is computed as an evaluation computes it.
 *
 *   npm run coverage [-- --runs 10000 --world rare]
 */
import { parseArgs } from "node:util";
import { type RandomStream, randomStream } from "../src/random.ts";
import {
  clusteredInterval,
  differenceInterval,
  type Estimate,
  meanOfDifferences,
  meanOfShares,
  problemPassAtK,
  ratioInterval,
} from "../src/stats/index.ts";
import { simulateBenchmark, WORLDS, type World } from "./interval-coverage/worlds.ts";

interface Row {
  statistic: string;
  world: World;
  problems: number;
  samples: number;
  /** True value, and one simulated interval. */
  draw(stream: RandomStream): { truth: number; interval: Estimate };
}

const SIZES: [number, number][] = [
  [30, 4],
  [30, 32],
  [100, 8],
  [300, 4],
];

const accuracies = (counts: readonly number[], samples: number): number[] =>
  counts.map((count) => count / samples);

/** Mean of a function of the chance over a world, by a fine grid of its quantiles. */
function populationMean(world: World, value: (chance: number) => number): number {
  const { quantile } = WORLDS[world];
  const points = 20_000;
  let sum = 0;
  for (let i = 0; i < points; i++) sum += value(quantile((i + 0.5) / points));
  return sum / points;
}

/** Per-problem differences of a second model, which solves what the first fails on with probability 0.1 more. */
function drawDifferences(world: World, problems: number, samples: number, stream: RandomStream): number[] {
  const { chances, counts } = simulateBenchmark(world, problems, samples, stream);
  return chances.map((chance, i) => {
    const better = chance + 0.1 * (1 - chance);
    let correct = 0;
    for (let sample = 0; sample < samples; sample++) if (stream.uniform() < better) correct++;
    return (correct - (counts[i] as number)) / samples;
  });
}

function rowsFor(world: World, problems: number, samples: number): Row[] {
  const common = { world, problems, samples };
  const mean = populationMean(world, (chance) => chance);
  const k = samples / 2;
  const passes = populationMean(world, (chance) => 1 - (1 - chance) ** k);
  // Better everywhere, by different amounts.
  const gain = populationMean(world, (chance) => 0.1 * (1 - chance));
  // A right response is short with probability 0.8, a wrong one with 0.4: accuracy among the short ones.
  const shortRight = populationMean(world, (chance) => 0.8 * chance);
  const shortAll = populationMean(world, (chance) => 0.8 * chance + 0.4 * (1 - chance));
  return [
    {
      ...common,
      statistic: "avg@k",
      draw: (stream) => ({
        truth: mean,
        interval: clusteredInterval(
          accuracies(simulateBenchmark(world, problems, samples, stream).counts, samples),
        ),
      }),
    },
    {
      ...common,
      statistic: `pass@${k}`,
      draw: (stream) => ({
        truth: passes,
        interval: clusteredInterval(
          simulateBenchmark(world, problems, samples, stream).counts.map((correct) =>
            problemPassAtK({ correct, samples }, k),
          ),
        ),
      }),
    },
    {
      ...common,
      statistic: "paired difference",
      draw: (stream) => ({
        truth: gain,
        interval: differenceInterval(drawDifferences(world, problems, samples, stream)),
      }),
    },
    {
      ...common,
      statistic: "accuracy in a length bucket",
      draw: (stream) => {
        const { counts } = simulateBenchmark(world, problems, samples, stream);
        const parts = counts.map((correct) => {
          const part = { count: 0, total: 0 };
          for (let sample = 0; sample < samples; sample++) {
            const right = sample < correct;
            if (stream.uniform() >= (right ? 0.8 : 0.4)) continue;
            part.total++;
            if (right) part.count++;
          }
          return part;
        });
        const interval = ratioInterval(parts) ?? { value: Number.NaN, low: 1, high: 0 };
        return { truth: shortRight / shortAll, interval };
      },
    },
    {
      ...common,
      statistic: "mean of three benchmarks",
      draw: (stream) => {
        const groups = [1, 2, 3].map(() =>
          accuracies(simulateBenchmark(world, problems, samples, stream).counts, samples),
        );
        return { truth: mean, interval: meanOfShares(groups) };
      },
    },
    {
      ...common,
      statistic: "mean difference on three benchmarks",
      draw: (stream) => {
        const groups = [1, 2, 3].map(() => drawDifferences(world, problems, samples, stream));
        return { truth: gain, interval: meanOfDifferences(groups) };
      },
    },
  ];
}

/** Share of runs whose interval holds the truth, and the mean width of the intervals. */
function measure(row: Row, runs: number): { coverage: number; width: number } {
  const { statistic, world, problems, samples } = row;
  const stream = randomStream(20260318, "coverage", statistic, world, problems, samples);
  let covered = 0;
  let width = 0;
  for (let run = 0; run < runs; run++) {
    const { truth, interval } = row.draw(stream);
    if (interval.low <= truth && truth <= interval.high) covered++;
    width += interval.high - interval.low;
  }
  return { coverage: covered / runs, width: width / runs };
}

const { values } = parseArgs({
  options: { runs: { type: "string", default: "10000" }, world: { type: "string" } },
});
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 100)
  throw new RangeError(`--runs: expected a whole number from 100, got ${values.runs}`);

console.log(`coverage of 95% intervals, ${runs} simulated evaluations per row\n`);
console.log("| statistic | difficulties | problems x samples | coverage, % | width, points |");
console.log("| --- | --- | ---: | ---: | ---: |");
let worst = 1;
let best = 0;
const worlds = (Object.keys(WORLDS) as World[]).filter(
  (world) => values.world === undefined || world === values.world,
);
if (worlds.length === 0)
  throw new RangeError(`--world: expected one of ${Object.keys(WORLDS).join(", ")}, got ${values.world}`);
for (const world of worlds)
  for (const [problems, samples] of SIZES)
    for (const row of rowsFor(world, problems, samples)) {
      const { coverage, width } = measure(row, runs);
      worst = Math.min(worst, coverage);
      best = Math.max(best, coverage);
      console.log(
        `| ${row.statistic} | ${world} | ${problems} x ${samples} | ${(100 * coverage).toFixed(2)} | ${(100 * width).toFixed(1)} |`,
      );
    }
console.log(`\nfrom ${(100 * worst).toFixed(2)}% to ${(100 * best).toFixed(2)}%`);
