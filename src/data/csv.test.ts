import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readCsv } from "./csv.ts";
import { readProblems } from "./problems.ts";
import { collect, scratchFolder } from "./testing.ts";

fc.configureGlobal({ seed: 1 });

function file(content: string | Uint8Array, name = "t.csv"): string {
  const path = join(scratchFolder(), name);
  writeFileSync(path, content);
  return path;
}

const valuesOf = async (path: string) => (await collect(readCsv(path))).map(({ value }) => value);

test("quotes, separators and line ends within fields, a byte order mark, CRLF, empty fields, places", async () => {
  const path = file(
    '\ufeffproblem,answer,note\r\n"What is\r\n1,000 + ""1""?",1001,\r\n\r\nx "y",007,"",\r\n'.replace(
      ',"",',
      ',""',
    ),
  );
  expect(await collect(readCsv(path))).toEqual([
    { value: { problem: 'What is\r\n1,000 + "1"?', answer: "1001" }, where: `${path}:2` },
    { value: { problem: 'x "y"', answer: "007" }, where: `${path}:5` },
  ]);
  expect((await readProblems(path)).map(({ answer, source }) => [answer, source])).toEqual([
    ["1001", "t"],
    ["007", "t"],
  ]);
  expect(await valuesOf(file("a\tb\n1,5\t2", "t.tsv"))).toEqual([{ a: "1,5", b: "2" }]);
  expect(await valuesOf(file(gzipSync("a,b\r1,2\r"), "t.csv.gz"))).toEqual([{ a: "1", b: "2" }]);
});

test("what is written in quotes comes back, wherever the file is cut into pieces", async () => {
  const folder = scratchFolder();
  const text = fc.string({
    unit: fc.constantFrom("a", '"', ",", "\n", "\r", "∞", " "),
    minLength: 1,
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 5 }), async (rows) => {
      const path = join(folder, "p.csv");
      const quoted = (value: string) => `"${value.replaceAll('"', '""')}"`;
      writeFileSync(path, `a,b\n${rows.map((row) => row.map(quoted).join(",")).join("\n")}`);
      expect(await valuesOf(path)).toEqual(rows.map(([a, b]) => ({ a, b })));
    }),
    { numRuns: 100 },
  );
  // Longer than a piece of the file, so that quotes and characters lie on its edges.
  const long = Array.from({ length: 40_000 }, (_, i) => `"q ""${i}"" ∞",${i}\r\n`).join("");
  const values = await valuesOf(file(`problem,answer\r\n${long}`));
  expect(values).toHaveLength(40_000);
  expect(values[39_999]).toEqual({ problem: 'q "39999" ∞', answer: "39999" });
});

test.each<[string, string | Uint8Array, string]>([
  ["more fields than columns", "a,b\n1,2,3\n", "t.csv:2: expected at most 2 fields, got 3"],
  ["open quotes", 'a,b\n"1,2\n3', "t.csv:2: the file ends within quotes"],
  ["a column twice", "a,a\n1,2\n", "t.csv:1: column a is there twice"],
  ["no UTF-8", Uint8Array.of(0x61, 0x0a, 0xff, 0x0a), "not UTF-8"],
  ["too many columns", `${",".repeat(10_001)}\n`, "expected at most 10000 columns"],
])("%s is one clear line", async (_, content, message) => {
  await expect(valuesOf(file(content))).rejects.toThrow(message);
});
