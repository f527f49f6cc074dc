/**
 * Canonical keys: equal for equal mathematics, different otherwise, stable in any order of calls.
 */
import { hash128 } from "./hash.ts";

export interface KeyOptions {
  /** `keep`: the left side is part of the key, `n=2` and `k=2` differ; `rhs`: it is dropped. @default "keep" */
  equationMode?: "keep" | "rhs";
}

/** The span as compact text: wrappers, sizes and spacing removed. */
function compact(span: string): string {
  return span
    .replace(/\\(?:left|right|displaystyle|,|!|;|:| )/g, "")
    .replace(/\\[dt]frac/g, "\\frac")
    .replace(/\\(?:cdot|times)/g, "*")
    .replace(/[$\s]/g, "")
    .replace(/[.,;]+$/, "");
}

/**
 * The canonical key of an intermediate result or an answer, 32 hexadecimal digits. A chain of equalities has the key
 * of its first and last member.
 */
export function canonicalKey(span: string, options: KeyOptions = {}): string {
  const members = compact(span.slice(0, 4000)).split("=");
  const last = members.at(-1) as string;
  if (members.length === 1 || options.equationMode === "rhs") return hash128(`text:${last}`);
  return hash128(`eq:${members[0]}=${last}`);
}
