import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import Database from "libsql";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DataError, StoreError } from "../errors.ts";
import { canonicalJson, contentKey, hashPath } from "./canonical.ts";
import { openLedger } from "./ledger.ts";
import { isAlive, thisProcess } from "./process-identity.ts";
import { acquireRunLock, isHeld, lockHolder } from "./run-lock.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "polaris-ledger-"));
  path = join(folder, "ledger.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A pid that certainly belongs to nobody: a child that has ended. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ["-e", ""]);
  await new Promise((done) => child.on("exit", done));
  return child.pid!;
}

test("a stage is begun, finished and read back by another process's eyes", () => {
  const ledger = openLedger(path, { create: true });
  ledger.begin("rl", "rl", "key1", { seed: 1, config: { a: [1, 2] } });
  const reader = openLedger(path);
  expect(reader.step("rl")).toMatchObject({
    status: "running",
    attempt: 1,
    parts: { seed: 1 },
    output: null,
  });
  ledger.finish("rl", { checkpoint: "stages/rl" }, 2.5);
  expect(reader.step("rl")).toMatchObject({
    status: "done",
    seconds: 2.5,
    output: { checkpoint: "stages/rl" },
  });
  expect(reader.steps()).toHaveLength(1);
  expect(reader.step("none")).toBeUndefined();
  reader.close();
  ledger.close();
  expect(openLedgerSteps()).toEqual(["rl done"]);
});

function openLedgerSteps(): string[] {
  const ledger = openLedger(path);
  const steps = ledger.steps().map((step) => `${step.stage} ${step.status}`);
  ledger.close();
  return steps;
}

test("attempts and time add up under one key and begin anew under another", () => {
  const ledger = openLedger(path, { create: true });
  ledger.begin("rl", "rl", "key1", {});
  ledger.stop("rl", "interrupted", "stopped", 3);
  expect(ledger.begin("rl", "rl", "key1", {})).toMatchObject({
    attempt: 2,
    seconds: 3,
    status: "running",
    error: null,
  });
  ledger.finish("rl", {}, 4);
  expect(ledger.step("rl")!.seconds).toBe(7);
  expect(ledger.begin("rl", "rl", "key2", {})).toMatchObject({ attempt: 1, seconds: 0, output: null });
  ledger.close();
});

test("what is written survives the loss of the process", async () => {
  const script = `
    import { openLedger } from ${JSON.stringify(join(import.meta.dirname, "ledger.ts"))};
    const ledger = openLedger(${JSON.stringify(path)}, { create: true });
    ledger.begin("a", "k", "key", {});
    ledger.finish("a", {}, 1);
    process.kill(process.pid, "SIGKILL");`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
    cwd: join(import.meta.dirname, "../.."),
  });
  await new Promise((done) => child.on("exit", done));
  expect(child.signalCode).toBe("SIGKILL");
  expect(openLedgerSteps()).toEqual(["a done"]);
});

test.each([
  ["garbage", () => writeFileSync(path, "no database".repeat(300)), /is corrupt/],
  ["a file cut short", () => truncateSync(path, 5000), /is corrupt|malformed/],
  ["a page overwritten", () => overwritePages(), /is corrupt/],
  ["a newer version", () => bumpVersion(), /expected ledger version 1, got 99/],
])("%s is one clear line", (_, damage, message) => {
  const ledger = openLedger(path, { create: true });
  for (let i = 0; i < 50; i++) ledger.begin(`stage${i}`, "k", "key", { filler: "x".repeat(500) });
  ledger.close();
  for (const name of ["-wal", "-shm"]) rmSync(path + name, { force: true });
  damage();
  try {
    openLedger(path).steps();
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(StoreError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).not.toContain("\n");
  }
});

function overwritePages(): void {
  const bytes = readFileSync(path);
  bytes.fill(0xab, 4096, 4096 * 4);
  writeFileSync(path, bytes);
}

function bumpVersion(): void {
  const database = new Database(path);
  database.exec("PRAGMA user_version = 99");
  database.close();
}

test("a missing ledger or folder", () => {
  expect(() => openLedger(path)).toThrow(/not a run folder/);
  expect(() => openLedger(join(folder, "none", "ledger.db"), { create: true })).toThrow(/no run folder/);
  expect(existsSync(path)).toBe(false);
});

test.skipIf(process.getuid?.() === 0)("a read-only folder", () => {
  chmodSync(folder, 0o500);
  expect(() => openLedger(path, { create: true })).toThrow(StoreError);
  chmodSync(folder, 0o700);
});

