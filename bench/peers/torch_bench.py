"""Times PyTorch and `transformers` on the workloads of embedded.bench.ts: training steps and sampling.

One request is one JSON object; its answer is one JSON object with the seconds of each repeat. With `--serve` requests
come one per line on standard input, so that a bench can alternate between the engine and this peer without paying for
imports each time; otherwise one request is put together from the options and answered.

  task            train-dense | train-rollouts | sample
  implementation  plain (plain_qwen3.py) | transformers
  checkpoint      Hugging Face folder; both implementations hold these weights
  threads, repeats, warmup
  train-dense     batch, length: every token counts and carries loss
  train-rollouts  lengths [[prompt, response], ...], micro_batch, padding: `batch` pads prompts and responses to the
                  batch maximum as TRL does, `micro_batch` sorts by length and pads to each micro-batch's maximum.
                  Tokens counted are real ones, padding is not
  sample          prompts [[id, ...], ...], new_tokens, temperature: tokens counted end with the end token

Usage: python bench/peers/torch_bench.py --task sample --checkpoint FOLDER [--threads 2] [--implementation plain]
       python bench/peers/torch_bench.py --serve
"""

import argparse
import json
import random
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
import transformers
from transformers import AutoConfig, Qwen3ForCausalLM

from plain_qwen3 import PlainQwen3, check

DEFAULTS = dict(implementation="plain", threads=1, repeats=5, warmup=2, batch=16, length=128, micro_batch=16,
                padding="batch", new_tokens=96, temperature=1.0)


def load(checkpoint: str, implementation: str):
    model = Qwen3ForCausalLM.from_pretrained(checkpoint, dtype=torch.float32, attn_implementation="sdpa").eval()
    if implementation == "transformers":
        return model
    plain = PlainQwen3.from_transformers(model).eval()
    check(plain, model)
    return plain


def logits_of(model, **inputs) -> torch.Tensor:
    out = model(**inputs)
    return out if isinstance(out, torch.Tensor) else out.logits


def measure(step, repeats: int, warmup: int) -> dict:
    """Seconds of each of `repeats` calls after `warmup`; `step` returns the tokens it counted."""
    for _ in range(warmup):
        tokens = step()
    seconds, cpu, counted = [], [], []
    for _ in range(repeats):
        wall, process = time.perf_counter(), time.process_time()
        tokens = step()
        seconds.append(time.perf_counter() - wall)
        cpu.append(time.process_time() - process)
        counted.append(tokens)
    return {"tokens": counted, "seconds": seconds, "cpu_seconds": cpu}


def optimizer_of(model) -> torch.optim.Optimizer:
    return torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.999), weight_decay=0.01, fused=True)


def apply(model, optimizer) -> None:
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def train_dense(model, request: dict):
    """Forward, weighted cross-entropy on every token, backward, clip, AdamW on [batch, length] tokens."""
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(3, model.config.vocab_size, (request["batch"], request["length"] + 1), generator=generator)
    weights = torch.rand(request["batch"] * request["length"], generator=generator)
    weights /= weights.sum()
    optimizer = optimizer_of(model)

    def step() -> int:
        logits = logits_of(model, **{"ids" if isinstance(model, PlainQwen3) else "input_ids": ids[:, :-1]})
        losses = F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
        (losses * weights).sum().backward()
        apply(model, optimizer)
        return request["batch"] * request["length"]

    return step


def clipped_loss(logprobs, old, advantages, weights) -> torch.Tensor:
    """Asymmetric clip 0.2 / 0.28 with dual clip 3, weighted sum."""
    ratio = (logprobs - old).exp()
    loss = torch.maximum(-advantages * ratio, -advantages * ratio.clamp(0.8, 1.28))
    return (torch.where(advantages < 0, torch.minimum(loss, -3 * advantages), loss) * weights).sum()


def rollout_batches(lengths, vocabulary: int, micro_batch: int, padding: str, left: bool) -> list[dict]:
    """Micro-batches of padded tensors: `ids` [b, width], `response` [b, r], its `mask`, `advantages`; with `left` the
    prompts are padded on the left, as TRL does, and `pads` [b] says by how much, otherwise prompt and response touch."""
    generator = torch.Generator().manual_seed(2)
    widest = [max(p for p, _ in lengths), max(r for _, r in lengths), max(p + r for p, r in lengths)]
    if padding == "micro_batch":
        lengths = sorted(lengths, key=sum)
    batches = []
    for start in range(0, len(lengths), micro_batch):
        part = lengths[start : start + micro_batch]
        if padding == "micro_batch":
            widest = [max(p for p, _ in part), max(r for _, r in part), max(p + r for p, r in part)]
        prompt_width, response_width, total = widest
        width = prompt_width + response_width if left else total
        ids = torch.zeros(len(part), width, dtype=torch.long)
        first = torch.zeros(len(part), dtype=torch.long)
        mask = torch.zeros(len(part), width, dtype=torch.bool)
        loss_mask = torch.zeros(len(part), width)
        for row, (p, r) in enumerate(part):
            first[row] = prompt_width - p if left else 0
            begin = int(first[row])
            ids[row, begin : begin + p + r] = torch.randint(3, vocabulary, (p + r,), generator=generator)
            mask[row, begin : begin + p + r] = True
            loss_mask[row, begin + p : begin + p + r] = 1
        advantages = torch.randn(len(part), 1, generator=generator).expand(-1, width)
        batches.append(dict(ids=ids, pads=first, mask=mask, loss_mask=loss_mask, advantages=advantages,
                            keep=response_width if left else width - 1))
    return batches


