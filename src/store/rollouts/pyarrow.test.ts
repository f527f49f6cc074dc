/**
 * What pandas, pyarrow and datasets make of exported rollouts. Runs where POLARIS_PYTHON names a Python that has pyarrow;
 * datasets is looked at when it is there too.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openRowFile } from "../../data/row-file.ts";
import { scratchFolder } from "../../data/testing.ts";
import type { Problem, Rollout } from "../../types.ts";
import { ROLLOUT_FORMATS, ROLLOUT_SCHEMAS, rolloutRow } from "./export-rows.ts";
import { responseTokens } from "./query.ts";
import { sampleRollouts } from "./testing/sample-rollouts.ts";

const python = process.env["POLARIS_PYTHON"];
if (python === undefined) console.warn("skipped: POLARIS_PYTHON names no Python with pyarrow");

const SCRIPT = `
import json, sys
import pandas, pyarrow.parquet as parquet
folder = sys.argv[1]
result = {}
for name in ["polaris", "trl", "verl"]:
    path = f"{folder}/{name}.parquet"
    table = parquet.read_table(path)
    frame = pandas.read_parquet(path)
    result[name] = {
        "schema": {f.name: str(f.type) for f in table.schema},
        "groups": parquet.ParquetFile(path).num_row_groups,
        "rows": table.to_pylist(),
        "pandas": [list(frame.columns), len(frame)],
    }
frame = pandas.read_parquet(f"{folder}/verl.parquet")
result["by_step"] = {str(step): float(score) for step, score in frame.groupby("step")["score"].mean().items()}
frame = pandas.read_parquet(f"{folder}/polaris.parquet")
result["lengths"] = [len(tokens) for tokens in frame["tokens"]]
try:
    import datasets
    datasets.disable_progress_bars()
    load = lambda name: datasets.load_dataset("parquet", data_files=f"{folder}/{name}.parquet", split="train", cache_dir=folder)
    result["datasets"] = [load("trl")[0], load("polaris")[0]["tokens"]]
except ImportError:
    pass
print(json.dumps(result))
`;

/** Rollouts with everything that can be absent absent once, and text beyond ASCII. */
function oddRollouts(): Rollout[] {
  const rollouts = [...sampleRollouts(0, 20, { step: 1 }), ...sampleRollouts(20, 40, { step: 2 })];
  const [first, second, third, fourth] = rollouts as [Rollout, Rollout, Rollout, Rollout];
  first.text = "½ 数 \\boxed{∞}";
  delete second.verdict;
  delete second.reward;
  Object.assign(third, { tokens: [], logprobs: [], lengthTokens: 7 });
  fourth.verdict = { correct: null, answer: null, reason: "timeout", graderVersion: "math-1" };
  return rollouts;
}

test.skipIf(python === undefined)(
  "every format is native values in Python, the same as here",
  { timeout: 240_000 },
  () => {
    const folder = scratchFolder();
    const rollouts = oddRollouts();
    const problems = new Map<string, Problem>(
      rollouts.map(({ problemId: id }) => [
        id,
        { id, prompt: `Q ∞ ${id}?`, answer: id === "problem-0" ? ["1", "2"] : 3, source: "s", meta: {} },
      ]),
    );
    for (const format of ROLLOUT_FORMATS) {
      const file = openRowFile(join(folder, `${format}.parquet`), ROLLOUT_SCHEMAS[format]);
      for (const rollout of rollouts)
        file.write(rolloutRow(format, rollout, { problem: problems.get(rollout.problemId) }));
      file.close();
    }
    const found = JSON.parse(
      execFileSync(python!, ["-c", SCRIPT, folder], { encoding: "utf8", maxBuffer: 2 ** 26 }),
    );
    expect(found.polaris.schema).toMatchObject({
      problemId: "string",
      step: "int64",
      sampling: expect.stringMatching(/^struct<.*temperature: double/),
      promptTokens: "list<element: int64>",
      logprobs: "list<element: double>",
      verdict: expect.stringMatching(/^struct<.*correct: bool/),
      reward: expect.stringMatching(/^struct<.*total: double/),
    });
    expect(found.trl.schema).toMatchObject({
      prompt: "list<element: struct<content: string, role: string>>",
      completion: "list<element: struct<content: string, role: string>>",
      label: "bool",
      reward: "double",
      answer: "list<element: string>",
    });
    expect(found.verl.schema).toMatchObject({
      input: "string",
      output: "string",
      gts: "list<element: string>",
      score: "double",
      acc: "bool",
    });
    for (const format of ROLLOUT_FORMATS)
      expect(found[format].pandas).toEqual([Object.keys(ROLLOUT_SCHEMAS[format]), rollouts.length]);
    for (const [i, rollout] of rollouts.entries()) {
      const { text, tokens, logprobs, verdict, reward, finishReason } = rollout;
      const total = reward?.total ?? null;
      expect(found.polaris.rows[i]).toMatchObject({ ...rollout, lengthTokens: rollout.lengthTokens ?? null });
      expect(found.polaris.rows[i].logprobs).toEqual(logprobs);
      expect(found.lengths[i]).toBe(tokens.length);
      expect(found.trl.rows[i]).toMatchObject({
        prompt: [{ content: problems.get(rollout.problemId)?.prompt, role: "user" }],
        completion: [{ content: text, role: "assistant" }],
        label: verdict?.correct ?? null,
        reward: total,
        finish_reason: finishReason,
        completion_length: responseTokens(rollout),
      });
      expect(found.verl.rows[i]).toMatchObject({ output: text, score: total, step: rollout.step });
    }
    expect(found.polaris.rows[1]).toMatchObject({ verdict: null, reward: null });
    expect(found.verl.rows[0].gts).toEqual(["1", "2"]);
    for (const step of [1, 2]) {
      const scores = rollouts.flatMap((rollout) =>
        rollout.step === step && rollout.reward !== undefined ? [rollout.reward.total] : [],
      );
      const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
      expect(found.by_step[step]).toBeCloseTo(mean, 12);
    }
    if (found.datasets !== undefined) {
      expect(found.datasets[0]).toMatchObject({
        completion: [{ content: "½ 数 \\boxed{∞}", role: "assistant" }],
      });
      expect(found.datasets[1]).toEqual(rollouts[0]?.tokens);
    }
  },
);
