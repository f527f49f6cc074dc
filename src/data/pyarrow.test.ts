/**
 * What pandas, pyarrow, datasets, verl and TRL make of the files written here. Runs where POLARIS_PYTHON names a Python
 * that has pyarrow; the others are looked at when they are there too (verl also by PYTHONPATH).
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadChatTemplate, renderChat } from "../text/chat-template.ts";
import { createPromptMeasure } from "../text/prompt-length.ts";
import { promptMessages } from "../text/prompts.ts";
import type { Problem } from "../types.ts";
import { writeProblemFile } from "./problem-file.ts";
import { scratchFolder } from "./testing.ts";

const python = process.env["POLARIS_PYTHON"];
if (python === undefined) console.warn("skipped: POLARIS_PYTHON names no Python with pyarrow");

/** A tokenizer with a token per byte and a chat template as Qwen's, which transformers and this project both read. */
function writeTokenizerFolder(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const special = ["<|im_start|>", "<|im_end|>"];
  // The letters byte-level tokenizers write bytes with: printable ones as themselves, the others from U+0100 on.
  const plain = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte < 173) || byte > 173;
  let next = 256;
  const letters = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(plain(byte) ? byte : next++));
  const vocab = Object.fromEntries([...letters, ...special].map((token, id) => [token, id]));
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: true };
  const tokenizer = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: special.map((content, i) => ({
      id: 256 + i,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab,
      merges: [],
    },
  };
  writeFileSync(join(folder, "tokenizer.json"), JSON.stringify(tokenizer));
  const chat_template =
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\\n{{ m['content'] }}<|im_end|>\\n{% endfor %}" +
    "{% if add_generation_prompt %}<|im_start|>assistant\\n{% endif %}";
  writeFileSync(
    join(folder, "tokenizer_config.json"),
    JSON.stringify({ tokenizer_class: "PreTrainedTokenizerFast", eos_token: "<|im_end|>", chat_template }),
  );
}

const SCRIPT = `
import json, sys
import pandas, pyarrow.parquet as parquet
path = sys.argv[1]
table = parquet.read_table(path)
result = {"schema": {f.name: str(f.type) for f in table.schema}, "rows": table.to_pylist(), "pandas": len(pandas.read_parquet(path))}
try:
    import datasets
    datasets.disable_progress_bars()
    set = datasets.load_dataset("parquet", data_files=path, split="train", cache_dir=sys.argv[2])
    result["datasets"] = set[1]
except ImportError:
    pass
print(json.dumps(result))
`;

test.skipIf(python === undefined)(
  "verl rows are native nested values in Python",
  { timeout: 120_000 },
  async () => {
    const folder = scratchFolder();
    const path = join(folder, "train.parquet");
    const problems: Problem[] = [
      {
        id: "a",
        prompt: "Q ∞?",
        answer: "1",
        source: "s",
        meta: { difficulty: 0.5, tags: ["x"], origin: { page: 3 } },
      },
      {
        id: "b",
        prompt: "R?",
        answer: ["2", "3"],
        source: "s",
        meta: { mixed: 1, extra_info: { hint: "h" } },
      },
      { id: "c", prompt: "S?", answer: 4, source: "s", meta: { mixed: "text" } },
    ];
    await writeProblemFile(path, () => problems, { dialect: "verl" });
    const found = JSON.parse(execFileSync(python!, ["-c", SCRIPT, path, folder], { encoding: "utf8" }));
    expect(found.schema).toMatchObject({
      data_source: "string",
      prompt: "list<element: struct<content: string, role: string>>",
      ability: "string",
      reward_model: "struct<ground_truth: list<element: string>, style: string>",
      extra_info: "struct<hint: string, index: int64, split: string>",
      difficulty: "double",
      tags: "list<element: string>",
      origin: "struct<page: int64>",
      mixed: "string",
    });
    expect(found.pandas).toBe(3);
    expect(found.rows[0]).toMatchObject({
      prompt: [{ content: "Q ∞?", role: "user" }],
      reward_model: { ground_truth: ["1"], style: "rule" },
      extra_info: { hint: null, index: 0, split: "train" },
      origin: { page: 3 },
    });
    expect(found.rows[2].mixed).toBe('"text"');
    if (found.datasets !== undefined)
      expect(found.datasets).toMatchObject({
        prompt: [{ content: "R?", role: "user" }],
        reward_model: { ground_truth: ["2", "3"], style: "rule" },
        extra_info: { hint: "h", index: 1, split: "train" },
      });
  },
);

