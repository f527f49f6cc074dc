import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createDataOrder } from "./data-order.ts";

describe("createDataOrder", () => {
  test("an epoch visits no problem twice and leaves out less than a batch", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 60 }), (count, batchSize) => {
        const order = createDataOrder(count, batchSize, 3, "order");
        const seen = Array.from({ length: order.batchesPerEpoch }, (_, i) => order.batch(i)).flat();
        expect(new Set(seen).size).toBe(seen.length);
        expect(count - seen.length).toBeLessThan(order.batchSize);
      }),
    );
  });

  test("any batch can be asked for in any order", () => {
    const forward = createDataOrder(20, 6, 1, "order");
    const backward = createDataOrder(20, 6, 1, "order");
    const late = backward.batch(7);
    expect(backward.batch(0)).toEqual(forward.batch(0));
    expect(forward.batch(7)).toEqual(late);
  });

  test("epochs and seeds differ", () => {
    const order = createDataOrder(30, 30, 1, "order");
    expect(order.batch(0)).not.toEqual(order.batch(1));
    expect(order.batch(0)).not.toEqual(createDataOrder(30, 30, 2, "order").batch(0));
  });

  test("a curriculum keeps the given order in every epoch", () => {
    const order = createDataOrder(7, 3, 1, "order", "given");
    expect([order.batch(0), order.batch(1), order.batch(2)]).toEqual([
      [0, 1, 2],
      [3, 4, 5],
      [0, 1, 2],
    ]);
  });

  test("fewer problems than a batch make smaller batches", () => {
    expect(createDataOrder(3, 8, 1, "order").batch(5).sort()).toEqual([0, 1, 2]);
    expect(() => createDataOrder(0, 8, 1, "order")).toThrow(RangeError);
  });
});
