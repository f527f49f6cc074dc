/** A campaign whose recipe changes on the way keeps what the change does not touch, and ends as if it had always been so. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BASE_STAGE, CAMPAIGN, countingPolicies } from "./testing/campaign-recipe.ts";
import { createWorkbench, type Workbench } from "./testing/recipe-run.ts";

let bench: Workbench;
beforeAll(async () => {
  bench = await createWorkbench();
  await bench.run("base", BASE_STAGE);
});
afterAll(() => rmSync(bench.folder, { recursive: true, force: true }));

interface Attempt {
  updates: number;
  /** What the campaign said. */
  notes: string[];
  /** Why it runs again, as the plan says. */
  reason: string | undefined;
}

/** Runs the recipe in a folder; `stopAt` stops it at the n-th update of this attempt. */
async function attempt(name: string, recipe: string, stopAt = Number.POSITIVE_INFINITY): Promise<Attempt> {
  const controller = new AbortController();
  const result: Attempt = { updates: 0, notes: [], reason: undefined };
  const run = bench.run(name, recipe, {
    resume: true,
    signal: controller.signal,
    open: countingPolicies(() => {
      result.updates++;
      if (result.updates === stopAt) controller.abort();
    }),
    observe: (event) => {
      if (event.event === "stage-note") result.notes.push(event.text);
      if (event.event === "run-start") result.reason = event.stages[0]?.reason;
    },
  });
  if (stopAt === Number.POSITIVE_INFINITY) await run;
  else await expect(run).rejects.toThrow(/stopped/);
  return result;
}

const FILES = [
  "metrics.jsonl",
  ...[
    "model/model.safetensors",
    "decisions.jsonl",
    "decisions.json",
    "consensus.jsonl",
    "accuracy.jsonl",
  ].map((name) => `stages/loop/${name}`),
];

/** Undisturbed runs by recipe: their name and updates. */
const undisturbed = new Map<string, { whole: string; updates: number }>();

/** Compares with an undisturbed run of the same recipe, byte for byte, and looks for leftovers. */
async function expectUndisturbed(name: string, recipe: string): Promise<number> {
  const made = undisturbed.get(recipe);
  const whole = made?.whole ?? `${name}-undisturbed-${undisturbed.size}`;
  const updates = made?.updates ?? (await attempt(whole, recipe)).updates;
  undisturbed.set(recipe, { whole, updates });
  for (const file of FILES) expect(bench.read(name, file) === bench.read(whole, file), file).toBe(true);
  const tree = (run: string, folder: string): string[] =>
    readdirSync(join(bench.folder, "runs", run, folder), { recursive: true })
      .map(String)
      .sort();
  for (const folder of ["checkpoints/loop", "rollouts/loop"])
    expect(tree(name, folder), folder).toEqual(tree(whole, folder));
  return updates;
}

const LAST = /temperature: 0\.9, steps: 3, stop.*\}\}/;

test("another length for the last round keeps the rounds before it", async () => {
  await attempt("length", CAMPAIGN, 11);
  const changed = CAMPAIGN.replace(
    "{temperature: 0.9, steps: 3,",
    "{temperature: 0.9, steps: 3, max_new_tokens: 14,",
  );
  // Killed again inside the changed round.
  const killed = await attempt("length", changed, 1);
  expect(killed.reason).toBe("rounds.2.max_new_tokens changed");
  expect(killed.notes).toContain(
    "done before and kept: round 1 (sweep, train, drop-easy), round 2 (sweep, train, drop-easy, difference)",
  );
  expect(killed.notes).toContain("round 3: train runs again: sampling.max_new_tokens changed");
  const { updates } = await attempt("length", changed);
  const all = await expectUndisturbed("length", changed);
  expect(updates).toBeLessThanOrEqual(3);
  expect(all).toBeGreaterThanOrEqual(10);
});

