import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { packageRoot, packageVersion } from "../config/package-root.ts";
import { runProgram } from "./program.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "polaris-cli-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const environment = { ...process.env, NO_COLOR: "1" };

/** Calls the CLI in this process and returns what it printed. */
async function polaris(...words: string[]) {
  let out = "";
  let errors = "";
  const capture = (stream: NodeJS.WriteStream, keep: (text: string) => void) =>
    vi.spyOn(stream, "write").mockImplementation((text) => {
      keep(String(text));
      return true;
    });
  const stdout = capture(process.stdout, (text) => {
    out += text;
  });
  const stderr = capture(process.stderr, (text) => {
    errors += text;
  });
  try {
    const code = await runProgram(words);
    return { code, out, errors: stripVTControlCharacters(errors) };
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
  }
}

/** Starts the run command with the counting stage as its only kind. */
function startCounting(
  ...words: string[]
): ChildProcess & { text: () => string; ended: Promise<number | null> } {
  const driver = join(packageRoot(), "src/cli/testing/run-counting.ts");
  const child = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), driver, "run", ...words], {
    cwd: folder,
    env: environment,
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const ended = new Promise<number | null>((done) => child.on("close", done));
  return Object.assign(child, { text: () => text, ended });
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !condition(); i++) await new Promise((done) => setTimeout(done, 50));
  expect(condition()).toBe(true);
}

function writeRecipe(name: string, stages: string): string {
  const path = join(folder, name);
  writeFileSync(path, `name: count\nstages:\n${stages}`);
  return path;
}

test("the entry point as a process: help, version, exit code", () => {
  const main = join(packageRoot(), "src/cli/main.ts");
  const result = spawnSync(
    process.execPath,
    ["--import", import.meta.resolve("tsx"), main, "run", "--bogus"],
    { encoding: "utf8", env: environment },
  );
  expect(result.status).toBe(2);
  expect(result.stderr).toBe(
    "error: unknown option '--bogus'\nhint: polaris run --help lists what there is\n",
  );
});

test("--help lists the commands, --version the version", async () => {
  const help = await polaris("--help");
  expect(help.code).toBe(0);
  for (const name of ["quickstart", "run", "recipe", "runs", "report", "grade", "key", "explain"])
    expect(help.out).toMatch(new RegExp(`^  ${name} `, "m"));
  expect(await polaris("--version")).toMatchObject({ code: 0, out: `${packageVersion()}\n` });
});

test.each([
  [["rnu"], "error: unknown command 'rnu'\n(Did you mean run?)\nhint: polaris --help lists what there is\n"],
  [
    ["run"],
    "error: expected a recipe file\nhint: polaris run <recipe.yaml>, or --resume --run-dir <folder>\n",
  ],
  [["run", "none.yaml"], "error: cannot read the recipe none.yaml: no such file\n"],
  [["run", "x", "--resume", "--overwrite"], "error: --resume and --overwrite contradict each other\n"],
  [
    ["quickstart", "--seed", "-1"],
    "error: option '--seed <n>' argument '-1' is invalid. Expected 0 to 4294967295.\n",
  ],
  [["runs", "show"], "error: missing required argument 'run'\n"],
])("%j is a usage error with exit code 2", async (words, message) => {
  const { code, out, errors } = await polaris(...words);
  expect(code).toBe(2);
  expect(out).toBe("");
  expect(errors.startsWith(message)).toBe(true);
});

test("a missing run is a data error; -v shows where it comes from; --json is machine-readable", async () => {
  const { code, errors } = await polaris("runs", "show", "nothing");
  expect(code).toBe(3);
  expect(errors).toMatch(/^error: nothing is no run folder\nhint: .*\n$/);
  expect((await polaris("-v", "report", "nothing")).errors).toMatch(/DataError: .*\n\s+at findRun/s);
  const json = await polaris("report", "nothing", "--json");
  expect(JSON.parse(json.out)).toMatchObject({ event: "error", code: "data", exitCode: 3 });
});

test("recipe schema and recipe validate know the real stages", async () => {
  const schema = JSON.parse((await polaris("recipe", "schema")).out);
  const branches: { properties: { kind: { const: string } } }[] = schema.properties.stages.items.oneOf;
  const kinds = branches.map((stage) => stage.properties.kind.const);
  expect(kinds).toEqual(
    expect.arrayContaining(["pretrain", "calibrate", "sft", "rl", "merge", "evaluate", "report"]),
  );
  const path = writeRecipe(
    "typo.yaml",
    "  - {id: end, kind: report, titel: x, after: 3}\n  - {id: end, kind: reprot}\n",
  );
  const { code, errors } = await polaris("recipe", "validate", path);
  expect(code).toBe(2);
  const lines = errors.trimEnd().replaceAll(path, "typo.yaml").split("\n");
  expect(lines.slice(0, 4).sort()).toEqual([
    'typo.yaml:3:29: unknown key "titel" in stages.end; did you mean "title"?',
    "typo.yaml:3:46: stages.end.after: expected a list, got 3",
    'typo.yaml:4:10: stage id "end" is taken by the stage at typo.yaml:3:10',
    'typo.yaml:4:21: stage end: unknown kind "reprot"; did you mean "report"?',
  ]);
  expect(lines.at(-2)).toMatch(/^error: typo\.yaml:3:.* \(and 3 more\)$/);
});

