/** The published and derived vectors of the recipe; read from beside the repository, skipped where absent. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { groupAdvantages } from "./advantage.ts";
import { judgeEasyProblems } from "./drop-easy.ts";
import { policyGradientLoss } from "./loss.ts";
import { passesSubstitutionGate } from "./substitution.ts";
import {
  initialTemperature,
  interpolatedTemperature,
  matchTemperature,
  temperatureZones,
} from "./temperature.ts";
import { policyGradientTokenLoss } from "./token-loss.ts";

const path = "../shared/golden/golden_numeric.json";
const present = existsSync(path);
if (!present) console.log(`golden vectors skipped: ${path} is absent`);

interface Golden {
  grpo_advantage: { rewards: number[]; adv_std: number[]; adv_nostd: number[] }[];
  ppo_token_loss: { advantage: number; ratio: number; loss: number }[];
  substitution_gate: { batch: number; good: number; proceed_floor_rule: boolean }[];
  drop_easy: { scores: number[]; avg: number; drop: boolean }[];
  temperature_fig7: Record<
    "temps" | "diversity_before" | "diversity_400" | "diversity_800" | "acc_before" | "acc_400" | "acc_800",
    number[]
  > & {
    target_at_T0_0p7: number;
    published_choice: { stage2: number; stage3: number };
    interpolated_match: { after400: number; after800: number };
  };
}

describe.skipIf(!present)("golden vectors", () => {
  const golden = present
    ? (JSON.parse(readFileSync(path, "utf8")) as Golden)
    : (undefined as unknown as Golden);

  test("advantages", () => {
    expect(golden.grpo_advantage.length).toBeGreaterThan(9);
    for (const { rewards, adv_std, adv_nostd } of golden.grpo_advantage) {
      const withStd = groupAdvantages(rewards);
      const without = groupAdvantages(rewards, { normalizeByStd: false });
      for (const i of rewards.keys()) {
        expect(withStd[i]).toBeCloseTo(adv_std[i] as number, 12);
        expect(without[i]).toBeCloseTo(adv_nostd[i] as number, 12);
      }
    }
  });

  test("token loss", () => {
    const loss = policyGradientLoss({ temperature: 1.4 });
    expect(golden.ppo_token_loss.length).toBeGreaterThan(9);
    for (const { advantage, ratio, loss: expected } of golden.ppo_token_loss) {
      const result = policyGradientTokenLoss({ logprob: Math.log(ratio), oldLogprob: 0, advantage }, loss);
      expect(result.loss).toBeCloseTo(expected, 12);
    }
  });

  test("substitution gate", () => {
    for (const { batch, good, proceed_floor_rule } of golden.substitution_gate)
      expect(passesSubstitutionGate(good, batch), `${good} of ${batch}`).toBe(proceed_floor_rule);
  });

  test("drop rule", () => {
    const log = golden.drop_easy.flatMap(({ scores }, i) =>
      scores.map((score) => ({ index: [i], score: [score] })),
    );
    const judged = judgeEasyProblems(log);
    expect(judged).toHaveLength(golden.drop_easy.length);
    for (const [i, { avg, drop }] of golden.drop_easy.entries()) {
      expect(judged[i]?.accuracy).toBeCloseTo(avg, 12);
      expect(judged[i]?.dropped).toBe(drop);
    }
  });

  test("temperature zones and the published choices of the 7B model", () => {
    const data = golden.temperature_fig7;
    const curve = (diversity: number[], accuracy: number[]) =>
      data.temps.map((temperature, i) => ({
        temperature,
        diversity: diversity[i] as number,
        accuracy: (accuracy[i] as number) / 100,
      }));
    const before = curve(data.diversity_before, data.acc_before);
    expect(initialTemperature(before)).toBe(0.7);
    expect(temperatureZones(before).explorationTo).toBe(1);
    expect(before.find((point) => point.temperature === 0.7)?.diversity).toBe(data.target_at_T0_0p7);
    const target = data.target_at_T0_0p7;
    const after400 = curve(data.diversity_400, data.acc_400);
    const after800 = curve(data.diversity_800, data.acc_800);
    expect(interpolatedTemperature(after400, target)).toBeCloseTo(data.interpolated_match.after400, 12);
    expect(interpolatedTemperature(after800, target)).toBeCloseTo(data.interpolated_match.after800, 12);
    expect(matchTemperature(after400, { targetDiversity: target, minTemperature: 0.7 })).toEqual({
      temperature: data.published_choice.stage2,
      diversity: 64,
      reached: true,
      warning: null,
    });
    // The third stage was searched on a 0.1 grid; the figure's curve gives the point between 1.0 and 1.2.
    const finer = [...after800, { temperature: 1.1, diversity: (54 + 70) / 2, accuracy: (0.62 + 0.54) / 2 }];
    expect(matchTemperature(finer, { targetDiversity: target, minTemperature: 1 }).temperature).toBe(
      data.published_choice.stage3,
    );
  });
});
