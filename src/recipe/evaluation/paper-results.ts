/**
 * Numbers the POLARIS authors published, for tables that set them beside a run on the same benchmark. They were measured
 * by others, with other models and graders, and carry no interval. Shown only where a benchmark has the paper's name.
 * Source: POLARIS V1 (2025) README and blog, POLARIS V2 (2026-03-18); recipe A12, B10, B11.
 */

/** A benchmark as the paper names it, with the samples per problem behind its numbers in V1. */
export interface PaperBenchmark {
  name: string;
  /** V1 says how many; V2 does not, of any benchmark. */
  samples: number | null;
  /** Names users give it, lower-case letters and digits alone. */
  aliases: readonly string[];
}

export interface PaperTable {
  id: "v1" | "v2_ablation" | "v2_large" | "v1_others" | "v2_small_others" | "v2_large_others";
  title: string;
  benchmarks: readonly string[];
  /** Accuracy in %, in the order of `benchmarks`. */
  rows: readonly { model: string; values: readonly number[]; polaris?: true }[];
}

export const PAPER_BENCHMARKS: readonly PaperBenchmark[] = [
  { name: "AIME24", samples: 32, aliases: ["aime24", "aime2024", "testmathaime24"] },
  { name: "AIME25", samples: 32, aliases: ["aime25", "aime2025", "testmathaime25"] },
  { name: "Minerva", samples: 4, aliases: ["minerva", "minervamath", "testmathminerva"] },
  { name: "Olympiad", samples: 4, aliases: ["olympiad", "olympiadbench", "testmatholympiad"] },
  { name: "AMC23", samples: 8, aliases: ["amc23", "amc2023", "testmathamc23"] },
  { name: "AIME26", samples: null, aliases: ["aime26", "aime2026"] },
  { name: "HMMT25", samples: null, aliases: ["hmmt25", "hmmt2025", "hmmtfeb25"] },
];

export const PAPER_TABLES: readonly PaperTable[] = [
  {
    id: "v1",
    title: "POLARIS V1 (2025)",
    benchmarks: ["AIME24", "AIME25", "Minerva", "Olympiad", "AMC23"],
    rows: [
      { model: "DeepScaleR-1.5B", values: [43.1, 27.2, 34.6, 40.7, 50.6] },
      { model: "Qwen3-1.7B", values: [48.3, 36.8, 34.9, 55.1, 75.6] },
      { model: "POLARIS-1.7B-Preview", values: [66.9, 53.0, 38.9, 63.8, 85.8], polaris: true },
      { model: "R1-Distill-Qwen-7B", values: [55.0, 39.7, 36.7, 56.8, 81.9] },
      { model: "AReaL-boba-RL-7B", values: [61.9, 48.3, 39.5, 61.9, 86.4] },
      { model: "Skywork-OR1-7B-Math", values: [69.8, 52.3, 40.8, 63.2, 85.3] },
      { model: "POLARIS-7B-Preview", values: [72.6, 52.6, 40.2, 65.4, 89.0], polaris: true },
      { model: "R1-Distill-Qwen-32B", values: [72.6, 54.9, 42.1, 59.4, 84.3] },
      { model: "Qwen3-32B", values: [81.4, 72.9, 44.2, 66.7, 92.4] },
      { model: "Qwen3-4B", values: [73.8, 65.6, 43.6, 62.2, 87.2] },
      { model: "POLARIS-4B-Preview", values: [81.2, 79.4, 44.0, 69.1, 94.8], polaris: true },
    ],
  },
  {
    id: "v2_ablation",
    title: "POLARIS V2 (2026), 4B, each row on top of the one above",
    benchmarks: ["AIME25", "AIME26", "HMMT25"],
    rows: [
      { model: "Qwen3-4B-2507", values: [80.9, 78.9, 55.6] },
      { model: "+ SFT", values: [82.4, 79.8, 68.2] },
      { model: "+ GRPO", values: [86.5, 84.3, 72.4] },
      { model: "+ process reward", values: [88.0, 85.6, 76.1] },
      { model: "+ data filtering", values: [91.8, 89.5, 80.0], polaris: true },
    ],
  },
  {
    id: "v2_large",
    title: "POLARIS V2 (2026), 235B-A22B, weak-to-strong transfer",
    benchmarks: ["AIME25", "AIME26", "HMMT25"],
    rows: [
      { model: "Qwen3-235B-A22B-2507", values: [92.3, 89.5, 85.1] },
      { model: "distilled", values: [90.0, 91.4, 88.2] },
      { model: "merged, \u03b1 = 0.5", values: [94.2, 93.2, 90.5], polaris: true },
    ],
  },
];

