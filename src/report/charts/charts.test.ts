import fc from "fast-check";
import { parseHTML } from "linkedom";
import { describe, expect, it } from "vitest";
import { htmlText, type SafeHtml } from "../html.ts";
import { drawAlpha } from "./alpha.ts";
import { drawBars } from "./bars.ts";
import { drawCurves, smoothCurve, thinCurve } from "./curves.ts";
import { drawRanges, rangeDomain } from "./ranges.ts";
import { loadChartKit, niceCeiling, spreadLabels } from "./render.ts";

const kit = await loadChartKit();

/** What a reader sees written in a chart, and its description. */
function readChart(chart: SafeHtml | undefined): { texts: string[]; label: string; markup: string } {
  const markup = htmlText(chart as SafeHtml);
  const { document } = parseHTML(`<html><body>${markup}</body></html>`);
  const texts = [...document.querySelectorAll("text")].map(({ textContent }) => textContent ?? "");
  return { texts, label: document.querySelector("svg")?.getAttribute("aria-label") ?? "", markup };
}

const CURVE = {
  label: "GRPO",
  colour: "var(--arm-grpo)",
  points: [0, 1, 2, 3].map((step) => ({ step, value: step / 4 })),
};

describe("drawCurves", () => {
  it("names every line at its end and describes where it ends", () => {
    const { texts, label, markup } = readChart(
      drawCurves(kit, {
        title: "Accuracy",
        curves: [CURVE, { ...CURVE, label: "CORE" }],
        window: 1,
        scale: 100,
      }),
    );
    expect(texts).toEqual(expect.arrayContaining(["GRPO", "CORE", "step"]));
    expect(label).toBe("Accuracy: GRPO ends at 75.0; CORE ends at 75.0");
    expect(markup).not.toMatch(/<style|style="|NaN/);
  });

  it("marks bands with the lines that fit, keeps their axis, and leaves set values unsmoothed", () => {
    const bands = [
      { from: 0.5, to: 90.5, lines: ["round 1", "T 1.4"] },
      { from: 90.5, to: 100.5, lines: ["round 2", "T 1.45"] },
    ];
    const points = [1, 91].map((step) => ({ step, value: 0.5 }));
    const { texts, label, markup } = readChart(
      drawCurves(kit, {
        title: "t",
        curves: [
          { ...CURVE, label: "", points },
          { ...CURVE, label: "limit", exact: true, points: [...points, { step: 100, value: 2 }] },
        ],
        window: 3,
        bands,
      }),
    );
    expect(texts).toEqual(expect.arrayContaining(["round 1", "T 1.4"]));
    // Ten of a hundred steps are too narrow for a name; the description has all.
    expect(texts).not.toContain("round 2");
    expect(label).toBe(
      "t: limit ends at 2.00; round 1, T 1.4 from step 1 to 90; round 2, T 1.45 from step 91 to 100",
    );
    expect(markup).not.toMatch(/NaN|style="/);
  });

  it("draws one point, and nothing without points", () => {
    expect(
      readChart(
        drawCurves(kit, { title: "t", curves: [{ ...CURVE, points: [{ step: 5, value: 0 }] }], window: 3 }),
      ).markup,
    ).not.toContain("NaN");
    expect(
      drawCurves(kit, {
        title: "t",
        curves: [{ ...CURVE, points: [{ step: 1, value: Number.NaN }] }],
        window: 3,
      }),
    ).toBeUndefined();
  });

  it("keeps a hostile label text", () => {
    const attack = ` x="1.23456"><script>alert(1)</script>`;
    const { texts, markup, label } = readChart(
      drawCurves(kit, { title: attack, curves: [{ ...CURVE, label: attack }], window: 1 }),
    );
    expect(texts).toContain(attack);
    expect(label).toContain(attack);
    expect(markup).not.toContain("<script");
  });
});

describe("smoothing", () => {
  it("averages a centred window and keeps the ends", () => {
    expect(
      smoothCurve(
        [1, 2, 6].map((value, step) => ({ step, value })),
        3,
      ).map(({ value }) => value),
    ).toEqual([1.5, 3, 4]);
    expect(smoothCurve(CURVE.points, 1)).toEqual(CURVE.points);
  });

  it("thins a long curve without moving its mean", () => {
    const points = Array.from({ length: 1000 }, (_, step) => ({ step, value: Math.sin(step) }));
    const thin = thinCurve(points, 100);
    expect(thin.length).toBe(100);
    const mean = (list: { value: number }[]): number =>
      list.reduce((sum, { value }) => sum + value, 0) / list.length;
    expect(mean(thin)).toBeCloseTo(mean(points), 12);
  });
});

describe("drawRanges", () => {
  it("writes the numbers beside the dots and signs differences", () => {
    const rows = [
      { label: "CORE \u2212 GRPO", colour: "red", estimate: { value: -0.02, low: -0.05, high: 0.01 } },
      { label: "filtered \u2212 CORE", colour: "red", estimate: { value: 0.04, low: 0.01, high: 0.07 } },
    ];
    const { texts, label } = readChart(
      drawRanges(kit, { title: "d", rows, domain: [-10, 10], scale: 100, axisLabel: "points", zero: true }),
    );
    expect(texts).toEqual(expect.arrayContaining(["\u22122.0", "+4.0", "CORE \u2212 GRPO", "points"]));
    expect(label).toContain("CORE \u2212 GRPO \u22122.0 (\u22125.0 to 1.0)");
    expect(
      drawRanges(kit, { title: "d", rows: [], domain: [0, 1], scale: 1, axisLabel: "" }),
    ).toBeUndefined();
  });

  it("gives panels a domain that holds every interval and zero", () => {
    const [low, high] = rangeDomain([{ value: 0.5, low: 0.4, high: 0.6 }], 100, true);
    expect(low).toBeLessThanOrEqual(0);
    expect(low).toBeGreaterThan(-5);
    expect(high).toBeGreaterThan(60);
    expect(rangeDomain([{ value: -0.1, low: -0.2, high: -0.05 }], 100, false)[1]).toBeGreaterThan(0);
    expect(rangeDomain([], 100, false).every(Number.isFinite)).toBe(true);
  });
});

describe("drawBars and drawAlpha", () => {
  it("give each bar its detail and draw a threshold", () => {
    const bars = [1, 3].map((value, i) => ({
      label: `${i}/8`,
      value,
      colour: "red",
      detail: `${value} problems`,
    }));
    const { markup, texts } = readChart(
      drawBars(kit, {
        title: "b",
        bars,
        yMax: 5,
        axisLabel: "solved",
        rule: { before: 1, text: "from here" },
      }),
    );
    expect(markup).toContain("<title>3 problems</title>");
    expect(texts).toEqual(expect.arrayContaining(["0/8", "1/8", "solved", "from here"]));
  });

  it("mark the chosen weight and name both ends", () => {
    const points = [0, 0.5, 1].map((alpha) => ({
      alpha,
      accuracy: { value: 0.4 + alpha / 10, low: 0.3, high: 0.6 },
    }));
    const { texts } = readChart(drawAlpha(kit, { points, chosen: 0.5 }));
    expect(texts).toEqual(expect.arrayContaining(["chosen 45.0", "distilled", "large base"]));
    expect(readChart(drawAlpha(kit, { points, chosen: 0.25 })).texts.join(" ")).not.toContain("chosen");
  });
});

describe("spreadLabels", () => {
  it("keeps labels apart, in order and inside the frame when they fit", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 200, noNaN: true }), { minLength: 1, maxLength: 10 }),
        (wanted) => {
          const placed = spreadLabels(wanted, 14, 0, 200);
          const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]! || a - b);
          order.forEach((i, rank) => {
            expect(placed[i]).toBeGreaterThanOrEqual(-1e-9);
            expect(placed[i]).toBeLessThanOrEqual(200 + 1e-9);
            if (rank > 0) expect(placed[i]! - placed[order[rank - 1]!]!).toBeGreaterThanOrEqual(14 - 1e-9);
          });
        },
      ),
    );
  });

  it("moves nothing that has room", () => {
    expect(spreadLabels([50, 10, 100], 14, 0, 200)).toEqual([50, 10, 100]);
  });
});

describe("niceCeiling", () => {
  it("is a round number at or above the value, at most half as high again", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e9, noNaN: true }), (value) => {
        const ceiling = niceCeiling(value);
        return ceiling >= value * (1 - 1e-8) && ceiling <= value * 1.5;
      }),
    );
    expect([0, Number.NaN, 82, 0.19].map(niceCeiling)).toEqual([1, 1, 100, 0.2]);
  });
});
