import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import type { RunEvent } from "../recipe/run-events.ts";
import { createRenderer, type RenderOptions } from "./render.ts";
import { createThroughput } from "./throughput.ts";

const start: RunEvent = {
  event: "run-start",
  name: "demo",
  runFolder: "/runs/demo",
  seed: 3,
  engine: { kind: "embedded" },
  stages: [
    { id: "sft", kind: "sft", state: "done" },
    { id: "core", kind: "rl", state: "stale", reason: "temperature changed" },
  ],
};
const skip: RunEvent = {
  event: "stage-skip",
  stage: "sft",
  kind: "sft",
  index: 0,
  total: 2,
  numbers: { loss: 0.41234 },
};
const begin: RunEvent = { event: "stage-start", stage: "core", kind: "rl", index: 1, total: 2, attempt: 1 };
const step = (done: number, seconds: number): RunEvent => ({
  event: "stage-progress",
  stage: "core",
  done,
  steps: 60,
  values: { "response_length/mean": 42.5, "reward/mean": 0.25, accuracy: 0.2, entropy: 1.125 },
  tokens: 1500 * seconds,
  seconds,
});
const end: RunEvent = {
  event: "stage-end",
  stage: "core",
  kind: "rl",
  index: 1,
  total: 2,
  seconds: 75,
  tokens: 150_000,
  numbers: { accuracy: 0.31234, note: "x", missing: null },
};
const finish: RunEvent = {
  event: "run-end",
  name: "demo",
  runFolder: "/runs/demo",
  seconds: 76,
  ran: 1,
  skipped: 1,
};

/** Renders events at given times and returns everything written. */
function render(
  options: RenderOptions & { columns?: number; tty?: boolean },
  timed: [number, RunEvent][],
): string {
  let written = "";
  let nowMs = 0;
  const output = {
    write: (text: string) => (written += text),
    isTTY: options.tty,
    columns: options.columns ?? 120,
  };
  const renderer = createRenderer({ output, now: () => nowMs, environment: { TERM: "xterm" }, ...options });
  for (const [atMs, event] of timed) {
    nowMs = atMs;
    renderer.observe(event);
  }
  renderer.close();
  return written;
}

test("plain lines: stages, rate-limited progress, no escape sequences", () => {
  const steps = Array.from({ length: 60 }, (_, i): [number, RunEvent] => [
    1000 * (i + 1),
    step(i + 1, i + 1),
  ]);
  const text = render({}, [[0, start], [0, skip], [0, begin], ...steps, [75_000, end], [76_000, finish]]);
  expect(text).toBe(stripVTControlCharacters(text));
  const lines = text.trimEnd().split("\n");
  expect(lines.slice(0, 4)).toEqual([
    "demo  seed 3  embedded  /runs/demo",
    "  core is stale (temperature changed) and runs again",
    "- 1/2 sft  sft  done before  loss 0.412",
    "> 2/2 core rl",
  ]);
  expect(lines[4]).toBe(
    "  2/2 core rl   step 10/60  reward 0.25  accuracy 0.2  1.5k tok/s  ETA 50s  entropy 1.13  length 42.5",
  );
  expect(lines.filter((line) => line.includes("step "))).toHaveLength(6);
  expect(lines.slice(-2)).toEqual([
    "+ 2/2 core rl   1m15s  2.0k tok/s  accuracy 0.312  note x",
    "finished in 1m16s: 1 stages run, 1 done before",
  ]);
});

test("a terminal gets one repainted line that fits, then the kept line", () => {
  for (const columns of [40, 60, 200]) {
    const text = render({ tty: true, columns }, [
      [0, start],
      [0, begin],
      [200, step(1, 1)],
      [400, step(2, 2)],
      [500, end],
    ]);
    const painted = text.split("\r\u001b[2K").slice(1, -1);
    expect(painted).toHaveLength(3);
    for (const line of painted) expect(stripVTControlCharacters(line).length).toBeLessThan(columns);
    expect(stripVTControlCharacters(painted[0]!)).toContain("starting");
    expect(stripVTControlCharacters(painted[2]!)).toContain("step 2/60");
    expect(text.split("\r\u001b[2K").at(-1)).toMatch(/✓.*core.*1m15s.*\n$/);
  }
});

test("repainting is limited to ten times a second", () => {
  const steps = Array.from({ length: 100 }, (_, i): [number, RunEvent] => [10 * i, step(i, i / 100)]);
  const text = render({ tty: true }, [[0, start], [0, begin], ...steps]);
  expect(text.split("\r\u001b[2K").length).toBeLessThanOrEqual(13);
});

test("NO_COLOR and dumb terminals", () => {
  const timed: [number, RunEvent][] = [
    [0, start],
    [0, begin],
    [200, step(1, 1)],
    [500, end],
  ];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are escape sequences
  expect(render({ tty: true, environment: { NO_COLOR: "1" } }, timed)).not.toMatch(/\u001b\[\d+m/);
  expect(render({ tty: true, environment: { TERM: "dumb" } }, timed)).not.toContain("\u001b");
});

test("JSON: one parsable object per line, progress at most once a second and always the last", () => {
  const steps = Array.from({ length: 60 }, (_, i): [number, RunEvent] => [100 * (i + 1), step(i + 1, i + 1)]);
  const events = render({ json: true }, [[0, start], [0, begin], ...steps, [9000, end], [9000, finish]])
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(events[0]).toMatchObject(start);
  const progress = events.filter((event) => event.event === "stage-progress");
  expect(progress.length).toBeLessThanOrEqual(7);
  expect(progress.at(-1)).toMatchObject({ done: 60, values: { accuracy: 0.2 } });
  expect(progress.at(-2)).toMatchObject({
    tokensPerSecond: expect.any(Number),
    etaSeconds: expect.any(Number),
  });
  // One step a second, and those that are left.
  expect(progress.at(-2).etaSeconds).toBeCloseTo(60 - progress.at(-2).done, 6);
  expect(events.at(-1)).toMatchObject({ event: "run-end", ran: 1 });
});

test("text from a recipe or a model cannot steer the terminal", () => {
  const note: RunEvent = {
    event: "stage-note",
    stage: "core",
    text: "\u001b]0;owned\u0007\u001b[2Jbad\u0008\rgood",
  };
  expect(render({}, [[0, note]])).toBe("  core: badgood\n");
});

test("throughput and ETA count from the first report of this attempt", () => {
  const throughput = createThroughput();
  expect(throughput.update({ done: 40, steps: 100, tokens: 0, seconds: 1 })).toEqual({
    tokensPerSecond: undefined,
    etaSeconds: undefined,
  });
  const second = throughput.update({ done: 50, steps: 100, tokens: 4000, seconds: 3 });
  expect(second.etaSeconds).toBeCloseTo(10, 9);
  expect(second.tokensPerSecond).toBeCloseTo(4000 / 3, 9);
  // After a pause the window forgets the past: only the last fifteen seconds count.
  let last = second;
  for (let seconds = 4; seconds <= 60; seconds++)
    last = throughput.update({ done: 51, steps: 100, tokens: 4000 + 100 * (seconds - 3), seconds });
  expect(last.tokensPerSecond).toBeCloseTo(100, 9);
});
