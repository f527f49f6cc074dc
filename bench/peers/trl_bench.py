"""Times TRL's GRPOTrainer: one step = sample, reward, advantages, loss, backward, clip, AdamW, all on the CPU.

Requests and answers as in torch_bench.py. A request names `checkpoint`, `threads`, `prompts` (texts), `samples` per
prompt, `new_tokens`, `temperature`, `steps`, `warmup` and optionally `micro_batch` (sequences per backward pass;
default all). The reward is a fixed function of the response's tokens, so that groups have variance and grading costs
nothing. Tokens counted are response tokens.

Usage: python bench/peers/trl_bench.py --checkpoint FOLDER [--threads 2] [--problems 16] [--samples 8]
       python bench/peers/trl_bench.py --serve
"""

import argparse
import json
import tempfile
import time

import torch
import transformers
import trl
from datasets import Dataset, disable_progress_bars
from transformers import AutoModelForCausalLM, AutoTokenizer, PrinterCallback, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from torch_bench import serve

DEFAULTS = dict(threads=1, samples=8, new_tokens=96, temperature=1.0, steps=3, warmup=1, micro_batch=None)


class StepTimer(TrainerCallback):
    """Wall and CPU seconds of each optimizer step, the generation that feeds it included."""

    def __init__(self):
        self.seconds, self.cpu_seconds = [], []

    def on_step_begin(self, args, state, control, **_):
        self.started = time.perf_counter(), time.process_time()

    def on_step_end(self, args, state, control, **_):
        self.seconds.append(time.perf_counter() - self.started[0])
        self.cpu_seconds.append(time.process_time() - self.started[1])


def answer(request: dict) -> dict:
    request = DEFAULTS | request
    torch.set_num_threads(request["threads"])
    prompts, samples = request["prompts"], request["samples"]
    rows = len(prompts) * samples
    micro_batch = request["micro_batch"] or rows
    counted = []

    def reward(completions, completion_ids, **_):
        counted.append(sum(map(len, completion_ids)))
        return [float(sum(ids) % 7 < 2) for ids in completion_ids]

    timer = StepTimer()
    steps = request["warmup"] + request["steps"]
    tokenizer = AutoTokenizer.from_pretrained(request["checkpoint"], padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(request["checkpoint"], dtype=torch.float32)
    with tempfile.TemporaryDirectory() as folder:
        config = GRPOConfig(
            output_dir=folder, use_cpu=True, bf16=False, gradient_checkpointing=False, report_to="none",
            disable_tqdm=True, save_strategy="no", logging_strategy="no", max_steps=steps, seed=1,
            per_device_train_batch_size=micro_batch, gradient_accumulation_steps=rows // micro_batch,
            num_generations=samples, num_iterations=1, max_completion_length=request["new_tokens"],
            temperature=request["temperature"], top_p=1.0, top_k=0, beta=0.0, epsilon=0.2, epsilon_high=0.28, delta=3.0,
            loss_type="dapo", learning_rate=1e-5, lr_scheduler_type="constant", max_grad_norm=1.0, weight_decay=0.01,
            optim="adamw_torch_fused", dataloader_num_workers=0,
        )
        trainer = GRPOTrainer(model=model, reward_funcs=reward, args=config, processing_class=tokenizer,
                              train_dataset=Dataset.from_dict({"prompt": prompts * steps}), callbacks=[timer])
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    kept = slice(request["warmup"], None)
    return {"task": "grpo", "implementation": "trl", "threads": request["threads"], "trl": trl.__version__,
            "torch": torch.__version__, "transformers": transformers.__version__, "tokens": counted[kept],
            "seconds": timer.seconds[kept], "cpu_seconds": timer.cpu_seconds[kept]}


def main() -> None:
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    disable_progress_bars()
    parser = argparse.ArgumentParser(description="TRL's GRPO step on the CPU")
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--checkpoint")
    parser.add_argument("--problems", type=int, default=16)
    parser.add_argument("--prompt-length", type=int, default=32, help="tokens of each random prompt")
    for name in ("threads", "samples", "steps", "warmup", "new_tokens", "micro_batch"):
        parser.add_argument(f"--{name.replace('_', '-')}", type=int)
    options = {key: value for key, value in vars(parser.parse_args()).items() if value is not None}
    if options.pop("serve"):
        serve(answer)
        return
    if "checkpoint" not in options:
        parser.error("--checkpoint, or --serve")
    problems, length = options.pop("problems"), options.pop("prompt_length")
    generator = torch.Generator().manual_seed(4)
    options["prompts"] = ["<bos>" + "".join(map(str, torch.randint(10, (length - 1,), generator=generator).tolist()))
                          for _ in range(problems)]
    print(json.dumps(answer(options)))


if __name__ == "__main__":
    main()
