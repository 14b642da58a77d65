#!/usr/bin/python3
"""Ten steps of every optimizer and option, and the learning rates of schedules, from PyTorch.

  tests/golden/make_optimizer_golden.py [DIRECTORY]      writes optimizers.safetensors

All cases start from the same three parameters and see the same gradients; the learning rate changes
at every step. The file holds "start.NAME", "gradients.NAME" [10, ...], "learning_rates" [10] and
"CASE.NAME" [10, ...]: the parameters after each step, in float64. Its metadata is, for each case, the
config that Heddle reads. PyTorch 1.13 has no Adafactor: that one is written out below from
algorithms 4 and 5 of Shazeer and Stern 2018, with the paper's sums, in plain Python.

Needs Debian's python3-torch (1.13) and nothing else. One machine always writes the same bytes.
"""
import json
import math
import random
import sys
from pathlib import Path

import torch

from make_golden import safetensors

STEPS = 10
SHAPES = {"layer.weight": (5, 7), "layer.bias": (5,), "norm.gain": (7,)}
DECAYED = "layer.weight"  # the one matrix
RATES = [0.01 * (1 + t % 4) for t in range(STEPS)]

# Heddle's config, with "clip_norm" for the test; what PyTorch is told follows from it.
CASES = {
    "adam": {"type": "adam"},
    "adam_betas": {"type": "adam", "betas": [0.7, 0.95], "eps": 1e-3},
    "adam_decay": {"type": "adam", "weight_decay": 0.3},
    "adam_clipped": {"type": "adam", "betas": [0.5, 0.9], "clip_norm": 2.5},
    "adamw": {"type": "adamw", "weight_decay": 0.3},
    "adamw_groups": {"type": "adamw", "weight_decay": 0.3, "groups": [
        {"match": "*.bias", "learning_rate_factor": 0.5, "weight_decay": 0.7},
        {"match": "norm.*", "freeze": True}, {"match": "*", "learning_rate_factor": 2}]},
    "sgd": {"type": "sgd", "momentum": 0},
    "sgd_momentum": {"type": "sgd"},
    "sgd_nesterov": {"type": "sgd", "momentum": 0.8, "nesterov": True, "weight_decay": 0.3},
    "sgd_clipped": {"type": "sgd", "momentum": 0.5, "weight_decay": 0.1, "clip_norm": 2.5},
    "adafactor": {"type": "adafactor"},
    "adafactor_momentum": {"type": "adafactor", "beta1": 0.9, "weight_decay": 0.3},
    "adafactor_unscaled": {"type": "adafactor", "scale_parameter": False, "clip_threshold": 0.95,
                           "decay_rate": 0.5},
    "adafactor_eps": {"type": "adafactor", "eps1": 0.01, "eps2": 3, "clip_threshold": 100}}


def tensor(rng, *shape):
    count = math.prod(shape)
    return torch.tensor([rng.gauss(0, 1) for _ in range(count)]).reshape(shape)


# ---- PyTorch's optimizers ------------------------------------------------------------------------

def rule_of(name, config):
    """(learning-rate factor, weight decay, frozen) of the first group that matches."""
    decay = config.get("weight_decay", 0.0) if name == DECAYED else 0.0
    for group in config.get("groups", []):
        head, tail = group["match"].split("*")
        if name.startswith(head) and name.endswith(tail):
            return (group.get("learning_rate_factor", 1.0), group.get("weight_decay", decay),
                    group.get("freeze", False))
    return 1.0, decay, False


def torch_optimizer(groups, config):
    betas, eps = tuple(config.get("betas", (0.9, 0.98))), config.get("eps", 1e-9)
    if config["type"] == "adam":
        return torch.optim.Adam(groups, betas=betas, eps=eps)
    if config["type"] == "adamw":
        return torch.optim.AdamW(groups, betas=betas, eps=eps)
    return torch.optim.SGD(groups, lr=0.1, momentum=config.get("momentum", 0.9),
                           nesterov=config.get("nesterov", False))


def run_torch(start, gradients, config):
    p = {name: torch.nn.Parameter(value.clone()) for name, value in start.items()}
    rules = {name: rule_of(name, config) for name in p}
    groups = [{"params": [p[name]], "weight_decay": decay, "factor": factor}
              for name, (factor, decay, frozen) in rules.items() if not frozen]
    optimizer, history = torch_optimizer(groups, config), {name: [] for name in p}
    for t, rate in enumerate(RATES):
        for name in p:
            p[name].grad = gradients[name][t].clone()
        if "clip_norm" in config:
            torch.nn.utils.clip_grad_norm_(p.values(), config["clip_norm"])
        for group in optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        optimizer.step()
        for name in p:
            history[name].append(p[name].detach().clone())
    return {name: torch.stack(steps) for name, steps in history.items()}


