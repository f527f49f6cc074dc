/**
 * Kills a run with SIGKILL at random moments, resumes it each time, and compares what it leaves with an undisturbed
 * run, byte for byte. Usage: tsx scripts/kill-test.ts <recipe.yaml> <folder> [--kills 20] [--seed 0] [--set a.b=c]
 * The moments are seeded; where they hit depends on the machine, which is the point.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { type RandomStream, randomStream } from "../src/random.ts";

/** Differ between any two runs: times, machine, the database's pages. The report page prints times too. */
const NOT_COMPARED = /^(ledger\.db(-wal|-shm)?|environment\.json|timings\.jsonl|report\/.*)$/;
/** Share of kills aimed at the start-up of the process, where locks and folders are made. */
const START_UP_SHARE = 0.2;

/** When to kill: `seconds` after the process was started, or after it first reported work done. */
interface Moment {
  after: "start" | "progress";
  seconds: number;
}

interface Attempt {
  /** null when the process was killed. */
  exitCode: number | null;
  seconds: number;
  /** Seconds until the first work was reported; undefined when it was killed before. */
  startUp?: number;
  where: string;
  errors: string;
}

interface Plan {
  recipe: string;
  command: string[];
  overrides: string[];
}

/** Runs the recipe once; kills the process at a moment when one is given. */
async function attempt(plan: Plan, runFolder: string, moment?: Moment): Promise<Attempt> {
  const [program, ...fixed] = plan.command;
  const set = plan.overrides.flatMap((override) => ["--set", override]);
  const words = [...fixed, "run", plan.recipe, "--run-dir", runFolder, "--resume", "--json", ...set];
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  const child: ChildProcess = spawn(program!, words, { stdio: ["ignore", "pipe", "pipe"] });
  let timer: NodeJS.Timeout | undefined;
  const killIn = (delay: number): void => {
    timer = setTimeout(() => child.kill("SIGKILL"), delay * 1000);
  };
  let errors = "";
  let startUp: number | undefined;
  let where = "start-up";
  child.stderr!.on("data", (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-4000);
  });
  createInterface({ input: child.stdout! }).on("line", (line) => {
    if (!line.startsWith("{")) return;
    const event = JSON.parse(line) as {
      event: string;
      stage?: string;
      done?: number;
      steps?: number;
      message?: string;
    };
    if (startUp === undefined && (event.event === "stage-progress" || event.event === "stage-end")) {
      startUp = seconds();
      if (moment?.after === "progress") killIn(moment.seconds);
    }
    if (event.event === "stage-start") where = `${event.stage}, start`;
    if (event.event === "stage-progress") where = `${event.stage}, step ${event.done} of ${event.steps}`;
    if (event.event === "stage-end") where = `after ${event.stage}`;
    if (event.event === "error") errors += `${event.message}\n`;
  });
  if (moment?.after === "start") killIn(moment.seconds);
  const exitCode = await new Promise<number | null>((done, fail) => {
    child.on("error", fail);
    child.on("close", done);
  });
  clearTimeout(timer);
  return { exitCode, seconds: seconds(), startUp, where, errors };
}

/** SHA-256 of every compared file by relative path. */
function hashes(folder: string): Map<string, string> {
  const result = new Map<string, string>();
  const walk = (path: string): void => {
    for (const name of readdirSync(path).sort()) {
      const full = join(path, name);
      const inside = relative(folder, full);
      if (statSync(full).isDirectory()) walk(full);
      else if (!NOT_COMPARED.test(inside))
        result.set(inside, createHash("sha256").update(readFileSync(full)).digest("hex"));
    }
  };
  walk(folder);
  return result;
}

/** Files that are missing, additional or different. */
function compare(expected: Map<string, string>, actual: Map<string, string>): string[] {
  const problems: string[] = [];
  for (const [path, hash] of expected) {
    const other = actual.get(path);
    if (other === undefined) problems.push(`missing    ${path}`);
    else if (other !== hash) problems.push(`different  ${path}`);
  }
  for (const path of actual.keys()) if (!expected.has(path)) problems.push(`additional ${path}`);
  return problems;
}

/** Kills after progress come, on average, once the run has moved on by its share, so that they spread over all of it. */
function nextMoment(random: RandomStream, startUp: number, wallSeconds: number, kills: number): Moment {
  if (random.uniform() < START_UP_SHARE) return { after: "start", seconds: random.uniform() * startUp };
  const share = Math.max(0.05, (wallSeconds - startUp) / (kills * (1 - START_UP_SHARE)));
  return { after: "progress", seconds: random.uniform() * 2 * share };
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: "string", default: "20" },
    seed: { type: "string", default: "0" },
    set: { type: "string", multiple: true, default: [] },
    command: { type: "string", default: `${process.execPath} --import tsx src/cli/main.ts` },
  },
});
const [recipe, folder] = positionals;
const wanted = Number(values.kills);
if (recipe === undefined || folder === undefined || !existsSync(recipe) || !(wanted >= 1))
  fail("usage: tsx scripts/kill-test.ts <recipe.yaml> <folder> [--kills 20] [--seed 0] [--set path=value]");
const plan: Plan = { recipe, command: values.command.split(" "), overrides: values.set };
const random = randomStream(Number(values.seed), "kill-test");
const undisturbedFolder = resolve(folder, "undisturbed");
const killedFolder = resolve(folder, "killed");
for (const path of [undisturbedFolder, killedFolder]) {
  if (existsSync(path) && !existsSync(join(path, "ledger.db")))
    fail(`${path} is no run folder; choose another folder`);
  rmSync(path, { recursive: true, force: true });
}

const undisturbed = await attempt(plan, undisturbedFolder);
if (undisturbed.exitCode !== 0)
  fail(`the undisturbed run failed (exit ${undisturbed.exitCode})\n${undisturbed.errors}`);
const startUp = undisturbed.startUp ?? 1;
const expected = hashes(undisturbedFolder);
process.stdout.write(
  `undisturbed  ${undisturbed.seconds.toFixed(1)} s, start-up ${startUp.toFixed(1)} s, ${expected.size} files\n`,
);
process.stdout.write("kill  after s  where\n");

let kills = 0;
let rounds = 0;
const problems: string[] = [];
while (kills < wanted) {
  rounds++;
  rmSync(killedFolder, { recursive: true, force: true });
  for (let finished = false; !finished; ) {
    const moment = kills < wanted ? nextMoment(random, startUp, undisturbed.seconds, wanted) : undefined;
    const result = await attempt(plan, killedFolder, moment);
    finished = result.exitCode === 0;
    if (result.exitCode !== null && result.exitCode !== 0)
      fail(`a resumed run failed (exit ${result.exitCode})\n${result.errors}`);
    if (finished) continue;
    kills++;
    process.stdout.write(
      `${String(kills).padStart(4)}  ${result.seconds.toFixed(2).padStart(7)}  ${result.where}\n`,
    );
  }
  const found = compare(expected, hashes(killedFolder));
  problems.push(...found);
  process.stdout.write(
    `round ${rounds}: ${expected.size - found.length} of ${expected.size} files identical after ${kills} kills\n`,
  );
}
for (const problem of problems.slice(0, 50)) process.stdout.write(`${problem}\n`);
process.stdout.write(
  problems.length === 0
    ? `identical after ${kills} kills in ${rounds} runs\n`
    : `${problems.length} differences\n`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
