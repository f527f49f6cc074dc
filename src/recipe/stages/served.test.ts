/** Recipes on a served model: calibrate and evaluate over HTTP, resume without asking twice, and what is refused. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadRecipe } from "../../config/load-recipe.ts";
import { readRollouts } from "../../data/rollouts.ts";
import { isGeneration, startDialectServer } from "../../engine/openai/testing/dialect-server.ts";
import type { StubRequest, StubServer } from "../../engine/openai/testing/stub-server.ts";
import { InterruptedError } from "../../errors.ts";
import { randomStream } from "../../random.ts";
import type { RunEvent } from "../run-events.ts";
import { runRecipe } from "../runner.ts";
import { STAGE_KINDS } from "./index.ts";
import { createWorkbench, type Workbench } from "./testing/recipe-run.ts";
import { toyProblems } from "./testing/toy-task.ts";

let bench: Workbench;
let server: StubServer;
/** Requests that drew a response, by what makes them one sample. */
const drawn = (): string[] => server.requests.filter(isGeneration).map(sampleOf);
const sampleOf = ({ body }: StubRequest): string =>
  `${body?.["model"]} ${body?.["temperature"]} ${body?.["seed"]}`;
/** Samples answered since the last change of `heldFrom`. */
let answered: string[] = [];
/** Answers held back from this one on; null answers all. */
let heldFrom: number | null = null;
let onHeld: () => void = () => {};

/** What the user of a chat request asked. */
function question(body: StubRequest["body"]): string {
  const messages = (body?.["messages"] ?? []) as { content: string }[];
  return messages[0]?.content ?? "";
}

/** A model of the toy task that is right two times in three, decided by the request's seed. */
function respond({ body }: StubRequest): { text: string } {
  const digit = toyProblems().find(({ prompt }) => prompt === question(body))?.answer;
  const right = randomStream(Number(body?.["seed"]), "right").uniform() < 2 / 3;
  return { text: `\\boxed{${right ? digit : (Number(digit) + 1) % 10}}` };
}

beforeEach(async () => {
  bench = await createWorkbench();
  heldFrom = null;
  answered = [];
  server = await startDialectServer({
    dialect: "vllm",
    models: ["small", "large"],
    respond,
    intercept: (request) => {
      if (heldFrom !== null && answered.length >= heldFrom) {
        onHeld();
        return true;
      }
      answered.push(sampleOf(request));
      return false;
    },
  });
}, 60_000);
afterEach(async () => {
  await server.close();
  rmSync(bench.folder, { recursive: true, force: true });
});

const SAMPLING = "sampling: {temperature: 0.6, max_new_tokens: 20}";
const STAGES = `
  - {id: calibrated, kind: calibrate, model: "served:small", problems: "{root}/toy.jsonl", samples_per_problem: 4, ${SAMPLING}}
  - id: scores
    kind: evaluate
    arms: [{arm: small, model: "served:small"}, {arm: large, model: "served:large"}]
    problems: "{root}/toy.jsonl"
    samples_per_problem: 2
    sampling: {temperature: 0.9, max_new_tokens: 20}
`;

/** Runs a recipe on the server. */
async function run(
  name: string,
  options: {
    stages?: string;
    engine?: string;
    resume?: boolean;
    signal?: AbortSignal;
    events?: RunEvent[];
  } = {},
) {
  const {
    stages = STAGES,
    engine = `{kind: openai, base_url: "${server.url}", concurrency: 4, retry_base_ms: 1}`,
  } = options;
  const path = join(bench.folder, `${name}.yaml`);
  writeFileSync(
    path,
    `name: ${name}\nseed: 3\nengine: ${engine}\nstages:${stages.replaceAll("{root}", bench.folder)}`,
  );
  const schemas = Object.fromEntries(Object.values(STAGE_KINDS).map(({ kind, schema }) => [kind, schema]));
  const { recipe, tree } = loadRecipe({ files: [path], schemas });
  return runRecipe({
    recipe,
    tree,
    kinds: STAGE_KINDS,
    runFolder: join(bench.folder, "runs", name),
    resume: options.resume,
    signal: options.signal,
    // Every step is told, however fast.
    progressIntervalMs: 0,
    observe: (event) => options.events?.push(event),
  });
}

