import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { packageRoot } from "../../config/package-root.ts";
import { readProblems } from "../../data/problems.ts";
import { scratchFolder } from "../../data/testing.ts";
import { startJudgeServer } from "../../engine/judge/testing/judge-server.ts";
import { runProgram } from "../program.ts";
import { parseThreshold } from "./difference.ts";

/** Calls the CLI in this process. */
async function polaris(...words: string[]): Promise<{ code: number; out: string; errors: string }> {
  let out = "";
  let errors = "";
  vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    out += String(chunk);
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((chunk) => {
    errors += String(chunk);
    return true;
  });
  const code = await runProgram(words);
  vi.restoreAllMocks();
  return { code, out, errors };
}

const steps = (...list: string[]): string => list.map((step) => `\\underline{${step}}`).join(" then ");

/** A TRL completions table: problem 0 has a wrong response near a right one, problem 1 far ones, problem 2 is solved. */
function writeRows(folder: string): string {
  const path = join(folder, "completions.jsonl");
  const rows = [
    [0, `${steps("x=17", "y=25", "z=31")} \\boxed{50}`, 1],
    [0, `${steps("x=17", "y=25", "w=99")} \\boxed{50}`, 1],
    [0, `${steps("x=17", "y=25", "w=99", "v=77")} \\boxed{51}`, 0],
    [1, `${steps("x=17", "y=25")} \\boxed{60}`, 1],
    [1, `${steps("p=41", "q=43")} \\boxed{61}`, 1],
    [1, `${steps("r=44", "s=46")} \\boxed{62}`, 0],
    [2, `${steps("x=17", "y=25")} \\boxed{70}`, 1],
    [2, `${steps("x=17", "y=26")} \\boxed{70}`, 1],
  ] as const;
  const truth = ["50", "60", "70"];
  const lines = rows.map(([i, completion, reward]) =>
    JSON.stringify({ step: 1, prompt: `Question ${i}?`, completion, answer: truth[i], reward }),
  );
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
}

test("similarity: table, JSON and file say the same, and who recorded other scores", async () => {
  const folder = scratchFolder();
  const path = writeRows(folder);
  const out = join(folder, "study.json");
  const table = await polaris("similarity", path, "--out", out);
  expect(table.code).toBe(0);
  expect(table.out).toContain("3 problems, 8 responses (5 right, 3 wrong); read as trl");
  // One reward of 1 stands beside a wrong answer.
  expect(table.out).toContain("recorded scores agree with the grader for 7 of 8 responses");
  // Jaccard of the right pairs: 2/4 and 1/3, a mean of 41.7%; problem 1 has one right response.
  expect(table.out).toMatch(/right and right +41\.7 .* 70\.8$/m);
  const { code, out: json } = await polaris("similarity", path, "--json");
  expect(code).toBe(0);
  const study = JSON.parse(json) as Record<string, unknown>;
  expect(study).toEqual(JSON.parse(readFileSync(out, "utf8")));
  expect(study).toMatchObject({
    withoutFinalAnswer: {
      correctCorrect: { pairs: 2, problems: 2 },
      incorrectIncorrect: { value: 0, pairs: 1, problems: 1 },
    },
    read: { dialects: { trl: 8 }, correct: 5, recorded: { scores: 8, agree: 7 } },
  });
});

test("similarity: a killed judge study goes on, and no kept answer is asked for again", async () => {
  const folder = scratchFolder();
  const path = writeRows(folder);
  const cache = join(folder, "replies.jsonl");
  const server = await startJudgeServer({ delayMs: 40 });
  const words = (file: string) => [
    ...["similarity", path, "--json", "--judge", server.baseUrl, "--judge-model", "j"],
    ...["--judge-cache", file, "--judge-concurrency", "1"],
  ];
  try {
    const main = join(packageRoot(), "src/cli/main.ts");
    const child = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), main, ...words(cache)]);
    const ended = new Promise((done) => child.on("close", done));
    const lines = (): number => (existsSync(cache) ? readFileSync(cache, "utf8").split("\n").length - 1 : 0);
    for (let i = 0; i < 4000 && lines() < 2; i++) await new Promise((done) => setTimeout(done, 10));
    child.kill("SIGKILL");
    await ended;
    const kept = lines();
    expect(kept).toBeGreaterThanOrEqual(2);
    const asked = server.questions.length;
    const resumed = await polaris(...words(cache));
    expect(resumed.code).toBe(0);
    const { judge } = JSON.parse(resumed.out) as { judge: { pairs: number; unscored: number } };
    expect(judge).toMatchObject({ pairs: 7, unscored: 0, failed: 0 });
    expect(kept).toBeLessThan(judge.pairs);
    expect(server.questions.length - asked).toBe(judge.pairs - kept);
    const fresh = await polaris(...words(join(folder, "other.jsonl")));
    expect(JSON.parse(fresh.out)).toEqual(JSON.parse(resumed.out));
  } finally {
    await server.close();
  }
}, 120_000);

