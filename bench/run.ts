/**
 * Lists and runs the benches: every `*.bench.ts` beside this file exports `run(args)` and prints its own table.
 * Usage: npm run bench [-- name [options of that bench]], npm run bench -- --list
 */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const SUFFIX = ".bench.ts";

interface Bench {
  run(args?: readonly string[]): Promise<void>;
}

const folder = fileURLToPath(new URL(".", import.meta.url));
const names = readdirSync(folder)
  .filter((file) => file.endsWith(SUFFIX))
  .map((file) => file.slice(0, -SUFFIX.length))
  .sort();
const [wanted, ...rest] = process.argv.slice(2);

async function main(): Promise<void> {
  if (wanted === "--list") {
    console.log(names.join("\n"));
    return;
  }
  if (wanted !== undefined && !names.includes(wanted)) {
    console.error(`bench: expected ${names.join(", ")} or --list, got ${wanted}`);
    process.exitCode = 2;
    return;
  }
  for (const name of wanted === undefined ? names : [wanted]) {
    console.log(`# ${name}`);
    const bench = (await import(`./${name}${SUFFIX}`)) as Bench;
    await bench.run(rest);
  }
}

main().catch((error: Error) => {
  console.error(error instanceof TypeError || error instanceof RangeError ? error.message : error);
  process.exitCode = 1;
});
