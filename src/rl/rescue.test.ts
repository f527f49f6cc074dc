import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomStream } from "../random.ts";
import type { RescueCandidate } from "./rescue.ts";
import { RescueSink } from "./rescue.ts";

fc.configureGlobal({ seed: 20260318 });

/** A group from marks: `+` correct, `-` wrong, `?` grader failure; length = position + 1. */
function group(marks: string, tag = "o"): RescueCandidate<string>[] {
  return [...marks].map((mark, i) => ({
    response: `${tag}${i}`,
    correct: mark === "?" ? null : mark === "+",
    lengthTokens: i + 1,
  }));
}
const stream = () => randomStream(1, "rescue");

describe("RescueSink", () => {
  test("figure 16: a correct response is stored and given back when a later visit fails altogether", () => {
    const sink = new RescueSink<string>({ keep: "last" });
    const draws = stream();
    expect(sink.visit("p", group("---+-+--"), { epoch: 0 }, draws)).toEqual({ rescued: null, stored: true });
    const later = sink.visit("p", group("--------", "n"), { epoch: 1 }, draws);
    expect(later.stored).toBe(false);
    expect(later.rescued?.response).toBe("o5");
    expect(later.rescued?.index).toBeGreaterThanOrEqual(0);
    expect(later.rescued?.index).toBeLessThan(8);
  });

  test("which correct response is kept", () => {
    const kept = (keep: "last" | "shortest" | "random") => {
      const sink = new RescueSink<string>({ keep });
      sink.visit("p", group("-+--+++-"), { epoch: 0 }, stream());
      return sink.snapshot()[0]?.response;
    };
    expect(kept("last")).toBe("o6");
    expect(kept("shortest")).toBe("o1");
    expect(["o1", "o4", "o5", "o6"]).toContain(kept("random"));
  });

  test("the replaced rollout is uniform over the wrong ones; grader failures stay", () => {
    const sink = new RescueSink<string>();
    const draws = stream();
    sink.visit("p", group("+"), { epoch: 0 }, draws);
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 900; i++) {
      const index = sink.visit("p", group("-?--"), { epoch: 1 }, draws).rescued?.index as number;
      counts[index] = (counts[index] ?? 0) + 1;
    }
    expect(counts[1]).toBe(0);
    for (const i of [0, 2, 3]) expect(Math.abs((counts[i] as number) - 300)).toBeLessThan(75);
    expect(sink.visit("p", group("??"), { epoch: 1 }, draws).rescued).toBeNull();
  });

  test("age and length limits", () => {
    const sink = new RescueSink<string>({ keep: "last", maxAgeEpochs: 2 });
    sink.visit("p", group("---+"), { epoch: 3 }, stream());
    expect(sink.visit("p", group("-"), { epoch: 5 }, stream()).rescued).not.toBeNull();
    expect(sink.visit("p", group("-"), { epoch: 6 }, stream()).rescued).toBeNull();
    expect(sink.visit("p", group("-"), { epoch: 4, maxLengthTokens: 4 }, stream()).rescued).not.toBeNull();
    expect(sink.visit("p", group("-"), { epoch: 4, maxLengthTokens: 3 }, stream()).rescued).toBeNull();
  });

  test("no other problem's response, none after forgetting, oldest leaves at the cap", () => {
    const sink = new RescueSink<string>({ keep: "last", maxProblems: 2 });
    for (const id of ["a", "b", "a", "c"]) sink.visit(id, group("+", id), { epoch: 0 }, stream());
    expect(sink.snapshot().map((entry) => entry.problemId)).toEqual(["a", "c"]);
    expect(sink.visit("b", group("-"), { epoch: 0 }, stream()).rescued).toBeNull();
    sink.forget(["a", "z"]);
    expect(sink.size).toBe(1);
  });

  test("a restored sink continues alike, through JSON", () => {
    const marks = fc.string({ unit: fc.constantFrom("+", "-", "?"), minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), marks), { maxLength: 20 }), (visits) => {
        const sink = new RescueSink<string>({ maxProblems: 2 });
        const draws = stream();
        for (const [i, [id, line]] of visits.entries())
          sink.visit(id, group(line, `${i}.`), { epoch: i }, draws);
        const copy = new RescueSink<string>({ maxProblems: 2 });
        copy.restore(JSON.parse(JSON.stringify(sink.snapshot())));
        expect(copy.snapshot()).toEqual(sink.snapshot());
        const [first, second] = [stream(), stream()];
        for (const id of ["a", "b", "c"])
          expect(copy.visit(id, group("----"), { epoch: 99 }, second)).toEqual(
            sink.visit(id, group("----"), { epoch: 99 }, first),
          );
      }),
    );
  });

  test("refuses a malformed state", () => {
    const sink = new RescueSink<string>();
    const entry = { problemId: "p", response: "r", lengthTokens: 1, epoch: 0 };
    expect(() => sink.restore([entry, entry])).toThrow("twice");
    expect(() => sink.restore([{ ...entry, lengthTokens: Number.NaN }])).toThrow("rescue entry 0");
  });
});