test("similarity: an unreachable judge is one line, and its key is in none", async () => {
  const folder = scratchFolder();
  const path = writeRows(folder);
  const server = await startJudgeServer({
    misbehaviour: () => ({ kind: "status", status: 401, body: "bad key hidden-key-9" }),
  });
  vi.stubEnv("JUDGE_TEST_KEY", "hidden-key-9");
  try {
    const words = ["similarity", path, "--judge", server.baseUrl, "--judge-cache", join(folder, "c.jsonl")];
    expect(await polaris(...words)).toMatchObject({
      code: 2,
      errors: expect.stringContaining("--judge-model"),
    });
    const refused = await polaris(...words, "--judge-model", "j", "--judge-key-env", "JUDGE_TEST_KEY");
    expect(refused.code).toBe(4);
    expect(refused.errors).toMatch(/HTTP 401: bad key \*\*\*/);
    expect(refused.errors + refused.out).not.toContain("hidden-key-9");
    expect(server.headers[0]?.authorization).toBe("Bearer hidden-key-9");
  } finally {
    vi.unstubAllEnvs();
    await server.close();
  }
});

test("difference: kept problems, reasons and divergence points", async () => {
  const folder = scratchFolder();
  const path = writeRows(folder);
  const out = join(folder, "kept.jsonl");
  const table = await polaris("difference", path, "--threshold", "0.25", "--out", out);
  expect(table.code).toBe(0);
  expect(table.out).toContain(
    "mode low: kept 1 of 3 problems; 1 low-difference, 1 high-difference, 1 solved",
  );
  expect(table.out).toMatch(/ 1 +high_difference +wrong responses are far/);
  expect(table.out).toContain("wrote 1 problems to");
  expect((await readProblems(out)).map(({ prompt, answer }) => [prompt, answer])).toEqual([
    ["Question 0?", "50"],
  ]);
  const { out: json } = await polaris("difference", path, "--mode", "mixed", "--json");
  const result = JSON.parse(json) as { kept: string[]; points: Record<string, unknown>[] };
  expect(result).toMatchObject({
    dropped: [{ id: expect.any(String), reason: "solved" }],
    histogram: { counts: [1, 0, 0, 0, 0, 0, 0, 0, 0, 1] },
  });
  expect(result.kept).toHaveLength(2);
  expect(result.points).toHaveLength(3);
  expect(result.points[0]).toMatchObject({
    sample: 2,
    nearestSample: 1,
    overlap: 1,
    steps: 4,
    position: 3,
    lastShared: "w=99",
    firstLacking: "v=77",
    firstUnseen: "v=77",
  });
});

test("difference: what cannot be done is said, and nothing is written", async () => {
  const folder = scratchFolder();
  const path = writeRows(folder);
  const out = join(folder, "kept.jsonl");
  const none = await polaris("difference", path, "--min-steps", "90", "--out", out);
  expect(none).toMatchObject({ code: 3, errors: expect.stringContaining("keeps no problem of 3") });
  expect(existsSync(out)).toBe(false);
  expect((await polaris("difference", path, "--threshold", "high")).code).toBe(2);
  expect((await polaris("difference", path, "--mode", "sideways")).code).toBe(2);
  expect((await polaris("difference", join(folder, "none.jsonl"))).code).toBe(3);
});

test("thresholds", () => {
  expect(parseThreshold("quantile:0.25")).toEqual({ kind: "quantile", quantile: 0.25 });
  expect(parseThreshold("absolute:1")).toEqual({ kind: "absolute", value: 1 });
  expect(parseThreshold(".3")).toEqual({ kind: "absolute", value: 0.3 });
  for (const text of ["", "1.5", "quantile:", "quantile:-1", "median:0.5", "0.5x"])
    expect(() => parseThreshold(text)).toThrow(/Expected quantile/);
});