test("one driver at a time, in this process and in another", async () => {
  const [first, second] = [openLedger(path, { create: true }), openLedger(path)];
  const lock = acquireRunLock(first);
  expect(isHeld(second)).toBe(true);
  expect(() => acquireRunLock(second)).toThrow(`in use by process ${process.pid}`);
  lock.release();
  expect(isHeld(second)).toBe(false);
  acquireRunLock(second).release();
  first.close();
  second.close();
});

test("the lock of a dead process is taken over at once, that of a reused pid too", async () => {
  const ledger = openLedger(path, { create: true });
  acquireRunLock(ledger);
  ledger.database.prepare("UPDATE driver SET pid = ?").run(await deadPid());
  const lock = acquireRunLock(ledger);
  expect(lockHolder(ledger)!.pid).toBe(process.pid);
  lock.release();
  if (thisProcess().started !== null) {
    acquireRunLock(ledger);
    ledger.database.prepare("UPDATE driver SET started = '1'").run();
    acquireRunLock(ledger).release();
  }
  ledger.close();
});

test("another host's lock is respected until it has been silent for long", () => {
  const ledger = openLedger(path, { create: true });
  acquireRunLock(ledger);
  ledger.database
    .prepare("UPDATE driver SET host = 'elsewhere|boot|pid', heartbeat_ms = ?")
    .run(Date.now() - 60_000);
  expect(() => acquireRunLock(ledger)).toThrow(/in use by process \d+ on elsewhere since/);
  ledger.database.prepare("UPDATE driver SET heartbeat_ms = ?").run(Date.now() - 3_600_000);
  acquireRunLock(ledger).release();
  ledger.close();
});

test("a driver that lost its lock is told, and releases nothing that is not its own", async () => {
  const ledger = openLedger(path, { create: true });
  let told = 0;
  const lock = acquireRunLock(ledger, { heartbeatMs: 5, onLost: () => told++ });
  ledger.database.prepare("UPDATE driver SET token = 'other'").run();
  await new Promise((done) => setTimeout(done, 60));
  expect(told).toBe(1);
  expect(lock.lost).toBe(true);
  lock.release();
  expect(lockHolder(ledger)).toBeDefined();
  ledger.close();
});

test("the heartbeat moves", async () => {
  const ledger = openLedger(path, { create: true });
  const lock = acquireRunLock(ledger, { heartbeatMs: 5 });
  const before = lockHolder(ledger)!.heartbeatMs;
  await new Promise((done) => setTimeout(done, 50));
  expect(lockHolder(ledger)!.heartbeatMs).toBeGreaterThan(before);
  lock.release();
  ledger.close();
});

test("liveness", async () => {
  const me = thisProcess();
  expect(isAlive(me)).toBe(true);
  expect(isAlive({ ...me, pid: await deadPid() })).toBe(false);
  expect(isAlive({ ...me, host: "elsewhere" })).toBe("unknown");
});

test("canonical text does not depend on key order and tells values apart", () => {
  expect(canonicalJson({ b: 1, a: [true, null, "x"], c: undefined })).toBe('{"a":[true,null,"x"],"b":1}');
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const shuffled = (member: unknown): unknown =>
        Array.isArray(member)
          ? member.map(shuffled)
          : typeof member === "object" && member !== null
            ? Object.fromEntries(
                Object.entries(member)
                  .reverse()
                  .map(([key, below]) => [key, shuffled(below)]),
              )
            : member;
      const text = canonicalJson(value);
      return canonicalJson(shuffled(value)) === text && canonicalJson(JSON.parse(text)) === text;
    }),
  );
  expect(() => canonicalJson(Number.NaN)).toThrow(TypeError);
  expect(contentKey({ a: 1 })).not.toBe(contentKey({ a: 1.5 }));
  // Checked against `printf '{"a":1}' | sha256sum`.
  expect(contentKey({ a: 1 })).toBe("015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862");
});

test("the hash of a folder covers names and bytes, and survives loops", async () => {
  const model = join(folder, "model");
  await mkdir(join(model, "sub"), { recursive: true });
  await writeFile(join(model, "a"), "1");
  await writeFile(join(model, "sub/b"), "2");
  const before = await hashPath(model);
  symlinkSync(model, join(model, "sub/loop"));
  expect(await hashPath(model)).toBe(before);
  await writeFile(join(model, "sub/b"), "3");
  expect(await hashPath(model)).not.toBe(before);
  await writeFile(join(model, "sub/b"), "2");
  expect(await hashPath(model)).toBe(before);
  await expect(hashPath(join(folder, "none"))).rejects.toThrow(DataError);
});
