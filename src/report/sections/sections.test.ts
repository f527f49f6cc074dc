import { describe, expect, it } from "vitest";
import type { AlphaFile, DifferenceFile } from "../../recipe/result-files.ts";
import type { ArmDifference } from "../benchmark-groups.ts";
import { loadChartKit } from "../charts/render.ts";
import { createContext } from "../context.ts";
import { htmlText } from "../html.ts";
import { type RunRecords, readRun } from "../read-run.ts";
import { scratchRun } from "../testing/scratch-run.ts";
import { accuracyByBase } from "./by-base-accuracy.ts";
import { smoothingWindow } from "./curves.ts";
import { differenceSection, overlapHistogram } from "./difference.ts";
import { findings, headlineDifference } from "./findings.ts";
import { healthSection } from "./health.ts";
import { alphaPoints, mergeSection } from "./merge.ts";
import { meanPassRate } from "./pass-rates.ts";
import { environmentLines } from "./reproduction.ts";
import { samplesSection } from "./samples.ts";
import { similaritySection } from "./similarity.ts";
import { accuracyBySteps } from "./steps-table.ts";

const kit = await loadChartKit();

/** The fixture run with some records changed, as text of one section. */
function contextOf(change: (records: RunRecords) => void = () => {}) {
  const records = readRun(scratchRun());
  change(records);
  return createContext(records, kit);
}

const words = (markup: string): string => markup.replace(/<[^>]+>/g, " ").replace(/\s+/g, " ");

