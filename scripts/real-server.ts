/**
 * The openai engine on a real llama.cpp server: a recipe (calibrate, a sweep of four temperatures, avg@k) is run once
 * undisturbed and once killed with -9 in the middle of every stage and resumed. A counting proxy says what the server was
 * made to generate. Ends with code 1 when counts differ or a journaled response was drawn again.
 * Usage: npm run real-server -- --model MODEL.gguf [--server llama-server] [--problems 50] [--samples 8]
 *   [--max-tokens 64] [--slots 4] [--threads 2] [--folder FOLDER]; POLARIS_LLAMA_SERVER and POLARIS_LLAMA_MODEL stand in
 * for the first two. Without a server it says so and does nothing.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { readRollouts } from "../src/data/rollouts.ts";
import { type CountingProxy, startCountingProxy } from "./real-server/counting-proxy.ts";
import { compareDraws } from "./real-server/draws.ts";
import { journaledSamples } from "./real-server/journals.ts";
import { startLlamaServer } from "./real-server/llama-server.ts";
import { STOP, wordProblems } from "./real-server/word-problems.ts";

const SWEEP_TEMPERATURES = [0.3, 0.6, 1, 1.4];
/** Temperatures apart from those of the sweep: a seed and a temperature then name one sample of the whole recipe. */
const CALIBRATE_TEMPERATURE = 0.5;
const EVALUATE_TEMPERATURE = 0.4;
/** Samples per problem and temperature of the sweep. */
const SWEEP_SAMPLES = 4;

interface Size {
  problems: number;
  samples: number;
  maxTokens: number;
  slots: number;
}

function recipe(url: string, problemsFile: string, { samples, maxTokens, slots }: Size): string {
  const draw = `max_new_tokens: ${maxTokens}`;
  const shared = `model: "served:default", problems: "${problemsFile}"`;
  return [
    "name: real-server",
    "engine:",
    `  {kind: openai, base_url: "${url}", endpoint: completions, stop: ${JSON.stringify(STOP)}, concurrency: ${2 * slots}}`,
    "stages:",
    `  - {id: calibrated, kind: calibrate, ${shared}, samples_per_problem: ${samples}, sampling: {temperature: ${CALIBRATE_TEMPERATURE}, ${draw}}, filter: {drop_solved: false}}`,
    `  - {id: sweep, kind: temperature_sweep, ${shared}, samples_per_problem: ${SWEEP_SAMPLES}, sampling: {${draw}}, temperatures: [${SWEEP_TEMPERATURES}], keep_rollouts: all}`,
    `  - {id: scores, kind: evaluate, arms: [{arm: model, model: "served:default"}], problems: "${problemsFile}", samples_per_problem: ${samples}, sampling: {temperature: ${EVALUATE_TEMPERATURE}, ${draw}}, keep_rollouts: all}`,
    "",
  ].join("\n");
}

const polaris = (recipePath: string, runFolder: string): string[] => [
  ...["--import", "tsx", "src/cli/main.ts", "run", recipePath],
  ...["--run-dir", runFolder, "--resume"],
];

/** Rollouts of every file the stages of a run hold, by file. */
async function keptRollouts(runFolder: string): Promise<Map<string, number>> {
  const stages = join(runFolder, "stages");
  const names = readdirSync(stages, { recursive: true, encoding: "utf8" }).filter((name) =>
    /rollouts[^/]*\.jsonl\.gz$/.test(name),
  );
  const counts = new Map<string, number>();
  for (const name of names.sort()) counts.set(name, (await readRollouts(join(stages, name))).length);
  return counts;
}

const answered = ({ answers }: CountingProxy): number => [...answers.values()].reduce((a, b) => a + b, 0);

function finish(recipePath: string, runFolder: string): Promise<void> {
  return new Promise((resolve, reject) => {
    spawn(process.execPath, polaris(recipePath, runFolder), { stdio: "inherit" }).once("exit", (code) =>
      code === 0 ? resolve() : reject(new Error(`polaris run ended with code ${code}`)),
    );
  });
}

/** Runs until the server has answered so often, kills with -9. @returns samples in the journals then */
async function runAndKill(
  recipePath: string,
  runFolder: string,
  proxy: CountingProxy,
  answers: number,
): Promise<Set<string>> {
  const child = spawn(process.execPath, polaris(recipePath, runFolder), { stdio: "inherit" });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  while (child.exitCode === null && answered(proxy) < answers) await delay(50);
  child.kill("SIGKILL");
  await ended;
  const journaled = journaledSamples(runFolder);
  console.log(
    `killed with -9 after ${answered(proxy)} answers; ${journaled.size} in the journal of the stage`,
  );
  return journaled;
}

