/** Every shipped recipe passes the checks of `polaris run`, and the one for served models runs as it is on a server. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadRecipe } from "../config/load-recipe.ts";
import { packageRoot } from "../config/package-root.ts";
import { writeProblems } from "../data/problems.ts";
import { startDialectServer } from "../engine/openai/testing/dialect-server.ts";
import { randomStream } from "../random.ts";
import type { Problem } from "../types.ts";
import { orderStages } from "./graph.ts";
import { runRecipe } from "./runner.ts";
import { STAGE_KINDS } from "./stages/index.ts";

const FOLDER = join(packageRoot(), "recipes");
const schemas = Object.fromEntries(Object.values(STAGE_KINDS).map(({ kind, schema }) => [kind, schema]));

/** Sums with answers, so that no two files share a question. */
function sums(count: number, from: number): Problem[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `sum-${from + i}`,
    prompt: `Compute the sum of ${from + i} and ${3 * i + 1}.`,
    answer: String(from + i + 3 * i + 1),
    source: "sums",
    meta: {},
  }));
}

/** The files the recipes leave to the user, where relative paths lead. */
const [problems, benchmark] = [sums(12, 100), sums(5, 500)];
let folder: string;
const before = process.cwd();
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "polaris-shipped-"));
  writeProblems(join(folder, "problems.jsonl"), problems);
  writeProblems(join(folder, "benchmark.jsonl"), benchmark);
  process.chdir(folder);
});
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true, force: true });
});

const names = readdirSync(FOLDER).filter((name) => name.endsWith(".yaml"));
test.each(names)("%s: keys, references and files fit", (name) => {
  const { recipe, tree } = loadRecipe({ files: [join(FOLDER, name)], schemas });
  expect(orderStages(recipe, STAGE_KINDS, tree).map(({ kind }) => kind)).toContain("report");
});

test("served-model.yaml calibrates, sweeps and scores a model behind a server", async () => {
  const answers = new Map([...problems, ...benchmark].map(({ prompt, answer }) => [prompt, answer]));
  const server = await startDialectServer({
    dialect: "vllm",
    models: ["served"],
    // Right less often as the temperature rises.
    respond: ({ body }) => {
      const { content = "" } = ((body?.["messages"] ?? []) as { content: string }[])[0] ?? {};
      const answer = [...answers].find(([prompt]) => content.startsWith(prompt))?.[1];
      const right =
        randomStream(Number(body?.["seed"]), "right").uniform() > Number(body?.["temperature"]) - 0.3;
      return { text: right ? `so it is \\boxed{${answer}}` : `perhaps \\boxed{${body?.["seed"]}}` };
    },
  });
  try {
    const { recipe, tree } = loadRecipe({
      files: [join(FOLDER, "served-model.yaml")],
      schemas,
      overrides: [`engine.base_url=${server.url}`, "stages.sweep.samples_per_problem=4"],
    });
    const { stages, runFolder } = await runRecipe({
      recipe,
      tree,
      kinds: STAGE_KINDS,
      runFolder: join(folder, "run"),
    });
    const numbers = Object.fromEntries(stages.map(({ id, output }) => [id, output.numbers]));
    expect(numbers["pool"]?.["problems"]).toBe(problems.length);
    expect(numbers["calibrated"]?.["pass_rate"]).toBeGreaterThan(0.5);
    expect(numbers["sweep"]?.["temperature"]).toBeLessThan(1);
    const scores = readFileSync(join(runFolder, "evaluations/scores.json"), "utf8");
    expect(JSON.parse(scores).sampling).toMatchObject({ topK: 20, topP: 0.95 });
    expect(existsSync(join(runFolder, "report/index.html"))).toBe(true);
  } finally {
    await server.close();
  }
});