test("calibrate and evaluate run on a served model; every response is drawn once and kept", async () => {
  const events: RunEvent[] = [];
  const { stages, runFolder } = await run("a", { events });
  const problems = Number(stages[0]?.output.numbers?.["problems"]);
  expect(drawn()).toHaveLength(problems * 4 + 2 * problems * 2);
  const passRate = Number(stages[0]?.output.numbers?.["pass_rate"]);
  expect(passRate).toBeGreaterThan(0.5);
  expect(passRate).toBeLessThan(0.85);
  const rollouts = await readRollouts(join(runFolder, "stages/calibrated/rollouts.jsonl.gz"));
  expect(rollouts).toHaveLength(problems * 4);
  expect(new Set(rollouts.map(({ seed }) => seed)).size).toBe(problems * 4);
  for (const { tokens, promptTokens, verdict, finishReason, stage, policyVersion } of rollouts) {
    expect([tokens.length, promptTokens.length, finishReason, stage]).toEqual([9, 3, "stop", "calibrated"]);
    expect(policyVersion).toBe("small");
    expect(typeof verdict?.correct).toBe("boolean");
  }
  // Journals are working state.
  expect(readdirSync(join(runFolder, "checkpoints/calibrated"))).toEqual([]);
  expect(events.some((event) => event.event === "stage-progress" && event.tokens > 0)).toBe(true);
  // How it goes is seen while responses come, not when all are there.
  const during = events.filter(
    (event) => event.event === "stage-progress" && event.stage === "calibrated" && event.done < problems,
  );
  expect(
    during.some((event) => event.event === "stage-progress" && event.values["accuracy"] !== undefined),
  ).toBe(true);
  const again = await run("a", { resume: true });
  expect(again.stages.every(({ skipped }) => skipped)).toBe(true);
});

test("stopped in the middle, a run asks only for what it never received and ends with the same numbers", async () => {
  const whole = await run("whole");
  const before = drawn().length;
  const controller = new AbortController();
  const journal = join(bench.folder, "runs/b/checkpoints/calibrated/calibrate.journal.jsonl");
  const kept = (): number => readFileSync(journal, "utf8").split("\n").length - 2;
  answered = [];
  heldFrom = 9;
  onHeld = () => {
    // The last answers may still be on their way.
    if (kept() === 9) controller.abort();
    else setTimeout(onHeld, 5);
  };
  await expect(run("b", { signal: controller.signal })).rejects.toThrow(InterruptedError);
  heldFrom = null;
  expect(kept()).toBe(9);
  const paid = [...answered];
  const resumed = await run("b", { resume: true });
  const total = Number(whole.stages[0]?.output.numbers?.["problems"]) * 8;
  const asked = drawn().slice(before);
  expect(new Set(asked).size).toBe(total);
  expect(paid).toHaveLength(9);
  for (const one of paid) expect(asked.filter((other) => other === one)).toEqual([one]);
  expect(resumed.stages.map(({ output }) => output.numbers)).toEqual(
    whole.stages.map(({ output }) => output.numbers),
  );
});

test("a response that cannot be drawn fails the stage, and is no wrong answer", async () => {
  await server.close();
  let broken = true;
  server = await startDialectServer({
    dialect: "vllm",
    models: ["small", "large"],
    respond,
    intercept: (request, answer) => {
      if (!broken || Number(request.body?.["seed"]) % 7 !== 0) return false;
      answer.writeHead(500).end('{"detail":"out of memory"}');
      return true;
    },
  });
  const error = await run("c").catch((caught) => caught);
  expect(error.message).toMatch(
    /^stage calibrated: \d+ of \d+ responses could not be drawn: .*HTTP 500: out of memory/,
  );
  expect(existsSync(join(bench.folder, "runs/c/stages/calibrated"))).toBe(false);
  const before = drawn().length;
  broken = false;
  const failed = Number(/(\d+) of/.exec(error.message)?.[1]);
  const { stages } = await run("c", { resume: true });
  expect(stages[0]?.skipped).toBe(false);
  const problems = Number(stages[0]?.output.numbers?.["problems"]);
  expect(drawn().length - before).toBe(failed + problems * 4);
});

test("allow_failed leaves out what the server cannot give, without paying again for the rest", async () => {
  await server.close();
  server = await startDialectServer({
    dialect: "vllm",
    models: ["small", "large"],
    respond,
    intercept: ({ body }, answer) => {
      if (question(body) !== "a:" || Number(body?.["seed"]) % 2 === 0) return false;
      answer.writeHead(500).end('{"detail":"out of memory"}');
      return true;
    },
  });
  const stage = (extra = "") => STAGES.split("\n").slice(0, 2).join("\n").replace("}}", `}${extra}}`);
  await expect(run("d", { stages: stage() })).rejects.toThrow(/could not be drawn/);
  const asked = new Set(drawn());
  const before = drawn().length;
  const { stages, runFolder } = await run("d", { stages: stage(", allow_failed: 4"), resume: true });
  // Only what failed was asked for again, seven attempts each.
  expect(new Set(drawn().slice(before)).size).toBeLessThanOrEqual(4);
  for (const sample of drawn().slice(before)) expect(asked.has(sample)).toBe(true);
  const drops = JSON.parse(readFileSync(join(runFolder, "stages/calibrated/drops.json"), "utf8"));
  expect(JSON.stringify(drops)).toContain("unsampled");
  const rates = JSON.parse(readFileSync(join(runFolder, "stages/calibrated/pass-rates.json"), "utf8"));
  const problems = Number(stages[0]?.output.numbers?.["problems"]);
  expect(rates.problems).toHaveLength(problems - 1);
  expect(rates.problems.map(({ id }: { id: string }) => id)).not.toContain("toy-a");
});