/** Bar charts of the papers: models of others, as the authors quote them. Not set beside a run. */
export const PAPER_CHARTS: readonly PaperTable[] = [
  {
    id: "v1_others",
    title: "POLARIS V1 (2025), bar chart",
    benchmarks: ["AIME25"],
    rows: [
      { model: "Qwen3-4B", values: [65.6] },
      { model: "QwQ-32B", values: [69.5] },
      { model: "R1-671B", values: [70.0] },
      { model: "Qwen3-30B-A3B", values: [70.9] },
      { model: "Gemini-2.5-Flash (05/20)", values: [72.0] },
      { model: "Qwen3-32B", values: [72.9] },
      { model: "o3-mini-high (01/31)", values: [73.0] },
      { model: "Seed-1.5-thinking", values: [74.0] },
      { model: "Claude-4-Opus", values: [75.5] },
      { model: "Grok-3-Beta", values: [77.3] },
      { model: "POLARIS-4B-Preview", values: [79.4], polaris: true },
      { model: "Qwen3-235B-A22B", values: [81.5] },
    ],
  },
  {
    id: "v2_small_others",
    title: "POLARIS V2 (2026), bar chart, small models",
    benchmarks: ["AIME25", "AIME26", "HMMT25"],
    rows: [
      { model: "Qwen3-4B-2507", values: [80.9, 78.9, 55.6] },
      { model: "Qwen3-30B-A3B-2507", values: [85.0, 86.1, 63.1] },
      { model: "Qwen3.5-4B", values: [86.3, 85.4, 74.0] },
      { model: "GPT-OSS-20B", values: [89.3, 87.9, 76.7] },
      { model: "GPT-5-mini", values: [87.5, 88.6, 89.2] },
      { model: "Polaris-V2-4B", values: [91.8, 89.5, 80.0], polaris: true },
    ],
  },
  {
    id: "v2_large_others",
    title: "POLARIS V2 (2026), bar chart, large models",
    benchmarks: ["AIME25", "AIME26", "HMMT25"],
    rows: [
      { model: "Qwen3-235B-A22B-2507", values: [92.3, 89.5, 85.1] },
      { model: "Claude-Sonnet-4.5", values: [84.2, 90.7, 90.0] },
      { model: "DeepSeek-V3.2", values: [93.1, 94.0, 90.2] },
      { model: "GPT-5-high", values: [95.0, 92.5, 88.3] },
      { model: "Qwen3.5-397B-A17B", values: [94.8, 91.3, 94.8] },
      { model: "Polaris-V2-235B", values: [94.2, 93.2, 90.5], polaris: true },
    ],
  },
];

/** Accuracy by token limit with and without YaRN, mean@32 in %, read off figure 12 of V1 (about half a point). */
export const PAPER_LIMITS = {
  tokens: [32_768, 49_152, 65_536, 81_920, 98_304],
  rows: [
    { label: "AIME24, YaRN 1.5", values: [69.0, 78.0, 79.4, 80.9, 81.2] },
    { label: "AIME24", values: [70.8, 77.4, 78.2, 78.6, 78.7] },
    { label: "AIME25, YaRN 1.5", values: [63.9, 74.9, 77.4, 78.8, 79.4] },
    { label: "AIME25", values: [64.6, 72.8, 76.1, 76.6, 76.8] },
  ],
} as const;

/** Accuracy by response length on both AIME sets, 1920 responses, in %: figures 10 and 11 of V1. */
export const PAPER_LENGTHS = {
  buckets: ["below 16K", "16K to 32K", "above 32K"],
  rows: [
    { label: "without YaRN", values: [100.0, 93.1, 26.0] },
    { label: "YaRN 1.5", values: [100.0, 95.7, 51.6] },
  ],
} as const;

/** What every table of these numbers says below it. */
export const PAPER_CAVEAT =
  "The paper\u2019s numbers, in per cent: measured by its authors with their models, engines and grader, without intervals. A difference of grader or sampling alone moves such scores by points.";

/** The paper's benchmark of a name, or null: `aime24`, `AIME 2024` and `test-math-aime24` are AIME24. */
export function paperBenchmark(name: string): PaperBenchmark | null {
  const plain = name
    .slice(0, 300)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, "");
  return PAPER_BENCHMARKS.find(({ aliases }) => aliases.includes(plain)) ?? null;
}

/** A published table cut down to benchmarks of a run. */
export interface PaperComparison {
  title: string;
  /** Names in the paper, and in the run. */
  columns: { paper: string; own: string; samples: number | null }[];
  /** Null where the paper has no number. */
  rows: { model: string; values: (number | null)[]; polaris: boolean }[];
}

/** The tables that have numbers for some of these benchmarks; empty when none has the paper's name. */
export function paperTablesFor(benchmarks: readonly string[]): PaperComparison[] {
  const known = benchmarks.flatMap((own) => {
    const found = paperBenchmark(own);
    return found === null ? [] : [{ paper: found.name, own, samples: found.samples }];
  });
  return PAPER_TABLES.flatMap(({ id, title, benchmarks: names, rows }) => {
    const columns = known
      .filter(({ paper }) => names.includes(paper))
      .map((column) => (id === "v1" ? column : { ...column, samples: null }));
    if (columns.length === 0) return [];
    return [
      {
        title,
        columns,
        rows: rows.map(({ model, values, polaris }) => ({
          model,
          polaris: polaris === true,
          values: columns.map(({ paper }) => values[names.indexOf(paper)] ?? null),
        })),
      },
    ];
  });
}
