/** `polaris sample` as a process: a file of rollouts, killed with -9 in the middle and continued, and its errors. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readRollouts } from "../../data/rollouts.ts";
import { isGeneration, startDialectServer } from "../../engine/openai/testing/dialect-server.ts";
import { type StubServer, sendJson } from "../../engine/openai/testing/stub-server.ts";
import { openRolloutReader } from "../../store/rollouts/open.ts";

let folder: string;
let server: StubServer;
/** Requests answered before the server stops answering; null = all. */
let answers: number | null = null;
/** Problems whose prompts the server finds too long. */
let tooLong: string[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "polaris-sample-"));
  answers = null;
  tooLong = [];
  let answered = 0;
  const problems = Array.from({ length: 12 }, (_, i) => ({
    id: `p${i}`,
    prompt: `${i}+1?`,
    answer: String(i + 1),
  }));
  writeFileSync(join(folder, "problems.jsonl"), problems.map((row) => `${JSON.stringify(row)}\n`).join(""));
  server = await startDialectServer({
    dialect: "llama_cpp",
    respond: ({ body }) => {
      const asked = /<user>(\d+)\+1/.exec(String(body?.["prompt"]))?.[1];
      // Odd seeds are wrong.
      return { text: `\\boxed{${Number(asked) + (Number(body?.["seed"]) % 2) + 1}}` };
    },
    intercept: ({ body }, answer) => {
      if (tooLong.some((id) => String(body?.["prompt"]).startsWith(`<user>${id.slice(1)}+1`))) {
        sendJson(answer, { error: { code: 400, message: "the request exceeds the context size" } }, 400);
        return true;
      }
      return answers !== null && answered++ >= answers;
    },
  });
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const out = (): string => join(folder, "rollouts.jsonl.gz");
/** Seeds of all requests for a response so far: one per (problem, sample). */
const seeds = (): number[] => server.requests.filter(isGeneration).map(({ body }) => Number(body?.["seed"]));

function start(...more: string[]): {
  child: ChildProcess;
  ended: Promise<{ code: number | null; text: string }>;
} {
  const words = ["--import", "tsx", "src/cli/main.ts", "sample", join(folder, "problems.jsonl")];
  const child = spawn(
    process.execPath,
    [...words, "--url", server.url, "--out", out(), "--samples", "5", "--concurrency", "6", ...more],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (piece) => (text += piece));
  return { child, ended: new Promise((resolve) => child.on("close", (code) => resolve({ code, text }))) };
}

test("killed with -9 in the middle, it continues and pays for no finished response again", async () => {
  answers = 23;
  const { child, ended } = start();
  const journal = `${out()}.journal.jsonl`;
  const lines = (): number =>
    existsSync(journal) ? readFileSync(journal, "utf8").split("\n").length - 2 : 0;
  await expect.poll(lines, { timeout: 60_000 }).toBe(23);
  child.kill("SIGKILL");
  await ended;
  expect(existsSync(out())).toBe(false);
  const paid = new Set(
    readFileSync(journal, "utf8")
      .split("\n")
      .slice(1, -1)
      .map((line) => `${JSON.parse(line).problemId} ${JSON.parse(line).sample}`),
  );
  const before = seeds();
  answers = null;

  const { code, text } = await start().ended;
  expect(text).toContain("60 responses to 12 problems");
  expect(code).toBe(0);
  const asked = seeds().slice(before.length);
  // Everything that was not in the journal, once.
  expect(asked).toHaveLength(60 - 23);
  expect(new Set(asked).size).toBe(asked.length);
  expect(asked.filter((seed) => before.slice(0, 23).includes(seed))).toEqual([]);
  const rollouts = await readRollouts(out());
  expect(new Set(rollouts.map(({ problemId, sample }) => `${problemId} ${sample}`)).size).toBe(60);
  expect(paid.size).toBe(23);
  for (const { verdict, seed, text: response, problemId } of rollouts) {
    expect(verdict?.correct, `${problemId} ${seed} ${response}`).toBe(
      response === `\\boxed{${Number(problemId.slice(1)) + 1}}`,
    );
  }
  expect(existsSync(journal)).toBe(false);
  expect(existsSync(`${out()}.lock`)).toBe(false);
}, 120_000);

test("what is there is not replaced unasked; bad options and a server that is gone are one line", async () => {
  expect((await start("--json", "--limit", "2").ended).text).toContain('"responses":10');
  const there = await start("--limit", "2").ended;
  expect(there.code).toBe(2);
  expect(there.text).toMatch(/error: .*rollouts\.jsonl\.gz is there already\nhint: .*--overwrite/);
  const option = await start("--temperature", "hot").ended;
  expect(option.code).toBe(2);
  expect(option.text).toMatch(/error: --temperature: expected a number\n/);
  expect((await start("--timeout", "soon").ended).text).toMatch(
    /error: --timeout: expected auto, or seconds up to 86400, got soon\n/,
  );
  await server.close();
  const gone = await start("--overwrite", "--retries", "0").ended;
  expect(gone.code).toBe(4);
  expect(gone.text).toMatch(/error: GET http:.*\/v1\/models: connection refused\nhint: start the server/);
}, 120_000);

