import { describe, expect, test } from "vitest";
import {
  PAPER_BENCHMARKS,
  PAPER_CHARTS,
  PAPER_LENGTHS,
  PAPER_LIMITS,
  PAPER_TABLES,
  paperBenchmark,
  paperTablesFor,
} from "./paper-results.ts";

describe("paper results", () => {
  test("a table has a number for each of its benchmarks, and the benchmarks exist", () => {
    const names = PAPER_BENCHMARKS.map(({ name }) => name);
    for (const { benchmarks, rows } of [...PAPER_TABLES, ...PAPER_CHARTS]) {
      for (const benchmark of benchmarks) expect(names).toContain(benchmark);
      for (const { model, values } of rows) {
        expect(values, model).toHaveLength(benchmarks.length);
        for (const value of values) expect(value > 20 && value < 100, model).toBe(true);
      }
    }
  });

  test("the abstract's claims are in the tables", () => {
    const find = (table: string, model: string) =>
      PAPER_TABLES.find(({ id }) => id === table)?.rows.find((row) => row.model === model)?.values;
    expect(find("v1", "POLARIS-4B-Preview")).toEqual([81.2, 79.4, 44.0, 69.1, 94.8]);
    expect(find("v2_ablation", "+ data filtering")).toEqual([91.8, 89.5, 80.0]);
    // Merged mean 92.6, as figure 7 has it at alpha 0.5.
    const merged = find("v2_large", "merged, \u03b1 = 0.5") as readonly number[];
    expect(merged.reduce((sum, value) => sum + value, 0) / 3).toBeCloseTo(92.63, 1);
  });

  test("charts and figures agree with the tables where they show the same models", () => {
    const valuesOf = (tables: typeof PAPER_TABLES, id: string, model: string) => {
      const table = tables.find((one) => one.id === id);
      const row = table?.rows.find((one) => one.model === model);
      return Object.fromEntries((table?.benchmarks ?? []).map((name, i) => [name, row?.values[i]]));
    };
    for (const model of ["Qwen3-4B", "Qwen3-32B", "POLARIS-4B-Preview"])
      expect(valuesOf(PAPER_CHARTS, "v1_others", model)["AIME25"]).toBe(
        valuesOf(PAPER_TABLES, "v1", model)["AIME25"],
      );
    for (const [chart, model, table, row] of [
      ["v2_small_others", "Qwen3-4B-2507", "v2_ablation", "Qwen3-4B-2507"],
      ["v2_small_others", "Polaris-V2-4B", "v2_ablation", "+ data filtering"],
      ["v2_large_others", "Qwen3-235B-A22B-2507", "v2_large", "Qwen3-235B-A22B-2507"],
      ["v2_large_others", "Polaris-V2-235B", "v2_large", "merged, \u03b1 = 0.5"],
    ] as const)
      expect(valuesOf(PAPER_CHARTS, chart, model)).toEqual(valuesOf(PAPER_TABLES, table, row));
    // The ends of the curves with YaRN are the table's numbers.
    const polaris = valuesOf(PAPER_TABLES, "v1", "POLARIS-4B-Preview");
    expect(PAPER_LIMITS.rows[0].values.at(-1)).toBe(polaris["AIME24"]);
    expect(PAPER_LIMITS.rows[2].values.at(-1)).toBe(polaris["AIME25"]);
    for (const { values } of PAPER_LIMITS.rows) expect(values).toHaveLength(PAPER_LIMITS.tokens.length);
    for (const { values } of PAPER_LENGTHS.rows) expect(values).toHaveLength(PAPER_LENGTHS.buckets.length);
  });

  test("only benchmarks of the paper's name are set beside it", () => {
    for (const name of ["AIME24", "aime24", "AIME 2024", "test-math-aime24"])
      expect(paperBenchmark(name)?.name).toBe("AIME24");
    for (const name of ["chain", "aime", "aime240", "my-aime24"]) expect(paperBenchmark(name)).toBeNull();
    expect(paperTablesFor(["chain", "inverse"])).toEqual([]);
    const tables = paperTablesFor(["chain", "aime25", "minerva"]);
    expect(tables.map(({ columns }) => columns.map(({ paper, own }) => `${paper}=${own}`))).toEqual([
      ["AIME25=aime25", "Minerva=minerva"],
      ["AIME25=aime25"],
      ["AIME25=aime25"],
    ]);
    // V2 does not say how many samples its numbers are from.
    expect(tables.map(({ columns }) => columns.map(({ samples }) => samples))).toEqual([
      [32, 4],
      [null],
      [null],
    ]);
    expect(tables[0]?.rows.at(-1)).toEqual({
      model: "POLARIS-4B-Preview",
      polaris: true,
      values: [79.4, 44.0],
    });
  });
});
