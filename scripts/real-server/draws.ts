/**
 * Whether a server draws what it says it draws: frequencies of the first token against the log-probabilities reported
 * with it, at temperatures where both depend on the temperature being applied once and in the right place.
 */
import { openaiEngineSchema } from "../../src/config/engine.ts";
import { openServedModel } from "../../src/engine/openai/open.ts";
import type { Completion } from "../../src/engine/seams.ts";

/** Draws of one token per temperature. */
const DRAWS = 400;
/** Tokens expected less often are counted together, as the chi-square test wants. */
const MIN_EXPECTED = 5;
const TEMPERATURES = [0.7, 1, 1.5];

interface DrawTest {
  distinctTokens: number;
  /** Draws without a log-probability: a token that is part of a character is reported without one. */
  unscored: number;
  statistic: number;
  degreesOfFreedom: number;
  /** Standard normal deviate of the statistic (Wilson and Hilferty): beyond 3 the two disagree. */
  deviate: number;
}

/** @param drawn one token each */
function testDraws(drawn: readonly Completion[]): DrawTest {
  const counts = new Map<number, { count: number; probability: number | null }>();
  for (const { tokens, logprobs } of drawn) {
    const [token, logprob] = [tokens[0] as number, logprobs[0]];
    const cell = counts.get(token) ?? {
      count: 0,
      probability: logprob === undefined ? null : Math.exp(logprob),
    };
    counts.set(token, { ...cell, count: cell.count + 1 });
  }
  const likely = [...counts.values()].filter(
    ({ probability }) => probability !== null && drawn.length * probability >= MIN_EXPECTED,
  ) as { count: number; probability: number }[];
  const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
  const rest = {
    count: drawn.length - sum(likely.map(({ count }) => count)),
    probability: Math.max(1 / drawn.length, 1 - sum(likely.map(({ probability }) => probability))),
  };
  const statistic = sum(
    [...likely, rest].map(
      ({ count, probability }) => (count - drawn.length * probability) ** 2 / (drawn.length * probability),
    ),
  );
  const degrees = likely.length;
  const spread = 2 / (9 * degrees);
  return {
    distinctTokens: counts.size,
    unscored: drawn.filter(({ logprobs }) => logprobs.length === 0).length,
    statistic,
    degreesOfFreedom: degrees,
    deviate: (Math.cbrt(statistic / degrees) - (1 - spread)) / Math.sqrt(spread),
  };
}

/** Prints a line per temperature. @throws {Error} when draws and reported probabilities disagree */
export async function compareDraws(url: string): Promise<void> {
  for (const temperature of TEMPERATURES) {
    const engine = openaiEngineSchema.parse({ kind: "openai", baseUrl: url, concurrency: 4 });
    const sampler = await openServedModel("default", engine);
    const sampling = { temperature, topK: 0, topP: 1, minP: 0, maxNewTokens: 1 };
    const prompt = "Name a colour.";
    const messages = [{ role: "user" as const, content: prompt }];
    const [drawn = []] = await sampler.sample([{ prompt, messages, samples: DRAWS, sampling, seed: 1 }]);
    await sampler.close();
    const { distinctTokens, unscored, statistic, degreesOfFreedom, deviate } = testDraws(drawn);
    console.log(
      `T ${temperature}: ${distinctTokens} different first tokens in ${DRAWS} draws, chi-square ${statistic.toFixed(1)} with ${degreesOfFreedom} degrees of freedom (${deviate.toFixed(1)} standard deviations), ${unscored} draws without a log-probability`,
    );
    if (deviate > 4) throw new Error(`T ${temperature}: draws and reported log-probabilities disagree`);
  }
}