test("recipe show prints the resolved recipe, which is valid and the same", async () => {
  const path = writeRecipe("show.yaml", "  - {id: end, kind: report}\n");
  const shown = await polaris("recipe", "show", path, "--set", "seed=4");
  expect(shown.out).toContain("seed: 4\nengine:\n  kind: embedded\n");
  const again = join(folder, "again.yaml");
  writeFileSync(again, shown.out);
  expect((await polaris("recipe", "show", again)).out).toBe(shown.out);
  expect(JSON.parse((await polaris("recipe", "show", path, "--json")).out)).toMatchObject({
    name: "count",
    seed: 0,
  });
});

/** All but the one whose problems are the user's; `recipe/shipped.test.ts` runs that one. */
const shipped = readdirSync(join(packageRoot(), "recipes")).filter(
  (name) => name.endsWith(".yaml") && name !== "served-model.yaml",
);
test("shipped recipes are valid", async () => {
  for (const name of shipped) {
    const { code, out, errors } = await polaris("recipe", "validate", join(packageRoot(), "recipes", name));
    expect(errors).toBe("");
    expect(code).toBe(0);
    expect(out).toMatch(/^ok: /);
  }
});

test("Ctrl-C once finishes the step and says how to go on; the resumed run ends like an undisturbed one", async () => {
  const recipe = writeRecipe(
    "slow.yaml",
    "  - {id: left, kind: count, steps: 30, step_ms: 20, checkpoint_every: 1000}\n",
  );
  const child = startCounting(recipe, "--run-dir", "interrupted", "--json");
  await until(() => child.text().includes("stage-progress"));
  child.kill("SIGINT");
  await child.ended;
  expect(child.text()).toMatch(
    /"event":"error","code":"interrupted","message":"stopped in stage left: after step \d+ of 30"/,
  );
  expect(child.text()).toContain("continue with: polaris run --resume --run-dir interrupted");
  expect(child.exitCode).toBe(130);
  const again = startCounting("--resume", "--run-dir", "interrupted");
  await again.ended;
  expect(again.text()).toMatch(/attempt 2\n(.*\n)*finished in/);
  await startCounting(recipe, "--run-dir", "undisturbed").ended;
  for (const path of ["metrics.jsonl", "stages/left/sum.txt"])
    expect(readFileSync(join(folder, "interrupted", path), "utf8")).toBe(
      readFileSync(join(folder, "undisturbed", path), "utf8"),
    );
});

test("Ctrl-C twice stops at once, and the folder still resumes", async () => {
  const recipe = writeRecipe("slower.yaml", "  - {id: left, kind: count, steps: 2, step_ms: 1000}\n");
  const child = startCounting(recipe, "--run-dir", "twice", "--set", "stages.left.steps=3");
  await until(() => child.text().includes("> 1/1 left"));
  child.kill("SIGINT");
  await until(() => child.text().includes("press Ctrl-C again"));
  child.kill("SIGINT");
  expect(await child.ended).toBe(130);
  // The step in hand takes a second; stopped at once, it never finishes.
  expect(child.text()).not.toContain("finished in");
  const again = startCounting("--resume", "--run-dir", "twice", "--set", "stages.left.step_ms=0");
  expect(await again.ended).toBe(0);
});

test("two drivers on one folder: the second is refused with exit code 1", async () => {
  const recipe = writeRecipe("busy.yaml", "  - {id: left, kind: count, steps: 200, step_ms: 25}\n");
  const first = startCounting(recipe, "--run-dir", "busy");
  await until(() => first.text().includes("> 1/1 left"));
  const second = startCounting(recipe, "--run-dir", "busy", "--resume", "--json");
  expect(await second.ended).toBe(1);
  expect(second.text()).toContain(`busy is in use by process ${first.pid}`);
  first.kill("SIGKILL");
  await first.ended;
});

test("killed at random moments, the run resumes to the same bytes", async () => {
  const recipe = writeRecipe(
    "killed.yaml",
    "  - {id: left, kind: count, steps: 40, step_ms: 15, checkpoint_every: 6}\n  - {id: total, kind: count, steps: 30, from: [left], step_ms: 15}\n",
  );
  const command = `${process.execPath} --import tsx src/cli/testing/run-counting.ts`;
  const child = spawn(
    process.execPath,
    [
      "--import",
      "tsx",
      "scripts/kill-test.ts",
      recipe,
      join(folder, "kills"),
      "--kills",
      "5",
      "--seed",
      "3",
      "--command",
      command,
    ],
    { cwd: packageRoot() },
  );
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  expect(await new Promise((done) => child.on("close", done)), text).toBe(0);
  expect(text).toMatch(/identical after \d+ kills in \d+ runs\n$/);
});

test("runs ls and runs show read what a run left", async () => {
  const list = await polaris("runs", "ls", folder);
  expect(list.out).toMatch(/interrupted +done +1\/1/);
  expect(list.out).toMatch(/busy +stopped +0\/1/);
  const show = await polaris("runs", "show", join(folder, "interrupted"));
  expect(show.out).toMatch(/left +count +done +\S+ +2 +[0-9a-f]{8} +sum -?\d/);
  const json = JSON.parse((await polaris("runs", "show", join(folder, "interrupted"), "--json")).out);
  expect(json).toMatchObject({ state: "done", done: 1, steps: [{ stage: "left", attempt: 2 }] });
});
