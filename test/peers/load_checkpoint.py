"""Loads a checkpoint folder that Polaris wrote with `transformers` and compares it with what the engine says of it.

The folder comes from write-checkpoint.ts and holds `engine-outputs.json` beside the model. Checked: AutoConfig,
AutoTokenizer (ids and text of every sample, end and padding tokens, chat template) and AutoModelForCausalLM (no missing or
unexpected weight, whole next-token distributions), a round trip through `save_pretrained`, and that the model generates.

Usage: python test/peers/load_checkpoint.py FOLDER          exit code 1 when anything differs
"""

import json
import sys
import tempfile
from pathlib import Path

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GenerationConfig

# Log-probabilities are of the order of 1 to 10; the engine and PyTorch round sums in another order.
TOLERANCE = 1e-4

failures: list[str] = []


def expect(what: str, holds: bool, detail: str = "") -> None:
    print(f"{'ok  ' if holds else 'FAIL'} {what}{': ' + detail if detail else ''}")
    if not holds:
        failures.append(what)


def largest_error(model, distributions: list[dict]) -> float:
    """Largest difference of a log-probability, relative to the largest magnitude in its distribution."""
    worst = 0.0
    for row in distributions:
        logits = model(torch.tensor([row["tokens"]])).logits[0, -1]
        expected = torch.log_softmax(logits.double(), -1)
        difference = (torch.tensor(row["logprobs"], dtype=torch.float64) - expected).abs().max()
        worst = max(worst, float(difference / expected.abs().max()))
    return worst


@torch.no_grad()
def main(folder: Path) -> None:
    outputs = json.loads((folder / "engine-outputs.json").read_text())

    config = AutoConfig.from_pretrained(folder)
    expect("config is Qwen3", config.architectures == ["Qwen3ForCausalLM"], str(config.architectures))

    tokenizer = AutoTokenizer.from_pretrained(folder)
    wrong = [t["text"] for t in outputs["texts"]
             if tokenizer(t["text"], add_special_tokens=False)["input_ids"] != t["tokens"]]
    expect(f"tokenizer encodes {len(outputs['texts'])} texts", not wrong, wrong[0] if wrong else "")
    wrong = [t["text"] for t in outputs["texts"]
             if tokenizer.decode(t["tokens"], skip_special_tokens=True) != t["decoded"]]
    expect("tokenizer decodes them", not wrong, wrong[0] if wrong else "")
    expect("end and padding tokens agree with the config",
           (tokenizer.eos_token_id, tokenizer.pad_token_id) == (config.eos_token_id, config.pad_token_id),
           f"{tokenizer.eos_token_id}, {tokenizer.pad_token_id}")
    if tokenizer.chat_template:
        question = outputs["texts"][0]["text"]
        chat = tokenizer.apply_chat_template([{"role": "user", "content": question}], tokenize=False,
                                             add_generation_prompt=True)
        expect("chat template renders the question", question in chat, repr(chat))

    model, report = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    expect("every weight is there and known", not any(report.values()), str({k: v for k, v in report.items() if v}))
    error = largest_error(model.eval(), outputs["distributions"])
    expect(f"{len(outputs['distributions'])} next-token distributions", error < TOLERANCE, f"largest error {error:.1e}")

    with tempfile.TemporaryDirectory() as again:
        model.save_pretrained(again)
        reloaded = AutoModelForCausalLM.from_pretrained(again, dtype=torch.float32).eval()
        same = all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), reloaded.state_dict().values()))
        expect("save_pretrained and back keeps every bit", same)

    prompt = torch.tensor([outputs["distributions"][-1]["tokens"]])
    generation = GenerationConfig.from_pretrained(folder)
    generation.max_new_tokens, generation.do_sample = 8, False
    generated = model.generate(prompt, attention_mask=torch.ones_like(prompt), generation_config=generation)
    expect("generates", generated.shape[1] > prompt.shape[1], repr(tokenizer.decode(generated[0])))


if __name__ == "__main__":
    transformers.utils.logging.disable_progress_bar()
    main(Path(sys.argv[1]))
    sys.exit(1 if failures else 0)
