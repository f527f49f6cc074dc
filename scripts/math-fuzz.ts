/**
 * The long fuzz run of the verifier: `npx tsx scripts/math-fuzz.ts [inputs] [first seed]`, one seed per 100,000 inputs.
 * Crafted inputs come last, when the code is compiled, each function held to 5 ms by its fastest of eight tries. Exits 1 with the findings when there
 * are any. A short run without times is part of the tests.
 */
import { existsSync, readFileSync } from "node:fs";
import { fuzz } from "../src/math/testing/fuzz.ts";
import { HOSTILE, hostileCalls } from "../src/math/testing/hostile.ts";

const BLOCK = 100_000;
const [inputs = 1_000_000, firstSeed = 1] = process.argv.slice(2).map(Number);
/** CPU time: a busy machine must not look like a slow input. */
const now = (): number => process.cpuUsage().user / 1000;
const spansFile = new URL("../../shared/grading/spans.jsonl", import.meta.url);
const corpus: string[] = [];
if (existsSync(spansFile))
  for (const line of readFileSync(spansFile, "utf8").split("\n"))
    if (line !== "" && line.length < 300) corpus.push(JSON.parse(line) as string);

let done = 0;
let failed = false;
let slowest = 0;
for (let seed = firstSeed; done < inputs; seed++) {
  const count = Math.min(BLOCK, inputs - done);
  const report = fuzz({ seed, inputs: count, corpus, now });
  done += count;
  slowest = Math.max(slowest, report.slowestMs);
  console.log(
    `seed ${seed}: ${count} inputs, ${report.findings.length} findings, slowest ${report.slowestMs.toFixed(1)} ms`,
  );
  for (const finding of report.findings) console.log(JSON.stringify(finding));
  failed ||= report.findings.length > 0;
}
const LIMIT_MS = 5;
const crashFile = new URL("../../shared/grading/must-not-crash.json", import.meta.url);
const crafted: [string, string][] = Object.entries(HOSTILE);
if (existsSync(crashFile))
  for (const input of JSON.parse(readFileSync(crashFile, "utf8")) as string[])
    crafted.push(["must not crash", input]);
for (const [name, input] of crafted)
  for (const call of hostileCalls(input)) {
    let fastest = Number.POSITIVE_INFINITY;
    // A busy machine slows single tries; hostile input is slow each time.
    for (let i = 0; i < 8 && fastest > LIMIT_MS; i++) {
      const start = now();
      call.run();
      fastest = Math.min(fastest, now() - start);
    }
    slowest = Math.max(slowest, fastest);
    if (fastest <= LIMIT_MS) continue;
    failed = true;
    console.log(`${name}: ${call.name} took ${fastest.toFixed(1)} ms: ${JSON.stringify(input.slice(0, 80))}`);
  }
console.log(`${crafted.length} crafted inputs, slowest ${slowest.toFixed(1)} ms`);
console.log(`${done} inputs, slowest ${slowest.toFixed(1)} ms CPU, ${failed ? "FAILED" : "no findings"}`);
process.exitCode = failed ? 1 : 0;
