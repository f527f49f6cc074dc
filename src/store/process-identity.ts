/** Who this process is, and whether another process that said who it was still lives. */
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

export interface ProcessIdentity {
  pid: number;
  /** Host name, boot and process-id space: two containers may share a host name but never all three. */
  host: string;
  /** Start time of the process where the system tells it, so that a reused pid is not taken for the old process. */
  started: string | null;
}

function quietly<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

/** Field 22 of /proc/<pid>/stat: clock ticks since boot; null where there is no /proc. */
function startOf(pid: number): string | null {
  const line = quietly(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  return line?.slice(line.lastIndexOf(")") + 2).split(" ")[19] ?? null;
}

/** Identity of the running process. */
export function thisProcess(): ProcessIdentity {
  const boot = quietly(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()) ?? "";
  const space = quietly(() => readlinkSync("/proc/self/ns/pid")) ?? "";
  return { pid: process.pid, host: [hostname(), boot, space].join("|"), started: startOf(process.pid) };
}

/**
 * Whether a process lives: `true` and `false` are certain, `unknown` means it ran on another host.
 */
export function isAlive(other: ProcessIdentity): boolean | "unknown" {
  if (other.host !== thisProcess().host) return "unknown";
  try {
    process.kill(other.pid, 0);
  } catch (error) {
    // EPERM: it lives and belongs to someone else.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  const started = startOf(other.pid);
  return other.started === null || started === null || started === other.started;
}
