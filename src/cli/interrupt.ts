/** Ctrl-C: once asks the run to finish the step in hand, twice stops at once. SIGTERM counts as Ctrl-C. */
import { EXIT_CODE } from "../errors.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * @param onFirst told at the first signal, to tell the user
 * @returns the signal for the run, and a call that removes the handlers
 */
export function listenForInterrupt(onFirst: () => void): { signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const handle = (): void => {
    // At once and without clean-up: the run folder is made to survive it.
    if (controller.signal.aborted) process.exit(EXIT_CODE.interrupted);
    onFirst();
    controller.abort();
  };
  for (const name of SIGNALS) process.on(name, handle);
  return {
    signal: controller.signal,
    dispose: () => {
      for (const name of SIGNALS) process.off(name, handle);
    },
  };
}
