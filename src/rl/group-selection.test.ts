import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomStream } from "../random.ts";
import { backfillGroups, createGroupCollector, GroupCache, rejectGroups } from "./group-selection.ts";

fc.configureGlobal({ seed: 20260318 });

test("reject keeps the good groups in order", () => {
  expect(rejectGroups(["a", "b", "c"], [true, false, true])).toEqual(["a", "c"]);
  expect(() => rejectGroups(["a"], [])).toThrow(RangeError);
});

describe("filter", () => {
  test("collects over rounds until the batch is full", () => {
    const collector = createGroupCollector<string>(3, 10);
    expect(collector.add(["a", "b"], [true, false])).toBe(false);
    expect(collector.missing()).toBe(2);
    expect(collector.add(["c", "d", "e"], [true, true, true])).toBe(true);
    expect(collector.groups()).toEqual(["a", "c", "d"]);
    expect(collector.rounds()).toBe(2);
  });

  test("gives up after the last round", () => {
    const collector = createGroupCollector<string>(3, 2);
    expect(collector.add(["a"], [false])).toBe(false);
    expect(collector.add(["a"], [false])).toBe(true);
    expect(collector.groups()).toEqual([]);
  });
});

describe("backfill", () => {
  test("fills with stored groups, each used once, then runs dry", () => {
    const cache = new GroupCache<string>({ capacity: 4 });
    const stream = randomStream(1, "backfill");
    expect(backfillGroups(["a", "b", "c"], [true, true, true], cache, 0, stream)).toEqual({
      groups: ["a", "b", "c"],
      backfilled: 0,
    });
    const second = backfillGroups(["d", "e", "f"], [true, false, false], cache, 1, stream);
    expect(second.backfilled).toBe(2);
    expect(second.groups[0]).toBe("d");
    const third = backfillGroups(["g", "h", "i"], [false, false, false], cache, 2, stream);
    // One of a, b, c is left and d joined; the backfilled ones did not return to the store.
    expect([...second.groups, ...third.groups].sort()).toEqual(["a", "b", "c", "d", "d"]);
    expect(cache.size).toBe(0);
  });

  test("bounded, oldest first out, and old groups are not used", () => {
    const cache = new GroupCache<number>({ capacity: 3, maxAgeSteps: 5 });
    cache.add([1, 2], 0);
    cache.add([3, 4], 4);
    expect(cache.snapshot().map((entry) => entry.group)).toEqual([2, 3, 4]);
    expect(cache.take(9, 6, randomStream(1, "x")).sort()).toEqual([3, 4]);
    expect(cache.size).toBe(0);
  });

  test("a restored store continues alike", () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { maxLength: 12 }), fc.nat(8), (groups, count) => {
        const cache = new GroupCache<number>({ capacity: 8 });
        for (const [step, group] of groups.entries()) cache.add([group], step);
        const copy = new GroupCache<number>({ capacity: 8 });
        copy.restore(JSON.parse(JSON.stringify(cache.snapshot())));
        expect(copy.take(count, 20, randomStream(2, "b"))).toEqual(
          cache.take(count, 20, randomStream(2, "b")),
        );
        expect(copy.snapshot()).toEqual(cache.snapshot());
      }),
    );
  });
});
