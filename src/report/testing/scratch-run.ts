/** A scratch run folder per test, removed when the test is over. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { writeFixtureRun } from "./fixture-run.ts";

/** An empty folder. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "polaris-report-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A folder with the fixture run. */
export function scratchRun(options: { seed?: number; omit?: string[] } = {}): string {
  const runFolder = scratchFolder();
  writeFixtureRun({ runFolder, ...options });
  return runFolder;
}
