/**
 * One key for a problem that occurs under several ids, so that its trajectories vote in one set.
 * Source: recipe C3 row 10.
 */

/** Longest problem text read; longer ones differ before this point or are the same copy-paste. */
const MAX_PROBLEM_CHARS = 100_000;

/**
 * Text with spacing and equivalent Unicode sequences made equal. Case and compatibility forms stay: in mathematics
 * `X` is not `x`, and `x²` is not `x2`. A missed copy splits votes; two problems in one set would poison both.
 */
export function normalizedProblem(prompt: string): string {
  return prompt.slice(0, MAX_PROBLEM_CHARS).normalize("NFC").replace(/\s+/g, " ").trim();
}

/**
 * 64-bit FNV-1a of the normalised text, 16 hexadecimal digits; equal on every machine. Not for cryptography.
 */
export function problemKey(prompt: string): string {
  let hash = 0xcbf29ce484222325n;
  const text = normalizedProblem(prompt);
  for (let i = 0; i < text.length; i++)
    hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(i))) * 0x100000001b3n);
  return hash.toString(16).padStart(16, "0");
}
