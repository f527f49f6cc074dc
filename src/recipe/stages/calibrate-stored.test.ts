/** Calibration from stored responses, the reason for every dropped problem, and the shift since an earlier one. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readRollouts } from "../../data/rollouts.ts";
import type { PassRateFile } from "../result-files.ts";
import { createWorkbench, type Workbench } from "./testing/recipe-run.ts";

let bench: Workbench;
const path = (name: string, file: string): string => join(bench.folder, "runs", name, file);
const json = <T>(name: string, file: string): T => JSON.parse(readFileSync(path(name, file), "utf8")) as T;

const HALF = "{root}/runs/half/stages/sft/model";
const GOOD = "{root}/runs/half/stages/good/model";

beforeAll(async () => {
  bench = await createWorkbench();
  const sft = (id: string, model: string, data: string, epochs: number): string =>
    `  - {id: ${id}, kind: sft, model: "${model}", data: ["{root}/${data}.jsonl.gz"], problems: "{root}/toy.jsonl", epochs: ${epochs}, batch_size: 10, optimizer: {learning_rate: 0.1}, schedule: {kind: constant}}\n`;
  await bench.run("half", sft("sft", "{root}/model", "mixed", 40) + sft("good", "sft", "right", 80));
}, 60_000);
afterAll(() => rmSync(bench.folder, { recursive: true, force: true }));

describe("calibrate: stored responses, reasons, shift", () => {
  const calibrate = (id: string, extra: string): string =>
    `  - {id: ${id}, kind: calibrate, problems: "{root}/toy.jsonl", sampling: {temperature: 1, max_new_tokens: 12}, ${extra}}\n`;

  test("stored responses are graded again, only the others are drawn, and the rates are the same", async () => {
    await bench.run(
      "reuse",
      calibrate("part", `model: "${HALF}", limit: 4`) +
        calibrate("rest", `model: "${HALF}", reuse: [part]`) +
        calibrate("all", "reuse: [rest]") +
        calibrate("fresh", `model: "${HALF}"`),
    );
    const rates = (id: string) => json<PassRateFile>("reuse", `stages/${id}/pass-rates.json`).problems;
    expect(rates("rest")).toEqual(rates("fresh"));
    expect(rates("all")).toEqual(rates("fresh"));
    const rollouts = await readRollouts(path("reuse", "stages/rest/rollouts.jsonl.gz"));
    expect(rollouts.map(({ stage: id }) => id).filter((id) => id === "part")).toHaveLength(32);
    expect(rollouts).toHaveLength(80);
    await expect(bench.run("lacking", calibrate("only", `reuse: ["{root}/right.jsonl.gz"]`))).rejects.toThrow(
      /10 of 10 problems have fewer than 8 stored responses, the first is toy-/,
    );
    const stored = path("reuse", "stages/rest/rollouts.jsonl.gz");
    await expect(
      bench.run(
        "hotter",
        calibrate("hot", `reuse: ["${stored}"]`).replace("temperature: 1", "temperature: 0.6"),
      ),
    ).rejects.toThrow(/drawn in another way: temperature 1 there, 0.6 here/);
    await expect(bench.run("nothing", calibrate("none", "samples_per_problem: 8"))).rejects.toThrow(
      /model, reuse or both/,
    );
  });

  test("every dropped problem has a reason, and each model its own rate", async () => {
    await bench.run(
      "reasons",
      calibrate("first", `model: "${HALF}", filter: {drop_unsolved: true, max_pass_rate: 0.5}`) +
        `  - {id: second, kind: calibrate, model: "${HALF}", problems: first, samples_per_problem: 4, sampling: {temperature: 1.2, max_new_tokens: 12}, filter: {drop_solved: false}}\n`,
    );
    const drops = json<{ kept: number; total: number; reasons: { reason: string; count: number }[] }>(
      "reasons",
      "stages/first/drops.json",
    );
    const { problems } = json<PassRateFile>("reasons", "stages/first/pass-rates.json");
    const count = (test_: (rate: number) => boolean): number =>
      problems.filter(({ passRate }) => test_(passRate)).length;
    expect(drops.total).toBe(10);
    expect(Object.fromEntries(drops.reasons.map((entry) => [entry.reason, entry.count]))).toEqual({
      solved: count((rate) => rate === 1),
      too_easy: count((rate) => rate > 0.5 && rate < 1),
      too_hard: count((rate) => rate === 0),
      ungraded: 0,
      unsampled: 0,
    });
    expect(drops.kept).toBe(count((rate) => rate > 0 && rate <= 0.5));
    const [row] = bench.read("reasons", "stages/second/problems.jsonl").split("\n");
    const { meta } = JSON.parse(row as string) as { meta: Record<string, Record<string, number>> };
    expect(Object.keys(meta["pass_rates"] ?? {})).toEqual(["first", "second"]);
    expect(meta["pass_rate"]).toBe(meta["pass_rates"]?.["second"]);
  });

  test("the shift counts where every problem went", async () => {
    await bench.run(
      "shift",
      calibrate("before", `model: "${HALF}", limit: 8`) +
        calibrate(
          "after",
          `model: "${GOOD}", samples_per_problem: 4, filter: {drop_solved: false}, compare_with: before`,
        ),
    );
    const shift = json<import("../result-files.ts").ShiftFile>("shift", "stages/after/shift.json");
    const [first, second] = ["before", "after"].map(
      (id) =>
        new Map(
          json<PassRateFile>("shift", `stages/${id}/pass-rates.json`).problems.map(
            ({ id: one, passRate }) => [one, passRate],
          ),
        ),
    ) as [Map<string, number>, Map<string, number>];
    expect(shift).toMatchObject({ problems: 8, onlyBefore: 0, onlyAfter: 2 });
    for (const [i, row] of shift.transitions.entries())
      for (const [j, found] of row.entries())
        expect(found).toBe(
          [...first].filter(([id, rate]) => rate === i / 8 && second.get(id) === j / 4).length,
        );
    const mean = (of: (id: string) => number): number =>
      [...first.keys()].reduce((sum, id) => sum + of(id), 0) / 8;
    expect(shift.change.value).toBeCloseTo(
      mean((id) => (second.get(id) as number) - (first.get(id) as number)),
      12,
    );
    expect(shift.change.wins + shift.change.losses + shift.change.ties).toBe(8);
    expect(shift.after.mean).toBeGreaterThan(shift.before.mean);
  });

  test("correct responses alone are not used again: they are of the problems that did best", async () => {
    const kept = (filter: string): string =>
      calibrate("biased", `model: "${GOOD}", keep_rollouts: correct, filter: {${filter}}`);
    await bench.run("biased", kept("drop_solved: true, max_pass_rate: 1"));
    expect(json<PassRateFile>("biased", "stages/biased/pass-rates.json").counts.at(-1)).toBeGreaterThan(0);
    const notes: string[] = [];
    await bench.run("biased", kept("drop_solved: true, max_pass_rate: 0.9"), {
      resume: true,
      observe: (event) => {
        if (event.event === "stage-note") notes.push(event.text);
      },
    });
    expect(notes.join()).not.toContain("stored responses");
  });
});
