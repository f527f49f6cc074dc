import fc from "fast-check";
import { expect, test } from "vitest";
import { ConfigError, InterruptedError } from "../errors.ts";
import { reportFailure } from "./failure.ts";
import { resultsTable } from "./results-table.ts";
import {
  createStyle,
  formatCount,
  formatNumber,
  formatSeconds,
  formatTable,
  printable,
  visibleWidth,
  wantsColor,
} from "./style.ts";

test.each([
  [0.0123, "12ms"],
  [9.96, "10.0s"],
  [59.94, "59.9s"],
  [59.96, "1m00s"],
  [245, "4m05s"],
  [7620, "2h07m"],
  [Number.NaN, "?"],
])("%s s is %s", (seconds, text) => expect(formatSeconds(seconds)).toBe(text));

test.each([
  [0, "0"],
  [0.123456, "0.123"],
  [12.345, "12.3"],
  [1234.567, "1235"],
  [0.00001234, "1.23e-5"],
  [20000, "20000"],
  [-0.5, "-0.5"],
])("%s is shown as %s", (value, text) => expect(formatNumber(value)).toBe(text));

test("counts", () =>
  expect([999, 1500, 99_960, 1_234_567].map(formatCount)).toEqual(["999", "1.5k", "100k", "1.2M"]));

test("when colours are wanted", () => {
  expect(wantsColor(true, {})).toBe(true);
  expect(wantsColor(false, {})).toBe(false);
  expect(wantsColor(true, { NO_COLOR: "1" })).toBe(false);
  expect(wantsColor(false, { FORCE_COLOR: "1" })).toBe(true);
  expect(wantsColor(true, { TERM: "dumb" })).toBe(false);
});

test("nothing printable holds a control character, and plain text is unchanged", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) =>
      [...printable(text)].every(
        (letter) =>
          letter === "\n" ||
          letter === "\t" ||
          (letter >= " " && !(letter >= "\u007f" && letter <= "\u009f")),
      ),
    ),
  );
  expect(printable("größer 数 ✓")).toBe("größer 数 ✓");
});

test("tables align, numbers to the right, colours not counted", () => {
  const style = createStyle(true);
  const lines = formatTable(
    [
      ["a", style.bold("1.5")],
      ["long", "10"],
    ],
    ["name", "n"],
  );
  expect(lines.map(visibleWidth)).toEqual([9, 9, 9]);
  expect(
    formatTable([
      ["a", "1.5"],
      ["long", "10"],
    ]),
  ).toEqual(["a     1.5", "long   10"]);
});

test("one line and a hint on standard error; the exit code by kind", () => {
  let errors = "";
  const stderr = { write: (text: string) => (errors += text) };
  expect(reportFailure(new ConfigError("r.yaml:1:1: no", { hint: "do this" }), { stderr })).toBe(2);
  expect(errors).toBe("error: r.yaml:1:1: no\nhint: do this\n");
  errors = "";
  expect(reportFailure(new InterruptedError("stopped in stage rl"), { stderr })).toBe(130);
  expect(errors).toBe("stopped in stage rl\n");
  errors = "";
  expect(reportFailure(new TypeError("x\ny"), { stderr })).toBe(1);
  expect(errors).toBe("internal error: x\nhint: this is a bug; run again with -v for the stack trace\n");
  errors = "";
  reportFailure(new ConfigError("no", { cause: new Error("why") }), { stderr, verbose: true });
  expect(errors).toMatch(/ConfigError: no\n\s+at .*caused by Error: why/s);
});

test("errors as JSON", () => {
  let text = "";
  reportFailure(new ConfigError("no", { details: { line: 3 } }), {
    json: true,
    stdout: { write: (line: string) => (text += line) },
  });
  expect(JSON.parse(text)).toEqual({
    event: "error",
    code: "config",
    message: "no",
    exitCode: 2,
    details: { line: 3 },
  });
});

test("the results table shows percent and intervals per arm and benchmark", () => {
  const row = { metric: "avg@4", problems: 10, samples: 4, seed: 0 };
  const rows = [
    { ...row, arm: "base", benchmark: "A", value: 0.123, low: 0.1, high: 0.15 },
    { ...row, arm: "core", benchmark: "B", value: 0.5, low: 0.5, high: 0.5 },
    { ...row, arm: "core", benchmark: "B", metric: "pass@4", value: 0.9, low: 0.8, high: 1 },
  ];
  expect(resultsTable(rows, createStyle(false))).toEqual([
    "avg@4, %                 A     B",
    "base      12.3 (10.0–15.0)",
    "core                        50.0",
  ]);
  expect(resultsTable([], createStyle(false))).toEqual([]);
});