/** Both runs and the comparison. @throws {Error} when counts differ or a journaled response was drawn again */
async function killAndCompare(serverUrl: string, folder: string, size: Size): Promise<void> {
  const problemsFile = join(folder, "problems.jsonl");
  const lines = wordProblems(size.problems).map((row) => `${JSON.stringify(row)}\n`);
  writeFileSync(problemsFile, lines.join(""));
  const proxies = [await startCountingProxy(serverUrl), await startCountingProxy(serverUrl)] as const;
  const disturbed = proxies[1];
  const [plainFolder, disturbedFolder] = [join(folder, "undisturbed"), join(folder, "killed")];
  const recipePaths = proxies.map(({ url }, i) => {
    const path = join(folder, `recipe-${i}.yaml`);
    writeFileSync(path, recipe(url, problemsFile, size));
    return path;
  }) as [string, string];
  try {
    for (const run of [plainFolder, disturbedFolder]) rmSync(run, { recursive: true, force: true });
    const started = performance.now();
    await finish(recipePaths[0], plainFolder);
    console.log(`undisturbed run: ${((performance.now() - started) / 1000).toFixed(0)} s`);

    const perStage = [
      size.problems * size.samples,
      size.problems * SWEEP_SAMPLES * SWEEP_TEMPERATURES.length,
    ];
    const [calibrate = 0, sweep = 0] = perStage;
    const kills = [calibrate / 2, calibrate + sweep / 2, calibrate + sweep + calibrate / 2];
    const journaled = new Set<string>();
    for (const answers of kills)
      for (const name of await runAndKill(recipePaths[1], disturbedFolder, disturbed, answers))
        journaled.add(name);
    await finish(recipePaths[1], disturbedFolder);

    const [expected, got] = [await keptRollouts(plainFolder), await keptRollouts(disturbedFolder)];
    for (const [name, count] of expected)
      console.log(`${name}: ${count} rollouts undisturbed, ${got.get(name) ?? 0} killed and resumed`);
    const kept = [...got.values()].reduce((a, b) => a + b, 0);
    const twice = [...disturbed.answers].filter(([, count]) => count > 1).map(([name]) => name);
    const paidTwice = twice.filter((name) => journaled.has(name)).length;
    console.log(
      `killed ${kills.length} times: ${kept} rollouts kept, ${answered(disturbed)} answers generated, ${twice.length} of them again because the kill took them on the way, ${paidTwice} again although journaled`,
    );
    if (JSON.stringify([...expected]) !== JSON.stringify([...got]))
      throw new Error("counts of rollouts differ");
    if (paidTwice > 0) throw new Error(`${paidTwice} journaled responses were drawn again`);
  } finally {
    for (const proxy of proxies) proxy.close();
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      server: { type: "string", default: process.env["POLARIS_LLAMA_SERVER"] ?? "llama-server" },
      model: { type: "string", default: process.env["POLARIS_LLAMA_MODEL"] },
      problems: { type: "string", default: "50" },
      samples: { type: "string", default: "8" },
      "max-tokens": { type: "string", default: "64" },
      slots: { type: "string", default: "4" },
      threads: { type: "string", default: "2" },
      folder: { type: "string" },
    },
  });
  const { server, model } = values;
  if (model === undefined || spawnSync(server, ["--version"], { stdio: "ignore" }).error !== undefined) {
    console.log(
      "skipped: expected a llama.cpp server and a GGUF model (--server, --model; see the head of the script)",
    );
    return;
  }
  const numbers = [values.problems, values.samples, values["max-tokens"], values.slots, values.threads];
  const [problems, samples, maxTokens, slots, threads] = numbers.map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const folder = values.folder ?? mkdtempSync(join(tmpdir(), "polaris-real-server-"));
  mkdirSync(folder, { recursive: true });
  const { url, child } = await startLlamaServer({ binary: server, model, slots, threads });
  try {
    await compareDraws(url);
    await killAndCompare(url, folder, { problems, samples, maxTokens, slots });
    console.log(readFileSync(join(folder, "killed", "stages", "scores", "evaluation.md"), "utf8"));
  } finally {
    child.kill();
  }
}

main().catch((error: Error) => {
  console.error(error);
  process.exitCode = 1;
});