const VERL_SCRIPT = `
import json, os, sys
try:
    from verl.utils.dataset.rl_dataset import RLHFDataset, collate_fn
    from omegaconf import OmegaConf
    from transformers import PreTrainedTokenizerFast
except ImportError as error:
    print(json.dumps({"missing": str(error)}))
    sys.exit()
import contextlib
path, tokenizer_folder, limit, cache = sys.argv[1:]
tokenizer = PreTrainedTokenizerFast.from_pretrained(tokenizer_folder)
config = OmegaConf.create({"prompt_key": "prompt", "max_prompt_length": int(limit), "filter_overlong_prompts": True,
    "filter_overlong_prompts_workers": 1, "cache_dir": cache, "truncation": "error", "return_raw_chat": True})
with contextlib.redirect_stdout(sys.stderr):
    rows = RLHFDataset(data_files=path, tokenizer=tokenizer, config=config, processor=None)
    batch = collate_fn([rows[0], rows[1]])
print(json.dumps({"first": {key: rows[0][key] for key in ("raw_prompt", "index", "reward_model", "data_source")},
    "kept": [row["extra_info"]["index"] for row in rows.dataframe], "batch": sorted(batch)}))
`;

test.skipIf(python === undefined)(
  "verl's own data set reads the rows, and its filter of overlong prompts keeps the same ones",
  { timeout: 240_000 },
  async () => {
    const folder = scratchFolder();
    const model = join(folder, "model");
    writeTokenizerFolder(model);
    const problems: Problem[] = Array.from({ length: 60 }, (_, i) => ({
      id: `p${i}`,
      prompt: `Add these numbers: ${Array.from({ length: i + 1 }, (_, k) => k * i).join(" + ")} ∞`,
      answer: String(i),
      source: "sums",
      meta: (i % 2 === 0 ? { note: "n" } : { nested: { a: [i] } }) as Problem["meta"],
    }));
    const path = join(folder, "train.parquet");
    await writeProblemFile(path, () => problems, { dialect: "verl" });
    const limit = 120;
    const output = execFileSync(python!, ["-c", VERL_SCRIPT, path, model, String(limit), folder], {
      encoding: "utf8",
      env: { ...process.env, HF_DATASETS_CACHE: folder, HF_HUB_OFFLINE: "1" },
      stdio: ["ignore", "pipe", "ignore"],
    });
    const found = JSON.parse(output.trim().split("\n").at(-1)!);
    if (found.missing !== undefined) return console.warn(`skipped: ${found.missing}`);
    const measure = createPromptMeasure(model, { instruction: "plain", position: "after_suffix" });
    const kept = problems.flatMap(({ prompt }, i) =>
      measure.tokensAbove(prompt, limit) === null ? [i] : [],
    );
    expect(found.kept).toEqual(kept);
    expect(kept.length).toBeGreaterThan(10);
    expect(kept.length).toBeLessThan(50);
    expect(found.first).toEqual({
      raw_prompt: [{ content: problems[0]!.prompt, role: "user" }],
      index: 0,
      reward_model: { ground_truth: "0", style: "rule" },
      data_source: "sums",
    });
    expect(found.batch).toEqual(
      expect.arrayContaining(["raw_prompt", "reward_model", "extra_info", "index"]),
    );
  },
);

const TRL_SCRIPT = `
import json, sys
import datasets
try:
    from trl.data_utils import is_conversational, maybe_apply_chat_template
    from transformers import PreTrainedTokenizerFast
except ImportError as error:
    print(json.dumps({"missing": str(error)}))
    sys.exit()
datasets.disable_progress_bars()
path, tokenizer_folder, cache = sys.argv[1:]
rows = datasets.load_dataset("parquet" if path.endswith("parquet") else "json", data_files=path, split="train", cache_dir=cache)
tokenizer = PreTrainedTokenizerFast.from_pretrained(tokenizer_folder)
print(json.dumps({"conversational": is_conversational(rows[0]), "columns": sorted(rows.column_names),
    "answer": rows[0]["answer"], "text": maybe_apply_chat_template({"prompt": rows[0]["prompt"]}, tokenizer)["prompt"]}))
`;

test.skipIf(python === undefined)(
  "TRL takes the rows for conversations and renders them as here",
  { timeout: 240_000 },
  async () => {
    const folder = scratchFolder();
    const model = join(folder, "model");
    writeTokenizerFolder(model);
    const problems: Problem[] = [
      { id: "a", prompt: "What is 1+1? ∞", answer: "2", source: "s", meta: { level: 3 } },
    ];
    const messages = promptMessages(problems[0]!.prompt, { instruction: "plain", position: "after_suffix" });
    for (const name of ["train.parquet", "train.jsonl"]) {
      const path = join(folder, name);
      await writeProblemFile(path, () => problems, { dialect: "trl" });
      const output = execFileSync(python!, ["-c", TRL_SCRIPT, path, model, folder], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
      const found = JSON.parse(output.trim().split("\n").at(-1)!);
      if (found.missing !== undefined) return console.warn(`skipped: ${found.missing}`);
      expect(found).toEqual({
        conversational: true,
        columns: ["answer", "id", "level", "prompt", "source"],
        answer: "2",
        text: renderChat(loadChatTemplate(model), messages),
      });
    }
  },
);
