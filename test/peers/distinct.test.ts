/** distinct-n against Python's own split on real paragraphs, code, and every odd kind of whitespace; see golden_distinct.py. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { distinctN, meanDistinctN } from "../../src/stats/index.ts";

interface Case {
  responses: string[];
  distinct: Record<string, number>;
}

const cases = JSON.parse(readFileSync(new URL("golden/distinct.json", import.meta.url), "utf8")) as Case[];

test("equals the reference to the last bit on every case", () => {
  expect(cases.flatMap(({ responses }) => responses).length).toBeGreaterThan(200);
  for (const { responses, distinct } of cases)
    for (const [n, value] of Object.entries(distinct))
      expect(distinctN(responses, Number(n)), responses[0]?.slice(0, 60)).toBe(value);
});

test("so does the mean over problems", () => {
  const reference = cases.reduce((sum, { distinct }) => sum + (distinct["4"] as number), 0) / cases.length;
  expect(meanDistinctN(cases.map(({ responses }) => responses))).toBe(reference);
  expect(reference).toBeGreaterThan(0.5);
  expect(reference).toBeLessThan(1);
});

test("the texts hold every kind of white space on which Python and JavaScript part ways", () => {
  const all = cases.flatMap(({ responses }) => responses).join("");
  for (const code of [0x1c, 0x1d, 0x1e, 0x1f, 0x85, 0xa0, 0x3000, 0xfeff])
    expect(all, code.toString(16)).toContain(String.fromCodePoint(code));
});

const script = fileURLToPath(new URL("golden_distinct.py", import.meta.url));
const python = spawnSync("python3", ["--version"]).status === 0;

test.skipIf(!python)("the Python of this computer computes the recorded values (skipped without one)", () => {
  const { status, stdout, stderr } = spawnSync("python3", [script, "--check"], { encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^\d{3} texts agree/);
});
