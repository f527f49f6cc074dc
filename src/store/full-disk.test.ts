/** A disk that is full while a store or the ledger writes: one clear line, nothing half kept, and it goes on when there is room. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import { StoreError } from "../errors.ts";
import type { Rollout } from "../types.ts";
import { openLedger } from "./ledger.ts";
import { openRolloutReader, openRolloutStore } from "./rollouts/open.ts";
import { openRolloutSink } from "./rollouts/sink.ts";
import { sampleRollouts } from "./rollouts/testing/sample-rollouts.ts";
import { openSmallDisk, smallDisksWork } from "./testing/small-disk.ts";

const works = smallDisksWork();

/** The error an action ends with; it must be one the user can act on. */
function refused(action: () => unknown): StoreError {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(StoreError);
    const { message, hint } = error as StoreError;
    expect(message).toMatch(/^cannot write \S+: (no space left on the disk|the disk reports an error)$/);
    expect(hint).toMatch(/free some space|not full/);
    return error as StoreError;
  }
  throw new Error("expected an error");
}

const batches = new Map<number, Rollout[]>();
/** The rollouts of a step, made once. */
function batch(step: number): Rollout[] {
  const known = batches.get(step) ?? [...sampleRollouts(step * 40, (step + 1) * 40, { step, tokens: 60 })];
  batches.set(step, known);
  return known;
}
const readAll = (path: string): Rollout[] =>
  [...openRolloutReader(path).read()].map(({ rollout }) => rollout);
const segments = (path: string): Buffer[] =>
  readdirSync(path)
    .filter((name) => name.endsWith(".rollouts"))
    .sort()
    .map((name) => readFileSync(join(path, name)));

describe.skipIf(!works)("on a full disk", () => {
  test.each([2 ** 28, 50_000])(
    "a store loses the batch in hand and no other; segments of %i bytes",
    (segmentBytes) => {
      const disk = openSmallDisk(2 ** 20);
      const path = join(disk.folder, "pool");
      const store = openRolloutStore(path, { segmentBytes, blockRows: 16 });
      const kept: Rollout[] = [];
      let step = 0;
      disk.fill(150_000);
      const error = refused(() => {
        for (; step < 1000; step++) {
          store.append(batch(step));
          kept.push(...batch(step));
        }
      });
      expect(error.message).toContain(path);
      expect(step).toBeGreaterThan(2);
      for (const leave of [0, 4096, 8192]) {
        disk.fill(leave);
        refused(() => store.append(batch(step)));
        expect(store.length).toBe(kept.length);
        expect(isDeepStrictEqual(readAll(path), kept)).toBe(true);
      }
      disk.free();
      store.append(batch(step));
      store.append(batch(step + 1));
      store.close();
      kept.push(...batch(step), ...batch(step + 1));
      expect(isDeepStrictEqual(readAll(path), kept)).toBe(true);
      const other = join(disk.folder, "undisturbed");
      const undisturbed = openRolloutStore(other, { segmentBytes, blockRows: 16 });
      for (let i = 0; i <= step + 1; i++) undisturbed.append(batch(i));
      undisturbed.close();
      expect(isDeepStrictEqual(segments(path), segments(other))).toBe(true);
    },
    60_000,
  );

  test("a store that was left on a full disk is read there, and opened for writing when there is room", () => {
    const disk = openSmallDisk(2 ** 20);
    const path = join(disk.folder, "pool");
    const store = openRolloutStore(path);
    store.append(batch(0));
    disk.fill();
    refused(() => store.append(batch(1)));
    store.close();
    expect(readAll(path)).toEqual(batch(0));
    // The lock that was given back made a little room.
    disk.fill();
    refused(() => openRolloutStore(path));
    expect(readdirSync(path).sort()).toEqual(["000000.rollouts", "store.json"]);
    refused(() => openRolloutStore(join(disk.folder, "new")).append(batch(0)));
    disk.free();
    const again = openRolloutStore(path);
    again.append(batch(1));
    again.close();
    expect(readAll(path)).toEqual([...batch(0), ...batch(1)]);
  });

  test.each(["pool", "rollouts.jsonl", "rollouts.jsonl.gz"])(
    "nothing is left of %s that did not fit",
    (name) => {
      const disk = openSmallDisk(2 ** 20);
      for (const leave of [0, 8192, 100_000]) {
        disk.fill(leave);
        refused(() => {
          const sink = openRolloutSink(join(disk.folder, name));
          try {
            for (let step = 0; step < 30; step++) for (const rollout of batch(step)) sink.write(rollout);
            sink.close();
          } finally {
            sink.discard();
          }
        });
        expect(readdirSync(disk.folder)).toEqual(["filler"]);
      }
      disk.free();
      const sink = openRolloutSink(join(disk.folder, name));
      for (const rollout of batch(0)) sink.write(rollout);
      sink.close();
      sink.discard();
      expect(readdirSync(disk.folder)).toEqual([name]);
    },
    60_000,
  );

  test("the ledger refuses a note and keeps those before it", () => {
    const disk = openSmallDisk(2 ** 20);
    const path = join(disk.folder, "ledger.db");
    const ledger = openLedger(path, { create: true });
    const output = { files: { text: "x".repeat(20_000) } };
    ledger.begin("first", "sft", "key", {});
    ledger.finish("first", output, 1);
    disk.fill();
    refused(() => {
      for (let i = 0; i < 100; i++) {
        ledger.begin(`stage-${i}`, "sft", "key", {});
        ledger.finish(`stage-${i}`, output, 1);
      }
    });
    expect(ledger.step("first")).toMatchObject({ status: "done", output });
    disk.free();
    ledger.begin("second", "sft", "key", {});
    ledger.finish("second", output, 1);
    ledger.close();
    const again = openLedger(path);
    expect(again.step("first")).toMatchObject({ status: "done", output });
    expect(again.step("second")).toMatchObject({ status: "done", output });
    again.close();
  });
});
