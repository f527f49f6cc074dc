import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseHTML } from "linkedom";
import { describe, expect, it } from "vitest";
import type { EvaluationFile, HardestStudy } from "../../recipe/evaluation/evaluation-file.ts";
import { writeReport } from "../index.ts";
import { scratchRun } from "../testing/scratch-run.ts";

async function render(change: (file: EvaluationFile) => unknown = (file) => file) {
  const runFolder = scratchRun();
  const path = join(runFolder, "evaluations/evaluate.json");
  const file = JSON.parse(readFileSync(path, "utf8")) as EvaluationFile;
  writeFileSync(path, JSON.stringify(change(file)));
  const { html, summary } = await writeReport({ runFolder });
  const { document } = parseHTML(readFileSync(html, "utf8"));
  const text = (selector: string): string => document.querySelector(selector)?.textContent ?? "";
  return { document, text, file, summary: JSON.parse(readFileSync(summary, "utf8")) };
}

describe("evaluations in detail", () => {
  it("shows scores, comparisons, lengths, budgets and the hardest problems with their regression", async () => {
    const { document, text, file, summary } = await render();
    const section = text("section#evaluation");
    // Figures of the papers stand among the paper's numbers, never beside a run.
    for (const shown of ["DeepSeek-V3.2", "96K", "AIME25, YaRN 1.5"]) {
      expect(text("section#paper")).toContain(shown);
      expect(section).not.toContain(shown);
    }
    expect(section).toContain("pass@4");
    // The same number as pass@4 of 4 samples.
    expect(section).not.toContain("best@4");
    expect(section).toContain("Had the limit been shorter");
    const { selectedOn, fresh } = (file.hardest as HardestStudy).regression;
    // The fixture's base is better on fresh samples of the problems it was worst on: the effect the study is about.
    expect(fresh).toBeGreaterThan(selectedOn);
    expect(section).toContain(`base ${(100 * selectedOn).toFixed(1)}%`);
    expect(section).toContain(`base ${(100 * fresh).toFixed(1)}%`);
    expect([...document.querySelectorAll("section#evaluation svg.chart")].length).toBe(8);
    expect(summary.evaluations[0].comparisons).toEqual(file.comparisons);
    expect(summary.evaluations[0].hardest).toEqual(file.hardest);
  });

  it("leaves out what a file of the first layout lacks", async () => {
    const { text, summary } = await render((file) => {
      const {
        layout: _,
        grader: _g,
        prompt: _p,
        problems: _q,
        reference: _r,
        comparisons: _c,
        hardest: _h,
        ...rest
      } = file;
      const arms = rest.arms.map(
        ({ lengths: _l, budgets: _b, modelSha256: _m, ropeScaling: _s, ...arm }) => ({
          ...arm,
          benchmarks: arm.benchmarks.map((benchmark) => ({
            ...benchmark,
            problems: benchmark.problems.map(({ responses: _x, ...problem }) => problem),
          })),
        }),
      );
      return { ...rest, arms };
    });
    expect(summary.notes).toEqual([]);
    expect(summary.evaluations[0]).toMatchObject({ reference: null, comparisons: [], hardest: null });
    expect(text("section#evaluation")).toContain("avg@4");
  });

  it("sets the paper beside benchmarks of its name alone", async () => {
    expect((await render()).text("section#evaluation")).not.toContain("POLARIS-4B-Preview");
    const { text } = await render((file) =>
      JSON.parse(JSON.stringify(file).replaceAll('"benchmark":"chain"', '"benchmark":"aime25"')),
    );
    const section = text("section#evaluation");
    expect(section).toContain("POLARIS-4B-Preview");
    expect(section).toContain("AIME25 avg@32 (here aime25)");
    expect(section).toContain("measured by its authors");
    // The run drew 4 samples per problem, the paper 32.
    expect(section).toMatch(/this run:[^%]*avg@4/);
    const { text: trial } = await render((file) =>
      JSON.parse(
        JSON.stringify({ ...file, problems: { ...file.problems, limit: 3 } }).replaceAll(
          '"benchmark":"chain"',
          '"benchmark":"aime25"',
        ),
      ),
    );
    expect(trial("section#evaluation")).toContain("A trial: only the first 3 problems of each benchmark");
    expect(trial("section#evaluation")).not.toContain("POLARIS-4B-Preview");
  });
});
