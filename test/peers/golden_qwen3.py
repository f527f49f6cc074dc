"""Writes the golden tensors that pin the embedded engine to `transformers` and PyTorch.

For each configuration below: a Hugging Face checkpoint folder with random weights, and `golden.safetensors` with what the
reference computes on it (see GOLDEN below). Everything is float32 with eager attention, one thread and a fixed seed, and
each sequence runs alone and unpadded, so that nothing of the reference depends on padding.

GOLDEN, with p prompt tokens, r response tokens, v vocabulary entries, i the sequence:
  sequence<i>.prompt [p], .response [r] (int64)  .logits [p+r, v]  .weights [r]  .advantages [r]
  cross_entropy.loss [1]  .gradient.<parameter>                     sum of -weight * log softmax(z)[token]
  <case>.loss [1]  .gradient.<parameter>  .clip_fraction [1]  .entropy [1]  .approximate_kl [1]
  <case>.sequence<i>.old_logprobs [r]  .logprobs [r]  .entropies [r]  [.reference_logprobs [r]]
where <case> is a policy-gradient loss; its coefficients stand in `losses.json`.

Usage: python test/peers/golden_qwen3.py [folder]     (default: test/peers/golden)
"""

import json
import shutil
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import GenerationConfig, PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

# Grouped, multi-head and single-head key/value attention, tied and untied heads, sizes that divide nothing.
CONFIGURATIONS = {
    "gqa-tied": dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=8,
                     intermediate_size=48, vocab_size=40, tie_word_embeddings=True),
    "gqa-untied": dict(hidden_size=20, num_hidden_layers=3, num_attention_heads=6, num_key_value_heads=2, head_dim=10,
                       intermediate_size=28, vocab_size=37, tie_word_embeddings=False, rms_norm_eps=1e-5,
                       rope_theta=1_000_000.0),
    "mha-tied": dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=3, num_key_value_heads=3, head_dim=16,
                     intermediate_size=36, vocab_size=33, tie_word_embeddings=True),
    "mha-untied": dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=2, head_dim=8,
                       intermediate_size=40, vocab_size=51, tie_word_embeddings=False),
    "mqa-tied": dict(hidden_size=30, num_hidden_layers=2, num_attention_heads=5, num_key_value_heads=1, head_dim=6,
                     intermediate_size=22, vocab_size=29, tie_word_embeddings=True, rms_norm_eps=1e-5),
}
# This folder's config.json is rewritten in the 4.x layout (rope_theta at the top level), which most checkpoints on disk have.
LEGACY_LAYOUT = "mqa-tied"

# [prompt, response] lengths: the shortest that exist, a power of two, and lengths that fill no bucket.
LENGTHS = [(1, 1), (5, 11), (16, 16), (9, 23), (3, 2)]

POLARIS = dict(clipRatioLow=0.2, clipRatioHigh=0.28, clipRatioC=3.0, klCoefficient=0.0, klEstimator="low_var_kl",
               entropyCoefficient=0.0)
LOSSES = {
    "policy-t1": dict(kind="policy_gradient", temperature=1.0, **POLARIS),
    "policy-t1.4": dict(kind="policy_gradient", temperature=1.4, **POLARIS),
}
for name in ("kl", "abs", "mse", "low_var_kl"):
    LOSSES[f"regularised-{name}"] = dict(kind="policy_gradient", temperature=1.4,
                                         **{**POLARIS, "klCoefficient": 0.3, "klEstimator": name,
                                            "entropyCoefficient": 0.05})
# The optional terms do not touch the architecture: one configuration carries them.
REGULARISED_CONFIGURATION = "mha-untied"


def build_model(settings: dict, generator: torch.Generator) -> Qwen3ForCausalLM:
    """A model whose every parameter matters: norms away from 1, attention away from uniform."""
    settings = dict(settings)
    theta = settings.pop("rope_theta", 10_000.0)
    config = Qwen3Config(**settings, rope_parameters={"rope_type": "default", "rope_theta": theta},
                         max_position_embeddings=64, attention_bias=False, pad_token_id=0, bos_token_id=1, eos_token_id=2,
                         attn_implementation="eager", dtype="float32", use_cache=True)
    model = Qwen3ForCausalLM(config).float().eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() == 1:
                parameter.copy_((1.5 if "q_norm" in name else 1.0) + 0.25 * noise)
            else:
                parameter.copy_(noise * (0.6 if "embed" in name else 1.2 / parameter.shape[1] ** 0.5))
    return model