test("a prompt that is too long names its problem; the others are drawn, and it can be left out on purpose", async () => {
  tooLong = ["p3", "p7"];
  const refused = await start("--samples", "2").ended;
  expect(refused.code).toBe(4);
  expect(refused.text).toMatch(
    /error: 4 of 24 responses could not be drawn: .*HTTP 400: the request exceeds the context size \(problems p3, p7\)\nhint: .*--allow-failed 4/,
  );
  // Only these are asked for again, and the first that is refused says whose it is.
  const again = await start("--samples", "2").ended;
  expect(again.text).toMatch(/error: problem p[37]: POST .*exceeds the context size\n/);
  const few = await start("--samples", "2", "--allow-failed", "3").ended;
  expect(few.code).toBe(4);
  const left = await start("--samples", "2", "--allow-failed", "4").ended;
  expect(left.text).toMatch(/20 responses to 12 problems/);
  expect(left.text).toMatch(/left out 4, in no rollout and no count above\n {2}p3#0: POST .*HTTP 400/);
  expect(left.code).toBe(0);
  const rollouts = await readRollouts(out());
  expect(rollouts).toHaveLength(20);
  expect(rollouts.some(({ problemId }) => tooLong.includes(problemId))).toBe(false);
  // What was drawn at first was not drawn again.
  expect(seeds().filter((seed, i, all) => all.indexOf(seed) !== i).length).toBeLessThanOrEqual(4 * 3);
}, 120_000);

test("template variables, streams, stop texts and the weights' label reach the server and the rollouts", async () => {
  const options = [
    "--chat-template-kwargs",
    '{"enable_thinking": false, "budget": 5}',
    "--revision",
    "step-100",
  ];
  const { code, text } = await start(...options, "--stream", "--stop", "END", "--limit", "1", "--json").ended;
  expect(code, text).toBe(0);
  const bodies = (path: string) =>
    server.requests.filter((request) => request.path === path).map(({ body }) => body);
  expect(bodies("/apply-template")[0]?.["chat_template_kwargs"]).toEqual({
    enable_thinking: false,
    budget: 5,
  });
  expect(bodies("/completion")[0]).toMatchObject({ stream: true, stop: ["END"] });
  // The name is the server's own, though none was given.
  expect((await readRollouts(out())).map(({ policyVersion }) => policyVersion)).toEqual(
    new Array(5).fill("m@step-100"),
  );
  expect(text).toContain('"model":"m@step-100"');
  const wrong = await start("--chat-template-kwargs", "thinking").ended;
  expect(wrong.code).toBe(2);
  expect(wrong.text).toMatch(/--chat-template-kwargs: expected a JSON object.*got thinking/);
  const bare = await start("--endpoint", "completions", "--chat-template-kwargs", '{"a": 1}').ended;
  expect(bare.text).toMatch(/error: --chat-template-kwargs: expected a chat template to give them to/);
}, 120_000);

test("other template variables do not continue a journal that was begun without them", async () => {
  answers = 3;
  const { child, ended } = start("--limit", "2");
  const journal = `${out()}.journal.jsonl`;
  await expect
    .poll(() => (existsSync(journal) ? readFileSync(journal, "utf8").split("\n").length - 2 : 0), {
      timeout: 60_000,
    })
    .toBe(3);
  child.kill("SIGKILL");
  await ended;
  answers = null;
  const other = await start("--limit", "2", "--chat-template-kwargs", '{"enable_thinking": false}').ended;
  expect(other.code).toBe(3);
  expect(other.text).toMatch(/this journal was begun with another chat_template_kwargs/);
  expect((await start("--limit", "2").ended).code).toBe(0);
}, 120_000);

test("a name without an ending becomes a store", async () => {
  const pool = join(folder, "pool");
  expect(await start("--limit", "2", "--out", pool).ended).toMatchObject({ code: 0 });
  const rollouts = [...openRolloutReader(pool).read()].map(({ rollout }) => rollout);
  expect(rollouts.map(({ problemId, sample }) => `${problemId} ${sample}`)).toEqual(
    ["p0", "p1"].flatMap((id) => [0, 1, 2, 3, 4].map((sample) => `${id} ${sample}`)),
  );
  expect((await start("--limit", "2", "--out", pool).ended).text).toMatch(/is there already/);
}, 120_000);
