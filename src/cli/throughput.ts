/** Tokens per second over a sliding window, and the time a stage still needs at its own pace. */

/** Long enough to smooth over the alternation of sampling and training within a step. */
const WINDOW_SECONDS = 15;

export interface Throughput {
  /** Takes one progress report; undefined until there is something to divide by. */
  update(report: { done: number; steps: number; tokens: number; seconds: number }): {
    tokensPerSecond: number | undefined;
    etaSeconds: number | undefined;
  };
}

/** Counts from the first report on, so that a resumed stage is not credited with steps of an earlier attempt. */
export function createThroughput(): Throughput {
  const window: { tokens: number; seconds: number }[] = [{ tokens: 0, seconds: 0 }];
  let first: { done: number; seconds: number } | undefined;
  return {
    update({ done, steps, tokens, seconds }) {
      window.push({ tokens, seconds });
      while (window.length > 2 && seconds - window[1]!.seconds > WINDOW_SECONDS) window.shift();
      const span = seconds - window[0]!.seconds;
      const drawn = tokens - window[0]!.tokens;
      first ??= { done, seconds };
      const pace = (done - first.done) / (seconds - first.seconds);
      return {
        tokensPerSecond: span > 0 && drawn > 0 ? drawn / span : undefined,
        etaSeconds: pace > 0 ? Math.max(0, steps - done) / pace : undefined,
      };
    },
  };
}