describe("findings", () => {
  const difference = (benchmark: string, value: number, half: number): ArmDifference => ({
    arm: "core",
    reference: "grpo",
    benchmark,
    value,
    low: value - half,
    high: value + half,
    problems: 10,
    samples: 4,
  });

  it("speak of the mean, or of the only benchmark, and of nothing else", () => {
    const mean = difference("mean", 0.1, 0.05);
    expect(headlineDifference([difference("a", 0, 1), difference("b", 0, 1), mean])).toBe(mean);
    expect(headlineDifference([difference("a", 0, 1)])?.benchmark).toBe("a");
    expect(headlineDifference([difference("a", 0, 1), difference("b", 0, 1)])).toBeUndefined();
  });

  it("say of the fixture run exactly what its intervals say", () => {
    const text = words(htmlText(findings(contextOf())));
    expect(text).toMatch(
      /Does the process reward help\? CORE against GRPO, short chains: not distinguishable/,
    );
    expect(text).toMatch(/long chains, sparse success: higher by \d+\.\d points \(95% interval/);
    expect(text).toContain("not corrected for the number of comparisons");
    expect(text).toContain("(GRPO 100 and CORE 100), so a difference may be one of speed");
  });

  it("are silent where no two arms can be compared", () => {
    const context = contextOf();
    for (const group of context.groups) group.arms = ["core"];
    expect(htmlText(findings(context))).toBe("");
  });

  it("say where CORE had a teacher that GRPO had not", () => {
    expect(words(htmlText(findings(contextOf())))).toContain(
      "begin with verified solutions of a stronger source (stage verified)",
    );
    const without = contextOf((records) => {
      for (const { settings } of records.recipe.stages) delete settings.consensus;
    });
    expect(words(htmlText(findings(without)))).not.toContain("stronger source");
  });
});

describe("difference filter", () => {
  it("bins overlaps with 1 in the last bin and leaves unmeasured problems out", () => {
    const file = {
      problems: [0, 0.049, 0.05, 0.999, 1, null].map((overlap, i) => ({
        id: `${i}`,
        overlap,
        bucket: "low",
        kept: true,
      })),
    } as DifferenceFile;
    const bins = overlapHistogram(file, 20);
    expect([bins[0], bins[1], bins[19]]).toEqual([2, 1, 2]);
    expect(bins.reduce((a, b) => a + b, 0)).toBe(5);
  });

  it("compares low and high runs as two runs, and one alone as nothing", () => {
    const both = words(htmlText(differenceSection(contextOf()).body));
    expect(both).toContain("with low difference (filtered): ");
    expect(both).toContain("with high difference (high): ");
    expect(both).toContain("not a finding");
    const one = contextOf((records) => {
      records.metrics = records.metrics.filter(({ stage }) => stage !== "high");
    });
    expect(words(htmlText(differenceSection(one).body))).toContain("so nothing is compared");
    const none = contextOf((records) => {
      records.metrics = [];
    });
    expect(words(htmlText(differenceSection(none).body))).toContain("No RL stage trains on the output");
  });
});

describe("process reward", () => {
  it("is shown for runs it paid, with its rule and the origin of its sets", () => {
    const text = words(htmlText(healthSection(contextOf()).body));
    expect(text).toContain(
      "core uses the rule blog; its sets begin with the correct responses of verified (teacher)",
    );
    expect(text).not.toContain("grpo");
  });

  it("warns when wrong responses match the sets as well as right ones", () => {
    expect(words(htmlText(healthSection(contextOf()).body))).not.toContain("the gap has closed");
    const closed = contextOf((records) => {
      for (const { values } of records.metrics)
        if ("consensus/ratio_wrong" in values) values["consensus/ratio_wrong"] = 0.9;
    });
    expect(words(htmlText(healthSection(closed).body))).toContain("the gap has closed");
  });
});

describe("merge", () => {
  const row = (benchmark: string, value: number, half: number) => ({
    arm: "merged@0",
    benchmark,
    metric: "avg@4",
    value,
    low: value - half,
    high: value + half,
    problems: 50,
    samples: 4,
    seed: 1,
  });

  it("averages benchmarks with equal weight and shrinks the interval of the mean", () => {
    const file: AlphaFile = {
      stage: "merge",
      chosen: 1,
      points: [
        {
          alpha: 1,
          rows: [row("a", 0.4, 0.06), row("b", 0.6, 0.08), { ...row("a", 0.9, 0), metric: "best@4" }],
        },
        { alpha: 0, rows: [row("a", 0.2, 0.06)] },
        { alpha: 0.5, rows: [] },
      ],
    };
    const points = alphaPoints(file);
    expect(points.map(({ alpha }) => alpha)).toEqual([0, 1]);
    expect(points[1]?.accuracy.value).toBeCloseTo(0.5, 12);
    expect(points[1]!.accuracy.high - 0.5).toBeCloseTo(Math.hypot(0.06, 0.08) / 2, 12);
  });

  it("claims that merging beats both ends only when the intervals are apart", () => {
    const text = (half: number) =>
      words(
        htmlText(
          mergeSection(
            contextOf((records) => {
              records.alpha = [
                {
                  stage: "merge",
                  chosen: 0.5,
                  points: [0, 0.5, 1].map((alpha) => ({
                    alpha,
                    rows: [row("a", alpha === 0.5 ? 0.6 : 0.4, half)],
                  })),
                },
              ];
            }),
          ).body,
        ),
      );
    expect(text(0.02)).toContain("above those of both ends");
    expect(text(0.15)).toContain("does not show that merging beats both");
  });

  it("bins problems by the large base's own score, each problem once", () => {
    const { groups } = contextOf();
    const bins = accuracyByBase(groups[0]!);
    expect(bins.map(({ solved }) => solved)).toEqual([0, 1, 2, 3, 4]);
    expect(bins.reduce((sum, { problems }) => sum + problems, 0)).toBe(360);
    const merged = groups[0]!.cells.filter(({ arm }) => arm === "merged@0.5");
    const correct = merged
      .flatMap(({ perProblem }) => perProblem)
      .reduce((sum, { correct }) => sum + correct, 0);
    const binned = bins.reduce((sum, bin) => sum + bin.problems * bin.arms[1]!.accuracy.value * 4, 0);
    expect(binned).toBeCloseTo(correct, 6);
  });
});

describe("similarity", () => {
  it("claims an order only when the intervals are apart", () => {
    expect(words(htmlText(similaritySection(contextOf()).body))).toContain(
      "correct responses share more results",
    );
    const wide = contextOf((records) => {
      for (const file of records.similarity) {
        file.withoutFinalAnswer.correctCorrect.low = 0.1;
        file.withoutFinalAnswer.correctCorrect.high = 1;
      }
    });
    expect(words(htmlText(similaritySection(wide).body))).toContain("do not separate");
  });

  it("shows a class without pairs as such", () => {
    const none = contextOf((records) => {
      for (const file of records.similarity)
        Object.assign(file.withoutFinalAnswer.incorrectIncorrect, {
          value: 0,
          low: 0,
          high: 0,
          pairs: 0,
          problems: 0,
        });
    });
    expect(words(htmlText(similaritySection(none).body))).toContain("no pairs");
  });
});

describe("samples", () => {
  it("cut very long text and say by how much", () => {
    const long = contextOf((records) => {
      records.samples = records.samples.slice(0, 1);
      records.samples[0]!.rollout.text = "x".repeat(10_000);
    });
    expect(words(htmlText(samplesSection(long).body))).toContain("4,000 more characters");
  });

  it("tell truncated, unanswered, ungraded and failed grading from wrong", () => {
    const context = contextOf((records) => {
      const [right] = records.samples;
      const verdict = right!.rollout.verdict!;
      const variants = [
        { verdict: undefined },
        { verdict: { ...verdict, correct: null, reason: "timeout" } },
        { verdict: { ...verdict, correct: false, answer: null, reason: "no_boxed" } },
        { verdict: { ...verdict, correct: false }, finishReason: "length" as const },
      ];
      records.samples = variants.map((variant) => ({
        ...right!,
        rollout: { ...right!.rollout, ...variant },
      }));
    });
    const text = words(htmlText(samplesSection(context).body));
    for (const phrase of [
      "not graded",
      "the grader failed (timeout)",
      "no answer (no_boxed)",
      "cut at the token limit",
    ])
      expect(text).toContain(phrase);
  });
});

describe("small numbers", () => {
  it("mean pass rate comes from the counts", () => {
    const file = { counts: [1, 0, 1], samplesPerProblem: 2 } as unknown as Parameters<typeof meanPassRate>[0];
    expect(meanPassRate(file)).toBe(0.5);
    expect(meanPassRate({ ...file, counts: [0, 0, 0] })).toBeNaN();
  });

  it("accuracy by steps splits every labelled problem once", () => {
    const { groups } = contextOf();
    const own = accuracyBySteps(groups[0]!).filter(({ arm }) => arm === "grpo");
    expect(own.map(({ steps }) => steps)).toEqual([2, 3, 4]);
    expect(own.reduce((sum, { problems }) => sum + problems, 0)).toBe(360);
  });

  it("smoothing windows are odd and between 3 and 25", () => {
    for (const length of [0, 1, 40, 100, 144, 5000]) {
      const window = smoothingWindow([{ steps: Array(length).fill(null) } as never]);
      expect(window % 2).toBe(1);
      expect(window).toBeGreaterThanOrEqual(3);
      expect(window).toBeLessThanOrEqual(25);
    }
  });
});

describe("environmentLines", () => {
  it("flattens, leaves private keys out and shortens folders to names", () => {
    expect(
      environmentLines({
        node: "v20",
        cwd: "/home/someone/project",
        engine: { kind: "embedded", path: "/x" },
        command: ["/usr/local/bin/node", "/home/someone/polaris", "run", "recipes/quickstart.yaml"],
        resumed: [{ node: "v20" }],
        started_at: "2026-01-01T00:00:00.000Z",
      }),
    ).toEqual([
      ["node", "v20"],
      ["engine.kind", "embedded"],
      ["command", "node polaris run recipes/quickstart.yaml"],
      ["started_at", "2026-01-01T00:00:00.000Z"],
    ]);
  });

  it("stays short whatever the file holds", () => {
    const wide = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, "x".repeat(5000)]));
    const lines = environmentLines(wide);
    expect(lines.length).toBeLessThanOrEqual(40);
    expect(Math.max(...lines.map(([, value]) => value.length))).toBeLessThanOrEqual(300);
  });
});
