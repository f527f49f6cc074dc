/**
 * A file system of a few megabytes, which is really full when it is full. Needs the right to mount; tests that use it
 * are skipped with a message where there is none. For tests.
 */
import { spawnSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

export interface SmallDisk {
  folder: string;
  /** Fills it up to so many bytes, which a file system rounds to its pages. */
  fill(leave?: number): void;
  /** Makes room again. */
  free(): void;
}

const PIECE = Buffer.alloc(4096);

/** Mounts a tmpfs at a new folder; null where that is not allowed. */
function mount(bytes: number): string | null {
  const folder = mkdtempSync(join(tmpdir(), "polaris-small-disk-"));
  const options = ["-t", "tmpfs", "-o", `size=${bytes}`, "none", folder];
  if (spawnSync("mount", options, { stdio: "ignore" }).status === 0) return folder;
  rmdirSync(folder);
  return null;
}

function unmount(folder: string): void {
  spawnSync("umount", ["-l", folder], { stdio: "ignore" });
  rmdirSync(folder);
}

/** True where small disks can be mounted; says so once where they cannot. */
export function smallDisksWork(): boolean {
  const folder = mount(65_536);
  if (folder === null) console.warn("skipped: no right to mount a small file system");
  else unmount(folder);
  return folder !== null;
}

/** A small disk that is unmounted when the test ends. Call only where `smallDisksWork`. */
export function openSmallDisk(bytes: number): SmallDisk {
  const folder = mount(bytes);
  if (folder === null) throw new Error("no right to mount a small file system");
  onTestFinished(() => unmount(folder));
  const filler = join(folder, "filler");
  return {
    folder,
    fill(leave = 0) {
      rmSync(filler, { force: true });
      const file = openSync(filler, "w");
      let size = 0;
      try {
        for (;;) size += writeSync(file, PIECE);
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== "ENOSPC") throw cause;
        ftruncateSync(file, Math.max(0, size - leave));
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(filler, { force: true }),
  };
}