def train_rollouts(model, request: dict):
    """One update on a batch of rollouts: clipped policy gradient on response tokens, clip, AdamW."""
    lengths = request["lengths"]
    plain = isinstance(model, PlainQwen3)
    batches = rollout_batches(lengths, model.config.vocab_size, request["micro_batch"], request["padding"], not plain)
    total = sum(float(batch["loss_mask"].sum()) for batch in batches)
    optimizer = optimizer_of(model)

    def logprobs_of(batch) -> torch.Tensor:
        keep = batch["keep"]
        if plain:
            logits = model(batch["ids"][:, :-1])
        else:
            places = (batch["mask"].long().cumsum(-1) - 1).clamp(min=0)
            logits = model(input_ids=batch["ids"], attention_mask=batch["mask"].long(), position_ids=places,
                           logits_to_keep=keep + 1).logits[:, :-1]
        logp = torch.log_softmax(logits / request["temperature"], -1)
        return logp.gather(2, batch["ids"][:, -keep:, None])[..., 0]

    with torch.no_grad():
        for batch in batches:
            batch["old"] = logprobs_of(batch) + 0.05

    def step() -> int:
        for batch in batches:
            keep = batch["keep"]
            clipped_loss(logprobs_of(batch), batch["old"], batch["advantages"][:, -keep:],
                         batch["loss_mask"][:, -keep:] / total).backward()
        apply(model, optimizer)
        return sum(p + r for p, r in lengths)

    return step


def sample(model, request: dict):
    """Responses to every prompt, each until its end token or `new_tokens`; counts response tokens, end included."""
    prompts, new_tokens = request["prompts"], request["new_tokens"]
    width = max(map(len, prompts))
    pads = torch.tensor([width - len(prompt) for prompt in prompts])
    ids = torch.tensor([[0] * (width - len(prompt)) + prompt for prompt in prompts])
    generator = torch.Generator().manual_seed(3)
    torch.manual_seed(3)
    end, pad = model.config.eos_token_id, model.config.pad_token_id

    def counted(tokens: torch.Tensor) -> int:
        before = (tokens == end).cumsum(-1) - (tokens == end).long()
        return int((before == 0).sum())

    if isinstance(model, PlainQwen3):
        left = pads if int(pads.max()) > 0 else None
        return lambda: counted(model.sample(ids, left, new_tokens, request["temperature"], end, pad, generator)[0])

    attention = (torch.arange(width) >= pads[:, None]).long()

    def step() -> int:
        with torch.no_grad():
            out = model.generate(input_ids=ids, attention_mask=attention, do_sample=True, top_k=0, top_p=1.0,
                                 temperature=request["temperature"], max_new_tokens=new_tokens, eos_token_id=end,
                                 pad_token_id=pad)
        return counted(out[:, width:])

    return step


TASKS = {"train-dense": train_dense, "train-rollouts": train_rollouts, "sample": sample}


def answer(request: dict) -> dict:
    request = DEFAULTS | request
    torch.set_num_threads(request["threads"])
    random.seed(0)
    model = load(request["checkpoint"], request["implementation"])
    result = measure(TASKS[request["task"]](model, request), request["repeats"], request["warmup"])
    return {"task": request["task"], "implementation": request["implementation"], "threads": request["threads"],
            "torch": torch.__version__, "transformers": transformers.__version__, **result}


def serve(respond) -> None:
    """Answers one JSON line per JSON line until the input ends; an error is an answer too."""
    for line in sys.stdin:
        try:
            result = respond(json.loads(line))
        except Exception as error:  # the bench decides what a peer's failure means
            result = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(result), flush=True)


def main() -> None:
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    parser = argparse.ArgumentParser(description="PyTorch and transformers on the engine's workloads")
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--task", choices=TASKS)
    parser.add_argument("--checkpoint")
    parser.add_argument("--implementation", choices=("plain", "transformers"))
    parser.add_argument("--lengths", type=Path, help="JSON: [[prompt, response], ...]")
    for name in ("threads", "repeats", "warmup", "batch", "length", "micro_batch", "new_tokens"):
        parser.add_argument(f"--{name.replace('_', '-')}", type=int)
    parser.add_argument("--padding", choices=("batch", "micro_batch"))
    parser.add_argument("--prompts", type=int, default=512, help="random prompts for the task sample")
    parser.add_argument("--prompt-length", type=int, default=32)
    options = {key: value for key, value in vars(parser.parse_args()).items() if value is not None}
    if options.pop("serve"):
        serve(answer)
        return
    if "task" not in options or "checkpoint" not in options:
        parser.error("--task and --checkpoint, or --serve")
    count, length = options.pop("prompts"), options.pop("prompt_length")
    if options["task"] == "sample":
        vocabulary = AutoConfig.from_pretrained(options["checkpoint"]).vocab_size
        options["prompts"] = torch.randint(3, vocabulary, (count, length)).tolist()
    if options["task"] == "train-rollouts":
        path = options.get("lengths") or Path(__file__).with_name("lengths.json")
        options["lengths"] = json.loads(path.read_text())["lengths"]
    print(json.dumps(answer(options)))


if __name__ == "__main__":
    main()
