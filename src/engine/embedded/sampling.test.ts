/** The sampler against the trainer: equal log-probabilities, the right frequencies, seeds, threads and stopping. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SamplingParameters } from "../../types.ts";
import type { Completion, SampleRequest } from "../seams.ts";
import { type EmbeddedPolicy, openEmbeddedPolicy } from "./policy.ts";

const CHECKPOINT = "test/peers/golden/gqa-untied";
const SAMPLING: SamplingParameters = { temperature: 1, topK: 0, topP: 1, minP: 0, maxNewTokens: 12 };

let policy: EmbeddedPolicy;
/** Prompt text of given token ids, through the checkpoint's own tokenizer. */
const promptOf = (ids: number[]): string => policy.tokenizer.decode(ids);

function request(
  ids: number[],
  samples: number,
  sampling: Partial<SamplingParameters> = {},
  seed = 1,
): SampleRequest {
  return { prompt: promptOf(ids), samples, seed, sampling: { ...SAMPLING, ...sampling } };
}

const sequences = (completions: Completion[][]) =>
  completions.flat().map(({ promptTokens, tokens }) => ({ promptTokens, responseTokens: tokens }));

beforeAll(async () => {
  policy = await openEmbeddedPolicy({ checkpoint: CHECKPOINT, workers: 2, lanes: 2, decodeRows: 48 });
});
afterAll(async () => policy.close());

/** log softmax(z / T) of the token after a prompt, for the whole vocabulary. */
async function distribution(prompt: number[], temperature: number, vocabulary: number): Promise<number[]> {
  const all = Array.from({ length: vocabulary }, (_, token) => ({
    promptTokens: prompt,
    responseTokens: [token],
  }));
  return (await policy.logprobs(all, temperature)).map(({ logprobs }) => logprobs[0] as number);
}

/** Chi-square of counts against probabilities over cells with at least 5 expected; the rest are pooled. */
function chiSquare(counts: number[], probabilities: number[], total: number) {
  let statistic = 0;
  let cells = 0;
  let restCount = 0;
  let restExpected = 0;
  probabilities.forEach((p, i) => {
    const expected = p * total;
    if (expected < 5) {
      restCount += counts[i] as number;
      restExpected += expected;
      return;
    }
    statistic += ((counts[i] as number) - expected) ** 2 / expected;
    cells += 1;
  });
  if (restExpected >= 1) {
    statistic += (restCount - restExpected) ** 2 / restExpected;
    cells += 1;
  } else
    expect(restCount, "draws of tokens with next to no probability").toBeLessThanOrEqual(5 + restExpected);
  return { statistic, degrees: Math.max(1, cells - 1) };
}

