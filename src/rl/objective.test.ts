/**
 * The pieces together on a tabular policy: advantages, token loss and aggregation give the gradient of one objective,
 * and following it raises the reward. No engine takes part.
 */
import { expect, test } from "vitest";
import { randomStream } from "../random.ts";
import { groupAdvantages } from "./advantage.ts";
import { aggregationWeights, tokenWeights } from "./aggregation.ts";
import { policyGradientLoss } from "./loss.ts";
import { sequenceLoss } from "./token-loss.ts";

const TEMPERATURE = 1.4;
const ARMS = 6;
const LENGTH = 3;

/** log softmax(z / T), shape [ARMS]. */
function logSoftmax(logits: readonly number[]): number[] {
  const scaled = logits.map((logit) => logit / TEMPERATURE);
  const largest = Math.max(...scaled);
  const sum = scaled.reduce((total, value) => total + Math.exp(value - largest), 0);
  return scaled.map((value) => value - largest - Math.log(sum));
}

interface Sequence {
  actions: number[];
  oldLogprobs: number[];
  advantage: number;
}

/** Loss and its gradient over logits, shape [LENGTH][ARMS]; one row of logits per position. */
function objective(logits: number[][], sequences: Sequence[]): { loss: number; gradient: number[][] } {
  const specification = policyGradientLoss({
    temperature: TEMPERATURE,
    klCoefficient: 0.1,
    klEstimator: "low_var_kl",
  });
  const weights = aggregationWeights(
    sequences.map(({ actions }) => actions.length),
    { mode: "seq_mean_token_mean" },
  );
  const rows = logits.map(logSoftmax);
  const gradient = logits.map((row) => row.map(() => 0));
  let loss = 0;
  for (const [i, { actions, oldLogprobs, advantage }] of sequences.entries()) {
    const tokens = actions.map((action, t) => ({
      logprob: rows[t]?.[action] as number,
      oldLogprob: oldLogprobs[t] as number,
      referenceLogprob: -Math.log(ARMS),
      advantage,
    }));
    const mask = actions.map(() => 1);
    const exact = Float64Array.from(tokenWeights(1, mask), (weight) => weight * (weights[i] as number));
    const result = sequenceLoss(tokens, exact, specification);
    loss += result.loss;
    for (const [t, action] of actions.entries())
      for (let arm = 0; arm < ARMS; arm++) {
        const jacobian = ((arm === action ? 1 : 0) - Math.exp(rows[t]?.[arm] as number)) / TEMPERATURE;
        const row = gradient[t] as number[];
        row[arm] = (row[arm] as number) + (result.derivatives[t] as number) * jacobian;
      }
  }
  return { loss, gradient };
}

function sampleGroup(logits: number[][], seed: number, size = 8): { sequences: Sequence[]; mean: number } {
  const stream = randomStream(seed, "group");
  const rows = logits.map(logSoftmax);
  const drawn = Array.from({ length: size }, () => {
    const actions = rows.map((row) => {
      let left = stream.uniform();
      const action = row.findIndex((logprob) => {
        left -= Math.exp(logprob);
        return left < 0;
      });
      return action === -1 ? ARMS - 1 : action;
    });
    // Correct when two of the three positions take arm 2.
    return { actions, reward: actions.filter((action) => action === 2).length >= 2 ? 1 : 0 };
  });
  const advantages = groupAdvantages(drawn.map(({ reward }) => reward));
  return {
    mean: drawn.reduce((sum, { reward }) => sum + reward, 0) / size,
    sequences: drawn.map(({ actions }, i) => ({
      actions,
      oldLogprobs: actions.map((action, t) => rows[t]?.[action] as number),
      advantage: advantages[i] as number,
    })),
  };
}

const start = (): number[][] => {
  const stream = randomStream(1, "logits");
  return Array.from({ length: LENGTH }, () => Array.from({ length: ARMS }, () => 0.3 * stream.normal()));
};

test("the gradient assembled from the pieces is that of the loss, on and off policy", () => {
  const logits = start();
  const { sequences } = sampleGroup(logits, 3, 32);
  const moved = logits.map((row, t) => row.map((value, arm) => value + 0.9 * Math.sin(5 * t + 3 * arm)));
  for (const point of [logits, moved]) {
    const { gradient } = objective(point, sequences);
    const h = 1e-6;
    for (const [t, row] of point.entries())
      for (const arm of row.keys()) {
        const at = (delta: number) =>
          objective(
            point.map((values, r) =>
              values.map((value, a) => (r === t && a === arm ? value + delta : value)),
            ),
            sequences,
          ).loss;
        expect(gradient[t]?.[arm]).toBeCloseTo((at(h) - at(-h)) / (2 * h), 6);
      }
  }
});

test("following it raises the reward from rare to nearly always", () => {
  const logits = start();
  const rewards: number[] = [];
  for (let step = 0; step < 150; step++) {
    const { sequences, mean } = sampleGroup(logits, 100 + step);
    rewards.push(mean);
    const { gradient } = objective(logits, sequences);
    for (const [t, row] of gradient.entries())
      for (const [arm, slope] of row.entries()) (logits[t] as number[])[arm]! -= 2 * slope;
  }
  const average = (part: number[]) => part.reduce((sum, value) => sum + value, 0) / part.length;
  expect(average(rewards.slice(0, 20))).toBeLessThan(0.35);
  expect(average(rewards.slice(-20))).toBeGreaterThan(0.85);
});