test("a changed round runs again with all that follow, and going back does not find half of it", async () => {
  await attempt("back", CAMPAIGN);
  const changed = CAMPAIGN.replace("difference_filter: true, steps: 4", "difference_filter: true, steps: 2");
  // Round 2 has begun anew, so the steps of the old round 3 are gone from the metrics: its folder must be gone too.
  const { updates } = await attempt("back", changed, 1);
  expect(updates).toBe(1);
  expect(existsSync(join(bench.folder, "runs/back/checkpoints/loop/round-3"))).toBe(false);
  const again = await attempt("back", CAMPAIGN);
  // What is decided anew is told, also where it comes out as it stands on disk from an earlier attempt.
  const ends = again.notes.filter((note) => note.includes("training ended"));
  expect(ends.map((note) => note.slice(0, 7))).toEqual(["round 2", "round 3"]);
  const all = await expectUndisturbed("back", CAMPAIGN);
  expect(again.updates).toBe(all - 5);
});

test("a round more goes on, a round less trains nothing", async () => {
  await attempt("rounds", CAMPAIGN);
  const longer = CAMPAIGN.replace(LAST, "$&\n      - {temperature: keep, max_new_tokens: 15, steps: 2}");
  const more = await attempt("rounds", longer);
  expect(more.updates).toBe(2);
  await expectUndisturbed("rounds", longer);
  const shorter = CAMPAIGN.replace(/\n {6}- \{temperature: 0\.9.*/, "");
  const less = await attempt("rounds", shorter);
  expect(less.updates).toBe(0);
  await expectUndisturbed("rounds", shorter);
});

test("a search asked for later measures the rounds before it without training them again", async () => {
  const given = CAMPAIGN.replaceAll("temperature: search", "temperature: 1");
  await attempt("search", given);
  const searching = given.replace(LAST, "$&\n      - {temperature: search, steps: 2}");
  const { updates, notes } = await attempt("search", searching);
  expect(updates).toBe(2);
  expect(notes.filter((note) => /^round 1, sweep: temperature 1:/.test(note))).toHaveLength(1);
  await expectUndisturbed("search", searching);
});

test("what every round reads leaves nothing to keep", async () => {
  await attempt("all", CAMPAIGN, 7);
  const keptBy = async (recipe: string): Promise<string[]> =>
    (await attempt("all", recipe, 1)).notes.filter((note) => note.startsWith("done before and kept"));
  // The first search draws from the weights given, whatever training does with them afterwards.
  const slower = CAMPAIGN.replace("learning_rate: 0.2", "learning_rate: 0.19");
  expect(await keptBy(slower)).toEqual(["done before and kept: round 1 (sweep)"]);
  const toy = readFileSync(join(bench.folder, "toy.jsonl"), "utf8");
  writeFileSync(join(bench.folder, "nine.jsonl"), toy.replace(/^.*\n/, ""));
  const nine = slower.replace(
    'search:\n      problems: "{root}/toy',
    'search:\n      problems: "{root}/nine',
  );
  expect(await keptBy(nine)).toEqual([]);
  // The same file name with other bytes.
  writeFileSync(join(bench.folder, "nine.jsonl"), toy.replace(/^.*\n.*\n/, ""));
  expect(await keptBy(nine)).toEqual([]);
  await attempt("all", CAMPAIGN);
  await expectUndisturbed("all", CAMPAIGN);
});

test("a part whose files are gone runs again", async () => {
  await attempt("gone", CAMPAIGN);
  const folder = join(bench.folder, "runs/gone");
  rmSync(join(folder, "stages/loop/model"), { recursive: true });
  expect((await attempt("gone", CAMPAIGN)).updates).toBe(0);
  rmSync(join(folder, "stages/loop/model"), { recursive: true });
  rmSync(join(folder, "checkpoints/loop/round-2/train/model"), { recursive: true });
  const { updates, notes } = await attempt("gone", CAMPAIGN);
  expect(notes.join("\n")).toMatch(/round 2: train runs again: missing checkpoint/);
  const all = await expectUndisturbed("gone", CAMPAIGN);
  expect(updates).toBe(all - 5);
  // Rollouts may go: nothing of the campaign reads them.
  rmSync(join(folder, "rollouts"), { recursive: true });
  rmSync(join(folder, "stages/loop/model"), { recursive: true });
  expect((await attempt("gone", CAMPAIGN)).updates).toBe(0);
});
