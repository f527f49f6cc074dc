import { expect, test } from "vitest";
import type { SweepTarget } from "../../temperature/sweep-file.ts";
import { searchReason } from "./temperature.ts";

const target = { diversity: 0.5, rule: "smallest" } as SweepTarget;

test("a search that ran out of temperatures does not blame the collapse zone", () => {
  expect(searchReason({ target: null, reached: true }, null)).toMatch(/end of the robust zone/);
  expect(searchReason({ target, reached: true }, { ended: "reached" })).toMatch(
    /^lowest temperature as diverse/,
  );
  expect(
    searchReason({ target: { ...target, rule: "nearest" }, reached: true }, { ended: "reached" }),
  ).toMatch(/nearest/);
  expect(searchReason({ target, reached: false }, { ended: "collapse" })).toMatch(/collapse zone allows/);
  expect(searchReason({ target, reached: false }, { ended: "limit" })).toMatch(
    /raise search.max_temperatures/,
  );
});
