#!/usr/bin/env python3
"""Training updates in PyTorch: what `heddle bench --shape NAME` does, for benchmarks/compare.sh.

One update: forward with every dropout on, cross-entropy with label smoothing, backward, clipping of
the gradients to norm 1, a step of Adam. Targets all have the same length; sources are padded to it
and masked. Prints one line: target tokens per second (from the median update), milliseconds, memory.
"""
import argparse
import math
import resource
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

# layers per side, d_model, d_ff, heads, classes, sentences, tokens of a target, dropout
SHAPES = {
    "tiny": dict(layers=4, d_model=128, d_ff=256, heads=4, classes=10000, sentences=256, length=16, dropout=0.3),
    "char": dict(layers=4, d_model=256, d_ff=1024, heads=4, classes=64, sentences=256, length=12, dropout=0.3),
    "base": dict(layers=6, d_model=512, d_ff=2048, heads=8, classes=32000, sentences=64, length=32, dropout=0.1),
}


class MultiHead(nn.Module):
    """Attention with a mask of what may be seen, [batch or 1, 1, queries or 1, keys], true = visible."""

    def __init__(self, shape):
        super().__init__()
        d_model = shape["d_model"]
        self.heads, self.dropout = shape["heads"], shape["dropout"]
        self.query, self.key = nn.Linear(d_model, d_model), nn.Linear(d_model, d_model)
        self.value, self.output = nn.Linear(d_model, d_model), nn.Linear(d_model, d_model)

    def forward(self, x, memory, visible):
        def heads_of(y):
            return y.unflatten(-1, (self.heads, -1)).transpose(1, 2)

        q, k, v = heads_of(self.query(x)), heads_of(self.key(memory)), heads_of(self.value(memory))
        if hasattr(F, "scaled_dot_product_attention"):
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=visible, dropout_p=self.dropout)
        else:
            scores = torch.matmul(q, k.transpose(2, 3)) * (1.0 / math.sqrt(q.shape[-1]))
            scores = scores.masked_fill(visible.logical_not(), -1e9)
            mixed = torch.matmul(F.dropout(torch.softmax(scores, dim=-1), self.dropout), v)
        return self.output(mixed.transpose(1, 2).flatten(2))


class Layer(nn.Module):
    """Post-norm: self-attention, in the decoder cross-attention, feed-forward."""

    def __init__(self, shape, decoder):
        super().__init__()
        self.self_attention = MultiHead(shape)
        self.cross_attention = MultiHead(shape) if decoder else None
        self.hidden = nn.Linear(shape["d_model"], shape["d_ff"])
        self.back = nn.Linear(shape["d_ff"], shape["d_model"])
        self.norms = nn.ModuleList(nn.LayerNorm(shape["d_model"]) for _ in range(3))
        self.dropout = shape["dropout"]

    def forward(self, x, visible, memory=None, memory_visible=None):
        def add(norm, x, delta):
            return norm(x + F.dropout(delta, self.dropout))

        x = add(self.norms[0], x, self.self_attention(x, x, visible))
        if self.cross_attention is not None:
            x = add(self.norms[1], x, self.cross_attention(x, memory, memory_visible))
        inner = F.dropout(F.relu(self.hidden(x)), self.dropout)
        return add(self.norms[2], x, self.back(inner))


class Model(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.table = nn.Embedding(shape["classes"], shape["d_model"])
        self.encoder = nn.ModuleList(Layer(shape, False) for _ in range(shape["layers"]))
        self.decoder = nn.ModuleList(Layer(shape, True) for _ in range(shape["layers"]))
        self.register_buffer("positions", torch.randn(shape["length"], shape["d_model"]))
        triangle = torch.ones(shape["length"], shape["length"], dtype=torch.bool).tril()
        self.register_buffer("past", triangle[None, None])

    def embed(self, ids):
        scaled = self.table(ids) * math.sqrt(self.shape["d_model"])
        return F.dropout(scaled + self.positions[: ids.shape[1]], self.shape["dropout"])

    def forward(self, source, target, visible):
        memory, y = self.embed(source), self.embed(target)
        for layer in self.encoder:
            memory = layer(memory, visible)
        for layer in self.decoder:
            y = layer(y, self.past, memory, visible)
        return F.linear(y, self.table.weight)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="tiny")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--updates", type=int, default=10)
    parser.add_argument("--bf16", action="store_true", help="autocast to bfloat16")
    parser.add_argument("--compile", action="store_true", help="torch.compile (PyTorch 2)")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    shape = SHAPES[arguments.shape]
    model = Model(shape).train()
    try:
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True)
    except (TypeError, RuntimeError):  # older than 2.4
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)

    def loss_of(source, target, labels, visible):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=arguments.bf16):
            logits = model(source, target, visible)
        return F.cross_entropy(logits.float().flatten(0, 1), labels.flatten(), label_smoothing=0.1)

    loss = torch.compile(loss_of) if arguments.compile else loss_of
    sentences, length = shape["sentences"], shape["length"]
    size = (sentences, length)
    times = []
    for _ in range(2 + arguments.updates):
        source, target, labels = (torch.randint(2, shape["classes"], size) for _ in range(3))
        lengths = torch.randint(length * 3 // 4, length + 1, (sentences, 1, 1, 1))
        visible = torch.arange(length).view(1, 1, 1, length) < lengths
        begin = time.perf_counter()
        optimizer.zero_grad()
        loss(source, target, labels, visible).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        times.append(time.perf_counter() - begin)
    seconds = statistics.median(times[2:])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    kind = ("bf16" if arguments.bf16 else "fp32") + (" compiled" if arguments.compile else "")
    print(f"torch {torch.__version__} {kind}: {sentences * length / seconds:.0f} target tokens/s,"
          f" {seconds * 1e3:.0f} ms per update, peak {memory:.0f} MB")


if __name__ == "__main__":
    main()
