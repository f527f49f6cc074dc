/**
 * 128-bit hash of a tagged string, the last step of every canonical key. Four 32-bit lanes, multiply-xorshift mixing
 * as in MurmurHash3 (Appleby, public domain algorithm); not for cryptography. The same on every machine: only
 * 32-bit integer arithmetic is used.
 */

function finish(value: number): number {
  let h = value;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Two-digit hexadecimal text of each byte. */
const HEX = Array.from({ length: 256 }, (_, i) => (i < 16 ? "0" : "") + i.toString(16));

function hex(word: number): string {
  return (
    (HEX[word >>> 24] as string) +
    (HEX[(word >>> 16) & 255] as string) +
    (HEX[(word >>> 8) & 255] as string) +
    (HEX[word & 255] as string)
  );
}

/** 128-bit hash of the UTF-16 code units of `text`, as 32 hexadecimal digits. */
export function hash128(text: string): string {
  let a = 0x239b961b;
  let b = 0x38b34ae5;
  let c = 0xa1e38b93;
  let d = 0xab0e9789;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x9e3779b1);
    b = Math.imul(b ^ (code + (a >>> 15)), 0x85ebca77);
    c = Math.imul(c ^ (code + (b >>> 13)), 0xc2b2ae3d);
    d = Math.imul(d ^ (code + (c >>> 16)), 0x27d4eb2f);
    a ^= d >>> 17;
  }
  a = finish(a ^ text.length);
  b = finish(b ^ a);
  c = finish(c ^ b);
  d = finish(d ^ c);
  a = finish(a ^ d);
  return hex(a) + hex(b) + hex(c) + hex(d);
}

/** 32-bit hash, for choosing values; the low collision resistance is the caller's business. */
export function hash32(text: string, seed: number): number {
  let h = seed >>> 0;
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 0x9e3779b1);
    h ^= h >>> 15;
  }
  return finish(h ^ text.length);
}
