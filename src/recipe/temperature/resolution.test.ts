/** How far apart accuracies must be: the formula before sampling against intervals of simulated sweeps. */
import { expect, test } from "vitest";
import { randomStream } from "../../random.ts";
import { expectedResolution, halfWidth, peakDifferences } from "./resolution.ts";

/** Accuracy of each problem from `samples` draws at its own rate. */
function draw(rates: readonly number[], samples: number, name: string): number[] {
  const stream = randomStream(11, name);
  return rates.map((rate) => {
    let correct = 0;
    for (let i = 0; i < samples; i++) if (stream.uniform() < rate) correct++;
    return correct / samples;
  });
}

test("30 problems of 16 responses do not show 0.8 points, nor 5", () => {
  const seen = expectedResolution({ problems: 30, samplesPerProblem: 16, accuracy: 0.74 });
  expect(seen).toBeCloseTo(1.96 * Math.sqrt((2 * 0.74 * 0.26) / 480), 12);
  expect(seen).toBeGreaterThan(0.05);
});

test("agrees with the paired intervals of sweeps of equally hard problems", () => {
  const widths: number[] = [];
  for (let round = 0; round < 40; round++) {
    const rates = new Array<number>(60).fill(0.7);
    const [difference] = peakDifferences(
      [
        { temperature: 1, problemAccuracies: draw(rates, 8, `a${round}`) },
        { temperature: 2, problemAccuracies: draw(rates, 8, `b${round}`) },
      ],
      1,
    );
    expect(difference?.temperature).toBe(2);
    widths.push(halfWidth(difference as { low: number; high: number }));
  }
  const mean = widths.reduce((sum, width) => sum + width, 0) / widths.length;
  const expected = expectedResolution({ problems: 60, samplesPerProblem: 8, accuracy: 0.7 });
  expect(Math.abs(mean / expected - 1)).toBeLessThan(0.06);
});

test("nothing is said without accuracies of single problems, or with one problem", () => {
  expect(peakDifferences([{ temperature: 1 }, { temperature: 2 }], 1)).toEqual([]);
  const one = [1, 2].map((temperature) => ({ temperature, problemAccuracies: [0.5] }));
  expect(peakDifferences(one, 1)).toEqual([]);
});