test("variables of the chat template reach the server, and others repeat the stage", async () => {
  const engine = (thinking: boolean) =>
    `{kind: openai, base_url: "${server.url}", chat_template_kwargs: {enable_thinking: ${thinking}}}`;
  await run("g", { engine: engine(false) });
  const kwargs = () =>
    new Set(
      server.requests.filter(isGeneration).map(({ body }) => JSON.stringify(body?.["chat_template_kwargs"])),
    );
  expect([...kwargs()]).toEqual(['{"enable_thinking":false}']);
  expect(
    (await run("g", { resume: true, engine: engine(false) })).stages.every(({ skipped }) => skipped),
  ).toBe(true);
  expect((await run("g", { resume: true, engine: engine(true) })).stages.some(({ skipped }) => skipped)).toBe(
    false,
  );
  expect(kwargs().size).toBe(2);
});

test("another revision of the weights repeats the stage; another address does not", async () => {
  await run("d");
  const moved = `{kind: openai, base_url: ["${server.url}/v1"], concurrency: 9}`;
  expect((await run("d", { resume: true, engine: moved })).stages.every(({ skipped }) => skipped)).toBe(true);
  const trained = `{kind: openai, base_url: "${server.url}", revision: step-100}`;
  expect((await run("d", { resume: true, engine: trained })).stages.some(({ skipped }) => skipped)).toBe(
    false,
  );
});

test.each<[string, string, string | undefined, RegExp]>([
  [
    "a stage that trains",
    `\n  - {id: tuned, kind: sft, model: "served:small", data: ["{root}/right.jsonl.gz"]}\n`,
    undefined,
    /stage tuned: sft trains, and the openai engine only samples: its servers give no gradients/,
  ],
  [
    "a model on this disk",
    `\n  - {id: scores, kind: calibrate, model: "{root}/model", problems: "{root}/toy.jsonl", ${SAMPLING}}\n`,
    undefined,
    /the openai engine only samples what its server holds: it cannot load .*model$/,
  ],
  [
    "a served model without a server",
    `\n  - {id: scores, kind: calibrate, model: "served:small", problems: "{root}/toy.jsonl", ${SAMPLING}}\n`,
    "{kind: embedded}",
    /stage scores: "served:small" needs a server, and the embedded engine has none/,
  ],
  [
    "a model that is not served",
    `\n  - {id: scores, kind: calibrate, model: "served:huge", problems: "{root}/toy.jsonl", ${SAMPLING}}\n`,
    undefined,
    /no model is served as "huge" \(there are small, large\)$/,
  ],
])("refuses %s with the reason", async (_, stages, engine, message) => {
  await expect(run("e", { stages, engine })).rejects.toThrow(message);
});

test("the key is neither in the run folder nor in an error", async () => {
  process.env["POLARIS_TEST_KEY"] = "sk-top-secret-9";
  try {
    const engine = `{kind: openai, base_url: "${server.url}", api_key_env: POLARIS_TEST_KEY}`;
    const { runFolder } = await run("f", { engine });
    expect(server.requests.every(({ headers }) => headers.authorization === "Bearer sk-top-secret-9")).toBe(
      true,
    );
    for (const name of readdirSync(runFolder, { recursive: true, withFileTypes: true }))
      if (name.isFile())
        expect(readFileSync(join(name.parentPath, name.name)).includes("sk-top-secret-9"), name.name).toBe(
          false,
        );
  } finally {
    delete process.env["POLARIS_TEST_KEY"];
  }
});

test("a temperature sweep asks the server at every temperature with the same seeds, and its choice is used", async () => {
  const stages = `
  - {id: sweep, kind: temperature_sweep, model: "served:small", problems: "{root}/toy.jsonl", samples_per_problem: 2, temperatures: [0.6, 1.2], sampling: {max_new_tokens: 20}}
  - {id: calibrated, kind: calibrate, model: "served:small", problems: "{root}/toy.jsonl", samples_per_problem: 2, sampling: {temperature_from: sweep, max_new_tokens: 20}}
`;
  const { stages: finished } = await run("sweep", { stages });
  const bodies = server.requests.filter(isGeneration).map(({ body }) => body);
  const seedsAt = (temperature: number): number[] =>
    bodies.flatMap((body) => (body?.["temperature"] === temperature ? [Number(body["seed"])] : []));
  const problems = toyProblems().length;
  const chosen = Number(finished[0]?.output.numbers?.["temperature"]);
  const other = chosen === 0.6 ? 1.2 : 0.6;
  expect(seedsAt(other)).toHaveLength(2 * problems);
  // The chosen one was asked again, by calibration, with seeds of its own.
  expect(seedsAt(chosen)).toHaveLength(4 * problems);
  expect(new Set(seedsAt(chosen))).toEqual(new Set([...seedsAt(other), ...seedsAt(chosen)]));
});
