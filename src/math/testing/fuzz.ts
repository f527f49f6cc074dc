/**
 * One fuzz run: mutated inputs through every public function. A finding is a throw, an asymmetric verdict, a key that
 * depends on what was computed before, or an input that is slow each time it is tried.
 */
import { extractAnswer } from "../extract.ts";
import { gradeResponse } from "../grade.ts";
import { canonicalForm, canonicalKey } from "../key.ts";
import { extractSteps } from "../steps.ts";
import { verify } from "../verify.ts";
import { fuzzStream, mutate, SEEDS } from "./mutate.ts";

export interface FuzzOptions {
  seed: number;
  inputs: number;
  /** Extra starting points. */
  corpus?: readonly string[];
  /** Slowest acceptable call, milliseconds; each suspect is timed five times more and judged by its fastest. */
  limitMs?: number;
  /** Milliseconds, for timing. */
  now: () => number;
}

export interface FuzzFinding {
  kind: "throw" | "asymmetric" | "history" | "slow";
  index: number;
  input: string;
  other: string;
  detail: string;
}

export interface FuzzReport {
  inputs: number;
  findings: FuzzFinding[];
  /** Slowest confirmed call, milliseconds. */
  slowestMs: number;
}

const MAX_FINDINGS = 20;

export function fuzz({ seed, inputs, corpus = [], limitMs = 5, now }: FuzzOptions): FuzzReport {
  const stream = fuzzStream(seed);
  const sources = [...SEEDS, ...corpus];
  const findings: FuzzFinding[] = [];
  const remembered: [string, string, string][] = [];
  let slowestMs = 0;
  let previous = "1";
  for (let index = 0; index < inputs && findings.length < MAX_FINDINGS; index++) {
    const input = mutate(stream, sources);
    // Half of the pairs are related: an input and a mutation of it.
    const other = stream.integer(2) === 0 ? previous : mutate(stream, [input]);
    previous = input;
    const report = (kind: FuzzFinding["kind"], detail: string): void => {
      findings.push({ kind, index, input, other, detail });
    };
    const timed = (name: string, run: () => unknown): void => {
      let start = now();
      run();
      let took = now() - start;
      for (let i = 0; took > limitMs && i < 5; i++) {
        start = now();
        run();
        took = Math.min(took, now() - start);
      }
      slowestMs = Math.max(slowestMs, Math.min(took, limitMs * 100));
      if (took > limitMs) report("slow", `${name} ${took.toFixed(1)} ms`);
    };
    try {
      timed("key", () => canonicalForm(input));
      timed("verify", () => verify(input, other));
      if (verify(input, other).equal !== verify(other, input).equal)
        report("asymmetric", `${verify(input, other).rule} / ${verify(other, input).rule}`);
      timed("steps", () => extractSteps(`\\underline{${input}} ${other}`, { dropGivens: other }));
      timed("extract", () => extractAnswer(`\\boxed{${input}} ${other}`, { boxes: "all", prose: true }));
      if (index % 8 === 0) timed("compat", () => verify(input, other, { mode: "compat" }));
      if (gradeResponse(other, `\\boxed{${input}}`).correct === null) report("throw", "gradeResponse failed");
      if (index % 64 === 0) {
        remembered.push([input, canonicalForm(input), canonicalKey(input)]);
        if (remembered.length > 200) remembered.shift();
        const [old, form, key] = stream.pick(remembered);
        if (canonicalForm(old) !== form || canonicalKey(old) !== key)
          findings.push({ kind: "history", index, input: old, other: "", detail: form });
      }
    } catch (error) {
      report("throw", error instanceof Error ? `${error.name}: ${error.message}` : String(error));
    }
  }
  return { inputs, findings, slowestMs };
}