# ---- Adafactor, written out ----------------------------------------------------------------------

def rms(values):
    return math.sqrt(sum(x * x for x in values) / len(values))


def second_moments(g, kept, state, columns, eps1):
    """V-hat of a flat gradient; `columns` is None for a vector."""
    squares = [x * x + eps1 for x in g]
    if columns is None:
        before = state.setdefault("v", [0.0] * len(g))
        state["v"] = [kept * v + (1 - kept) * s for v, s in zip(before, squares)]
        return state["v"]
    rows = len(g) // columns
    row_sums = [sum(squares[i * columns:(i + 1) * columns]) for i in range(rows)]
    column_sums = [sum(squares[j::columns]) for j in range(columns)]
    for key, sums in ("r", row_sums), ("c", column_sums):
        before = state.setdefault(key, [0.0] * len(sums))
        state[key] = [kept * x + (1 - kept) * s for x, s in zip(before, sums)]
    return [r * c / sum(state["r"]) for r in state["r"] for c in state["c"]]


def adafactor(start, gradients, config, decay):
    """One parameter's ten steps; also whether its update was ever clipped, and ever not."""
    columns = start.shape[1] if start.dim() == 2 else None
    eps1, eps2 = config.get("eps1", 1e-30), config.get("eps2", 1e-3)
    beta1, d = config.get("beta1", 0.0), config.get("clip_threshold", 1.0)
    x, state, history, clipped = start.flatten().tolist(), {}, [], set()
    average = [0.0] * len(x)
    for t, rate in enumerate(RATES, 1):
        g = gradients[t - 1].flatten().tolist()
        kept = 1 - t ** -config.get("decay_rate", 0.8)
        v = second_moments(g, kept, state, columns, eps1)
        u = [gi / math.sqrt(vi) for gi, vi in zip(g, v)]
        clipped.add(rms(u) > d)
        alpha = rate * (max(eps2, rms(x)) if config.get("scale_parameter", True) else 1.0)
        change = [alpha * ui / max(1.0, rms(u) / d) for ui in u]
        average = [beta1 * m + (1 - beta1) * c for m, c in zip(average, change)]
        x = [xi - alpha * decay * xi - m for xi, m in zip(x, average)]
        history.append(torch.tensor(x).reshape(start.shape))
    return torch.stack(history), clipped


def run_adafactor(start, gradients, config):
    result, clipped = {}, set()
    for name in start:
        decay = config.get("weight_decay", 0.0) if name == DECAYED else 0.0
        result[name], seen = adafactor(start[name], gradients[name], config, decay)
        clipped |= seen
    assert clipped == ({False} if "eps1" in config else {False, True}), clipped
    return result


# ---- Schedules -----------------------------------------------------------------------------------

def schedules():
    """Learning rates of 30 updates: five of warm-up to 0.02, decay to 0.004 at the 25th."""
    def rates(decay, total):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.02)
        warm_up = torch.optim.lr_scheduler.LinearLR(optimizer, 1 / 5, 1.0, total_iters=4)
        result = []
        for _ in range(5):
            result.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            warm_up.step()
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.02)
        scheduler = decay(optimizer)
        for _ in range(total):
            optimizer.step()
            scheduler.step()
            result.append(optimizer.param_groups[0]["lr"])
        return torch.tensor(result + result[-1:] * (25 - total))
    s = torch.optim.lr_scheduler
    return {"schedule.cosine": rates(lambda o: s.CosineAnnealingLR(o, 20, eta_min=0.004), 20),
            "schedule.linear": rates(lambda o: s.LinearLR(o, 1.0, 0.2, total_iters=20), 20),
            "schedule.constant": rates(lambda o: s.LinearLR(o, 1.0, 1.0, total_iters=1), 20)}


def main():
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    rng = random.Random("optimizers")
    start = {name: tensor(rng, *shape) for name, shape in SHAPES.items()}
    gradients = {name: tensor(rng, STEPS, *shape) * (0.2 if "bias" in name else 1.0)
                 for name, shape in SHAPES.items()}
    tensors = {"learning_rates": torch.tensor(RATES), **schedules()}
    tensors.update({f"start.{name}": value for name, value in start.items()})
    tensors.update({f"gradients.{name}": value for name, value in gradients.items()})
    for case, config in CASES.items():
        run = run_adafactor if config["type"] == "adafactor" else run_torch
        for name, value in run(start, gradients, config).items():
            tensors[f"{case}.{name}"] = value
    content = safetensors(tensors, {case: json.dumps(config) for case, config in CASES.items()})
    (directory / "optimizers.safetensors").write_bytes(content)
    print(f"optimizers.safetensors: {len(content)} bytes, {len(CASES)} cases")


if __name__ == "__main__":
    main()
