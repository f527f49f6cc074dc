/** environment.json: what a reader needs to know to repeat a run. No environment variables: they hold secrets. */
import { existsSync, readFileSync } from "node:fs";
import { arch, cpus, platform, release, totalmem } from "node:os";
import { join } from "node:path";
import type { EngineConfig } from "../config/engine.ts";
import { packageRoot, packageVersion } from "../config/package-root.ts";
import type { Json } from "../types.ts";

/** Packages whose version can change a result. */
const WATCHED_PACKAGES = [
  "onnxruntime-node",
  "@huggingface/tokenizers",
  "@huggingface/jinja",
  "libsql",
  "zod",
  "yaml",
];

function installedVersion(name: string): string | null {
  const path = join(packageRoot(), "node_modules", name, "package.json");
  if (!existsSync(path)) return null;
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}

/** One start of a run: versions, machine, threads and the command line. */
export function describeEnvironment(engine: EngineConfig, command: readonly string[]): Record<string, Json> {
  const processors = cpus();
  const packages: [string, string][] = [];
  for (const name of WATCHED_PACKAGES) {
    const version = installedVersion(name);
    if (version !== null) packages.push([name, version]);
  }
  return {
    polaris: packageVersion(),
    node: process.version,
    platform: `${platform()} ${release()} ${arch()}`,
    cpu: processors[0]?.model ?? "unknown",
    cores: processors.length,
    memory_bytes: totalmem(),
    engine: { ...engine },
    packages: Object.fromEntries(packages),
    command: [...command],
    started_at: new Date().toISOString(),
  };
}

/** environment.json after another start: the first start on top, later ones under `resumed`. */
export function environmentFile(path: string, current: Record<string, Json>): string {
  let merged: Record<string, Json> = current;
  if (existsSync(path)) {
    try {
      const before = JSON.parse(readFileSync(path, "utf8")) as Record<string, Json>;
      const resumed = Array.isArray(before["resumed"]) ? before["resumed"] : [];
      merged = { ...before, resumed: [...resumed, current] };
    } catch {
      // An unreadable note about the past is replaced; it decides nothing.
    }
  }
  return `${JSON.stringify(merged, null, 2)}\n`;
}