def save_checkpoint(model: Qwen3ForCausalLM, folder: Path) -> None:
    """A folder as `save_pretrained` writes it, with a one-letter-per-token tokenizer over the whole vocabulary."""
    model.save_pretrained(folder)
    GenerationConfig(pad_token_id=0, bos_token_id=1, eos_token_id=2, do_sample=True, temperature=1.0,
                     top_k=0).save_pretrained(folder)
    letters = [chr(ord("A") + k) for k in range(26)] + [chr(ord("a") + k) for k in range(26)]
    words = ["<pad>", "<bos>", "<eos>"] + letters[: model.config.vocab_size - 3]
    tokenizer = Tokenizer(models.WordLevel({word: k for k, word in enumerate(words)}, unk_token="<pad>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    tokenizer.decoder = decoders.Fuse()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<bos>", eos_token="<eos>",
                            clean_up_tokenization_spaces=False, model_max_length=64).save_pretrained(folder)


def use_legacy_layout(folder: Path) -> None:
    """config.json as transformers 4.x wrote it; `transformers` 5 must still read the same model from it."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["rope_theta"] = config.pop("rope_parameters")["rope_theta"]
    config["rope_scaling"] = None
    config["torch_dtype"] = config.pop("dtype")
    config["transformers_version"] = "4.51.0"
    path.write_text(json.dumps(config, indent=2) + "\n")


def token_statistics(logits: torch.Tensor, response: torch.Tensor, temperature: float):
    """Log-probability [r] of each response token and entropy [r] under softmax(z / T); logits [p+r, v]."""
    rows = logits[-len(response) - 1 : -1] / temperature
    logp = torch.log_softmax(rows, -1)
    return logp.gather(1, response[:, None])[:, 0], -(logp.exp() * logp).sum(-1)


def kl_estimate(logprobs: torch.Tensor, reference: torch.Tensor, estimator: str) -> torch.Tensor:
    """Per-token KL to the reference, as verl's kl_penalty names the estimators; [r]."""
    difference = logprobs - reference
    if estimator == "kl":
        return difference
    if estimator == "abs":
        return difference.abs()
    if estimator == "mse":
        return 0.5 * difference.square()
    return torch.exp(-difference) + difference - 1


def policy_loss(logprobs, old, advantages, specification: dict):
    """Token losses [r] of the dual-clipped surrogate (recipe A6) and why each has no gradient [r]: 0 = it has one, 1 = the
    upper clip, 2 = the lower clip, 3 = the dual clip."""
    ratio = (logprobs - old).exp()
    plain = -advantages * ratio
    clipped = -advantages * ratio.clamp(1 - specification["clipRatioLow"], 1 + specification["clipRatioHigh"])
    loss = torch.maximum(plain, clipped)
    ceiling = -advantages * specification["clipRatioC"]
    dual = (advantages < 0) & (loss > ceiling)
    region = torch.where(dual, 3, torch.where(clipped > plain, torch.where(advantages > 0, 1, 2), 0))
    return torch.where(dual, ceiling, loss), region


def draw_ratios(count: int, generator: torch.Generator) -> torch.Tensor:
    """Ratios on both sides of every clip, at least 2 % away from each boundary so that rounding flips none; [count]."""
    centres = torch.tensor([0.45, 0.7, 0.9, 1.0, 1.12, 1.4, 2.2, 3.6, 4.5])
    picks = centres[torch.randint(len(centres), (count,), generator=generator)]
    return picks * (1 + 0.06 * (torch.rand(count, generator=generator) - 0.5))


def gradients(model: Qwen3ForCausalLM, prefix: str) -> dict[str, torch.Tensor]:
    found = {f"{prefix}.gradient.{name}": p.grad.clone() for name, p in model.named_parameters()}
    assert all(tensor.abs().max() > 0 for tensor in found.values()), f"{prefix}: a parameter without gradient pins nothing"
    model.zero_grad(set_to_none=True)
    return found


def golden(model: Qwen3ForCausalLM, losses: dict, generator: torch.Generator) -> dict[str, torch.Tensor]:
    """Every tensor of the module docstring's GOLDEN for one model."""
    out: dict[str, torch.Tensor] = {}
    sequences = []
    for index, (p, r) in enumerate(LENGTHS):
        ids = torch.randint(3, model.config.vocab_size, (p + r,), generator=generator)
        ids[-1] = 2  # the end token is drawn and learnt like any other
        weights = 0.02 + 0.1 * torch.rand(r, generator=generator)
        if r > 4:
            weights[torch.rand(r, generator=generator) < 0.2] = 0
        advantages = torch.randn(r, generator=generator)
        sequences.append((ids, ids[p:], weights, advantages))
        out |= {f"sequence{index}.prompt": ids[:p].clone(), f"sequence{index}.response": ids[p:].clone(),
                f"sequence{index}.logits": model(ids[None]).logits[0].detach().clone(),
                f"sequence{index}.weights": weights, f"sequence{index}.advantages": advantages}

    loss = sum((-w * token_statistics(model(ids[None]).logits[0], response, 1.0)[0]).sum()
               for ids, response, w, _ in sequences)
    loss.backward()
    out |= {"cross_entropy.loss": loss.detach()[None]} | gradients(model, "cross_entropy")

    for case, specification in losses.items():
        total, kept, regions, entropy_sum, kl_sum = 0.0, 0, torch.zeros(4, dtype=torch.int64), 0.0, 0.0
        for index, (ids, response, weights, advantages) in enumerate(sequences):
            logprobs, entropies = token_statistics(model(ids[None]).logits[0], response, specification["temperature"])
            old = logprobs.detach() - draw_ratios(len(response), generator).log()
            token_loss, region = policy_loss(logprobs, old, advantages, specification)
            if specification["klCoefficient"] > 0:
                reference = logprobs.detach() + 0.4 * torch.randn(len(response), generator=generator)
                token_loss = token_loss + specification["klCoefficient"] * kl_estimate(
                    logprobs, reference, specification["klEstimator"])
                out[f"{case}.sequence{index}.reference_logprobs"] = reference
            token_loss = token_loss - specification["entropyCoefficient"] * entropies
            total = total + (weights * token_loss).sum()
            live = weights != 0
            kept += int(live.sum())
            regions += torch.bincount(region[live], minlength=4)
            entropy_sum += float(entropies.detach()[live].double().sum())
            kl_sum += float((old - logprobs.detach())[live].double().sum())
            out |= {f"{case}.sequence{index}.old_logprobs": old, f"{case}.sequence{index}.logprobs": logprobs.detach(),
                    f"{case}.sequence{index}.entropies": entropies.detach()}
        assert regions.min() > 0, f"{case}: {regions.tolist()} tokens per clip region, each must be there"
        total.backward()
        out |= {f"{case}.loss": total.detach()[None], f"{case}.clip_fraction": torch.tensor([int(regions[1:].sum()) / kept]),
                f"{case}.entropy": torch.tensor([entropy_sum / kept]),
                f"{case}.approximate_kl": torch.tensor([kl_sum / kept])} | gradients(model, case)
    return out


def main() -> None:
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "golden"
    for number, (name, settings) in enumerate(CONFIGURATIONS.items()):
        generator = torch.Generator().manual_seed(20260 + number)
        folder = root / name
        shutil.rmtree(folder, ignore_errors=True)
        model = build_model(settings, generator)
        save_checkpoint(model, folder)
        if name == LEGACY_LAYOUT:
            use_legacy_layout(folder)
        again = Qwen3ForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype="float32").eval()
        probe = torch.arange(3, 20)[None]
        assert torch.equal(again(probe).logits, model(probe).logits), f"{name}: the folder does not hold the model"
        losses = {case: s for case, s in LOSSES.items()
                  if case.startswith("policy") or name == REGULARISED_CONFIGURATION}
        save_file(golden(again, losses, generator), folder / "golden.safetensors",
                  {"torch": torch.__version__, "transformers": transformers.__version__})
        (folder / "losses.json").write_text(json.dumps(losses, indent=2) + "\n")
        size = sum(f.stat().st_size for f in folder.iterdir())
        print(f"{name}: {sum(p.numel() for p in model.parameters())} parameters, {size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
