/**
 * Named, seeded random streams. Everything random in a run draws from one of these, so that a resumed run
 * continues bit for bit. Not for cryptography.
 * Source: xoshiro128** (Blackman and Vigna, 2018); the seed is spread by splitmix32 over an FNV-1a hash of the name.
 */

/** Serialisable state of a stream: four 32-bit words. */
export type RandomState = [number, number, number, number];

/** A stream of uniform draws. */
export interface RandomStream {
  /** Uniform 32-bit unsigned integer. */
  uint32(): number;
  /** Uniform in [0, 1) with 24 bits, exactly representable in float32. */
  uniform(): number;
  /** Uniform integer in [0, limit). @throws {RangeError} when limit is not in 1..2^32 */
  integer(limit: number): number;
  /** Standard normal draw (Box-Muller). */
  normal(): number;
  /** Uniform element. @throws {RangeError} when the list is empty */
  pick<T>(values: readonly T[]): T;
  /** New array with the elements in random order (Fisher-Yates). */
  shuffle<T>(values: readonly T[]): T[];
  state(): RandomState;
  restore(state: RandomState): void;
}

/** FNV-1a over UTF-16 code units, 32 bits. */
function hashName(text: string, start: number): number {
  let hash = start >>> 0;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}

/**
 * Opens the stream called `names` under `seed`; equal arguments give equal streams on every machine.
 *
 * @param seed integer
 * @param names path of the stream, for example `"rl", "rollout", step, problemIndex`
 */
export function randomStream(seed: number, ...names: (string | number)[]): RandomStream {
  let hash = hashName(String(seed), 0x811c9dc5);
  for (const name of names) hash = hashName(`/${name}`, hash);
  let spread = hash;
  const splitmix = (): number => {
    spread = (spread + 0x9e3779b9) >>> 0;
    let z = spread;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  // A second hash of the whole path keeps streams apart whose first 32 bits collide.
  const second = hashName(`${names.join("/")}#${seed}`, 0x9747b28c);
  let a = splitmix();
  let b = splitmix() ^ second;
  let c = splitmix();
  let d = splitmix() | 1;
  const uint32 = (): number => {
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    return result;
  };
  const stream: RandomStream = {
    uint32,
    uniform: () => (uint32() >>> 8) / 16777216,
    integer(limit) {
      if (!(Number.isInteger(limit) && limit >= 1 && limit <= 4294967296))
        throw new RangeError(`integer limit: expected 1..2^32, got ${limit}`);
      // Rejection keeps the draw exactly uniform.
      const ceiling = 4294967296 - (4294967296 % limit);
      for (;;) {
        const draw = uint32();
        if (draw < ceiling) return draw % limit;
      }
    },
    normal() {
      const radius = Math.sqrt(-2 * Math.log(1 - stream.uniform()));
      return radius * Math.cos(2 * Math.PI * stream.uniform());
    },
    pick(values) {
      if (values.length === 0) throw new RangeError("pick: expected a non-empty list");
      return values[stream.integer(values.length)] as (typeof values)[number];
    },
    shuffle(values) {
      const result = [...values];
      for (let i = result.length - 1; i > 0; i--) {
        const j = stream.integer(i + 1);
        const kept = result[i] as (typeof result)[number];
        result[i] = result[j] as (typeof result)[number];
        result[j] = kept;
      }
      return result;
    },
    state: () => [a >>> 0, b >>> 0, c >>> 0, d >>> 0],
    restore(state) {
      [a, b, c, d] = state;
    },
  };
  return stream;
}