describe("embedded sampler", () => {
  it("reports the log-probabilities the trainer computes, at any temperature, for ragged prompts", async () => {
    const prompts = [
      [5],
      [3, 4, 5, 6, 7, 8],
      [9, 3, 9],
      [7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7],
    ];
    for (const temperature of [1, 1.4]) {
      const drawn = await policy.sample(prompts.map((ids, i) => request(ids, 30, { temperature }, i)));
      const trainer = await policy.logprobs(sequences(drawn), temperature);
      drawn.flat().forEach(({ logprobs }, i) => {
        for (const [t, value] of logprobs.entries())
          expect(Math.abs(value - (trainer[i]?.logprobs[t] as number))).toBeLessThan(1e-5);
      });
    }
  });

  it.each([
    ["no filter", {}, 1],
    ["temperature 1.4", { temperature: 1.4 }, 1.4],
    ["top-k 3", { topK: 3 }, 1],
    ["top-p 0.8", { topP: 0.8 }, 1],
    ["min-p 0.2", { minP: 0.2 }, 1],
    ["top-k 6, top-p 0.9, min-p 0.05 at 1.4", { topK: 6, topP: 0.9, minP: 0.05, temperature: 1.4 }, 1.4],
  ] as [string, Partial<SamplingParameters>, number][])(
    "draws tokens with the frequencies of softmax(z/T): %s",
    async (_, change, temperature) => {
      const prompt = [3, 8, 4];
      const encoded = policy.tokenizer.encode(promptOf(prompt));
      const logprobs = await distribution(encoded, temperature, policy.tokenizer.vocabularySize);
      // The filters, written out plainly.
      const ranked = logprobs
        .map((value, token) => ({ token, p: Math.exp(value) }))
        .sort((a, b) => b.p - a.p);
      const top = ranked[0]?.p as number;
      const minP = change.minP ?? 0;
      let kept = ranked.filter(({ p }, rank) => (!change.topK || rank < change.topK) && p >= top * minP);
      const mass = kept.reduce((sum, { p }) => sum + p, 0);
      let before = 0;
      kept = kept.filter(({ p }, rank) => {
        const inside = rank === 0 || before < mass * (change.topP ?? 1);
        before += p;
        return inside;
      });
      const total = kept.reduce((sum, { p }) => sum + p, 0);
      const expected = new Array<number>(logprobs.length).fill(0);
      for (const { token, p } of kept) expected[token] = p / total;
      const draws = 4000;
      const drawn = await policy.sample([request(prompt, draws, { ...change, maxNewTokens: 1 }, 77)]);
      const counts = new Array<number>(logprobs.length).fill(0);
      for (const { tokens } of drawn[0] as Completion[])
        counts[tokens[0] as number] = (counts[tokens[0] as number] as number) + 1;
      counts.forEach((count, token) => {
        if (expected[token] === 0) expect(count, `token ${token} is filtered out`).toBe(0);
      });
      const { statistic, degrees } = chiSquare(counts, expected, draws);
      // Mean of chi-square is its degrees of freedom, variance twice that; 4.5 sigma, with fixed seeds.
      expect(statistic).toBeLessThan(degrees + 4.5 * Math.sqrt(2 * degrees) + 3);
    },
  );

  it("is greedy at temperature 0", async () => {
    const [first, second] = await Promise.all(
      [1, 2].map((seed) => policy.sample([request([4, 5], 2, { temperature: 0 }, seed)])),
    );
    expect(first?.[0]?.[0]?.tokens).toEqual(second?.[0]?.[1]?.tokens);
    const prompt = first?.[0]?.[0]?.promptTokens as number[];
    const best = await distribution(prompt, 1, policy.tokenizer.vocabularySize);
    expect(first?.[0]?.[0]?.tokens[0]).toBe(best.indexOf(Math.max(...best)));
  });

  it("gives equal bits for one and two workers, and other responses for other seeds", async () => {
    const requests = [[5, 6], [7], [3, 4, 5]].map((ids, i) => request(ids, 6, {}, i));
    const single = await openEmbeddedPolicy({ checkpoint: CHECKPOINT, workers: 1, lanes: 2, decodeRows: 48 });
    try {
      const [one, two] = [await single.sample(requests), await policy.sample(requests)];
      expect(one).toEqual(two);
      expect(await policy.sample(requests.map((each) => ({ ...each, seed: each.seed + 100 })))).not.toEqual(
        two,
      );
    } finally {
      await single.close();
    }
  });

  it("marks responses cut at the limit and keeps the end token of finished ones", async () => {
    const drawn = (await policy.sample([request([5], 200, { maxNewTokens: 3, temperature: 3 })])).flat();
    for (const { tokens, finishReason } of drawn) {
      const ended = tokens.includes(policy.tokenizer.eosTokenId);
      expect(finishReason).toBe(ended ? "stop" : "length");
      expect(tokens.length).toBeLessThanOrEqual(3);
      if (ended) expect(tokens.indexOf(policy.tokenizer.eosTokenId)).toBe(tokens.length - 1);
    }
    expect(new Set(drawn.map(({ finishReason }) => finishReason)).size).toBe(2);
  });

  it("stops when asked and refuses prompts that do not fit", async () => {
    const stopped = new AbortController();
    stopped.abort();
    await expect(policy.sample([request([5], 4)], { signal: stopped.signal })).rejects.toThrow(/stopped/);
    await expect(policy.sample([request([5], 1, { maxNewTokens: 100_000 })])).rejects.toThrow(
      /exceed the model's/,
    );
  });
});
