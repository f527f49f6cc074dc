/**
 * Canonical keys: 128 bits that are equal for equal mathematics and different otherwise, whatever was computed
 * before, in every process. `K` in front of the hashed text versions them: keys of different versions never meet.
 */
import { formOf } from "./form.ts";
import { hash128 } from "./hash.ts";
import { parse } from "./parser.ts";

export interface KeyOptions {
  /** `keep`: the left side is part of the key, `n=2` and `k=2` differ; `rhs`: it is dropped. @default "keep" */
  equationMode?: "keep" | "rhs";
}

/** Version of the forms under the hash; raised when any key changes. */
const KEY_VERSION = "K1:";
/** Spans with a remembered key; repeats are a fifth of real spans. The memory is a pure function's, never a verdict's. */
const CACHE_SIZE = 32_768;

const caches: Record<"keep" | "rhs", Map<string, string>> = { keep: new Map(), rhs: new Map() };

/**
 * The canonical key of an intermediate result or an answer, 32 hexadecimal digits. A chain of equalities has the key
 * of its first and last member: `j=g+4=9+4=3` and `j=3` are one result, whatever the arithmetic between them.
 */
export function canonicalKey(span: string, options: KeyOptions = {}): string {
  const { equationMode = "keep" } = options;
  const cache = caches[equationMode];
  const known = cache.get(span);
  if (known !== undefined) return known;
  const key = keyOfForm(canonicalForm(span, options));
  if (span.length <= 200) {
    if (cache.size >= CACHE_SIZE) cache.clear();
    cache.set(span, key);
  }
  return key;
}

/** The key of a canonical form. */
export function keyOfForm(form: string): string {
  return hash128(KEY_VERSION + form);
}

/** Forgets remembered keys. Only time depends on them: for measurements and for tests of that. */
export function forgetKeys(): void {
  caches.keep.clear();
  caches.rhs.clear();
}

/** The text under a key, for explanations and tests. */
export function canonicalForm(span: string, options: KeyOptions = {}): string {
  return formOf(parse(span).root, { equationMode: options.equationMode ?? "keep" });
}
