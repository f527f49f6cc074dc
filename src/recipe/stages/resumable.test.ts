import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CheckpointError, InterruptedError } from "../../errors.ts";
import { findResumable, pruneResumable, stopIfAsked, writeResumable } from "./resumable.ts";
import { openTabularPolicy, type TabularPolicy, writeTabularModel } from "./testing/tabular-policy.ts";

let folder: string;
let policy: TabularPolicy;
let context: { checkpointFolder: string };
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "polaris-state-"));
  await writeTabularModel(join(folder, "model"), 1);
  policy = await openTabularPolicy(join(folder, "model"));
  context = { checkpointFolder: join(folder, "checkpoints") };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (step: number, loaded?: string) =>
  writeResumable(
    context,
    policy,
    { step, facts: { batch: step * 2 }, files: { "log.jsonl": `${step}\n` } },
    loaded,
  );

describe("resumable state", () => {
  test("the newest state is found, older ones are removed", async () => {
    expect(findResumable(context)).toBeNull();
    for (const step of [2, 4, 10]) await write(step);
    expect(findResumable(context)).toMatchObject({ step: 10, facts: { batch: 20 } });
    expect(readdirSync(context.checkpointFolder).sort()).toEqual(["step-10", "step-4"]);
    expect(existsSync(join(context.checkpointFolder, "step-10", "log.jsonl"))).toBe(true);
  });

  test("the folder a policy was loaded from stays until it is let go", async () => {
    await write(1);
    const loaded = join(context.checkpointFolder, "step-1");
    for (const step of [2, 3, 4]) await write(step, loaded);
    expect(readdirSync(context.checkpointFolder).sort()).toEqual(["step-1", "step-3", "step-4"]);
    pruneResumable(context);
    expect(readdirSync(context.checkpointFolder).sort()).toEqual(["step-3", "step-4"]);
  });

  test("a partial folder does not count, a damaged state is named", async () => {
    await write(3);
    writeFileSync(join(context.checkpointFolder, "step-3", "stage-state.json"), "{");
    expect(() => findResumable(context)).toThrow(CheckpointError);
    rmSync(join(context.checkpointFolder, "step-3"), { recursive: true });
    await write(2);
    await writeTabularModel(join(context.checkpointFolder, "step-9.partial"), 1);
    expect(findResumable(context)?.step).toBe(2);
  });

  test("stops only when asked", () => {
    const controller = new AbortController();
    const asked = { id: "rl", signal: controller.signal };
    expect(() => stopIfAsked(asked, 1, 2)).not.toThrow();
    controller.abort();
    expect(() => stopIfAsked(asked, 1, 2)).toThrow(InterruptedError);
  });
});
