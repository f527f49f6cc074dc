import { describe, expect, it } from "vitest";
import { randomStream } from "./random.ts";

describe("randomStream", () => {
  it("gives equal draws for equal names and other draws for other names", () => {
    const first = randomStream(7, "rl", 3);
    const again = randomStream(7, "rl", 3);
    expect([first.uint32(), first.uint32()]).toEqual([again.uint32(), again.uint32()]);
    expect(randomStream(7, "rl", 3).uint32()).not.toBe(randomStream(7, "rl", 4).uint32());
    expect(randomStream(7, "a").uint32()).not.toBe(randomStream(8, "a").uint32());
  });

  it("continues bit for bit from a restored state", () => {
    const stream = randomStream(1, "resume");
    stream.uniform();
    const state = stream.state();
    const expected = Array.from({ length: 8 }, () => stream.uniform());
    const other = randomStream(99, "other");
    other.restore(state);
    expect(Array.from({ length: 8 }, () => other.uniform())).toEqual(expected);
  });

  it("is uniform over integers (chi-square, 9 degrees of freedom, p = 0.0001)", () => {
    const stream = randomStream(5, "chi");
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) {
      const draw = stream.integer(10);
      counts[draw] = (counts[draw] ?? 0) + 1;
    }
    const chi = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
    expect(chi).toBeLessThan(33.7);
  });

  it("shuffles without losing an element and draws standard normals", () => {
    const stream = randomStream(2, "shuffle");
    expect(stream.shuffle([1, 2, 3, 4, 5]).sort()).toEqual([1, 2, 3, 4, 5]);
    const values = Array.from({ length: 20_000 }, () => stream.normal());
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
  });
});
