#!/usr/bin/python3
"""The golden run: two small Transformers in PyTorch, whose every number Heddle must reproduce.

  tests/golden/make_golden.py [DIRECTORY]      writes post_norm.safetensors and pre_norm.safetensors

A file holds random parameters, a ragged batch, and what PyTorch makes of them in float64: logits,
loss, gradients, the losses of ten Adam steps. PyTorch computes on padded sentences with masks; the
file holds real tokens only, sentence after sentence, under the names of Heddle's parameters.

Before it is written, all of it is computed again from what it is to hold, by the plain formulas
below ("Transformer, written out"): one sentence at a time, without padding and without torch.nn.
The rows of pad hold random numbers: a model that reads them gets other results. A gradient that is
zero in theory only (a key's bias shifts all scores of a query alike) is a rounding error, ~1e-17.

Needs Debian's python3-torch (1.13) and nothing else. One machine always writes the same bytes.
"""
import json
import math
import random
import struct
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

D, HEADS, D_FF, LAYERS, POSITIONS, V = 8, 2, 12, 2, 16, 23
EOS, UNK, PAD = 0, 1, V - 1  # pad also starts every target
SMOOTHING, STEPS, WARMUP, BETAS, EPS = 0.1, 10, 4, (0.9, 0.98), 1e-9

SIZES = {"d_model": D, "heads": HEADS, "d_ff": D_FF,
         "encoder": {"layers": LAYERS}, "decoder": {"layers": LAYERS}}
CONFIGS = {
    "post_norm": {**SIZES, "norm_order": "post", "activation": "relu", "dropout": 0, "tie": "all"},
    "pre_norm": {**SIZES, "norm_order": "pre", "activation": "silu", "gated": True, "dropout": 0,
                 "positions": "learned", "max_positions": POSITIONS, "tie": "target_output",
                 "output_bias": True}}

SOURCE = [[5, 17, UNK, EOS], [EOS], [9, 5, 21, 2, 9, EOS]]
TARGET_OUTPUT = [[7, 21, EOS], [3, 3, 12, UNK, EOS], [20, EOS]]
TARGET_INPUT = [[PAD] + target[:-1] for target in TARGET_OUTPUT]


# ---- The models, from the parts of torch.nn ------------------------------------------------------

class PreNormLayer(nn.Module):
    """x + f(norm(x)) with a gated feed-forward; called like the layers of torch.nn."""

    def __init__(self, is_decoder):
        super().__init__()
        self.self_attn = nn.MultiheadAttention(D, HEADS, batch_first=True)
        self.norm1, self.norm2 = nn.LayerNorm(D), nn.LayerNorm(D)
        if is_decoder:
            self.multihead_attn = nn.MultiheadAttention(D, HEADS, batch_first=True)
            self.norm3 = nn.LayerNorm(D)
        self.gate, self.linear1 = nn.Linear(D, D_FF), nn.Linear(D, D_FF)
        self.linear2 = nn.Linear(D_FF, D)

    def forward(self, x, memory=None, src_key_padding_mask=None, tgt_mask=None,
                tgt_key_padding_mask=None, memory_key_padding_mask=None):
        padding = src_key_padding_mask if memory is None else tgt_key_padding_mask
        y = self.norm1(x)
        x = x + self.self_attn(y, y, y, attn_mask=tgt_mask, key_padding_mask=padding)[0]
        y = self.norm2(x)
        if memory is not None:
            x = x + self.multihead_attn(y, memory, memory,
                                        key_padding_mask=memory_key_padding_mask)[0]
            y = self.norm3(x)
        return x + self.linear2(F.silu(self.gate(y)) * self.linear1(y))


class TorchStack(nn.Module):
    """Embedding, positions and layers of one side; of padded ids [sentences, longest]."""

    def __init__(self, embedding, pre_norm, is_decoder):
        super().__init__()
        post_norm_layer = nn.TransformerDecoderLayer if is_decoder else nn.TransformerEncoderLayer
        self.embedding = embedding
        self.positions = nn.Embedding(POSITIONS, D) if pre_norm else None
        self.layers = nn.ModuleList(
            PreNormLayer(is_decoder) if pre_norm
            else post_norm_layer(D, HEADS, D_FF, dropout=0.0, activation=F.relu, batch_first=True)
            for _ in range(LAYERS))
        self.norm = nn.LayerNorm(D) if pre_norm else nn.Identity()

    def forward(self, ids, *memory, **masks):
        longest, is_pad = ids.shape[1], (ids == PAD).unsqueeze(-1)
        x = (self.embedding(ids) * math.sqrt(D)).masked_fill(is_pad, 0.0)
        x = x + (self.positions.weight[:longest] if self.positions else sinusoids(longest))
        for layer in self.layers:
            x = layer(x, *memory, **masks)
        return self.norm(x)


class TorchTransformer(nn.Module):
    def __init__(self, pre_norm):
        super().__init__()
        target_embedding = nn.Embedding(V, D)  # also the output projection
        source_embedding = nn.Embedding(V, D) if pre_norm else target_embedding
        self.encoder = TorchStack(source_embedding, pre_norm, is_decoder=False)
        self.decoder = TorchStack(target_embedding, pre_norm, is_decoder=True)
        self.output_bias = nn.Parameter(torch.zeros(V)) if pre_norm else None

    def logits(self):
        """Packed, [target tokens, V - 1]."""
        (source, source_padding), (target, target_padding) = padded(SOURCE), padded(TARGET_INPUT)
        future = torch.ones(target.shape[1], target.shape[1], dtype=torch.bool).triu(1)
        memory = self.encoder(source, src_key_padding_mask=source_padding)
        x = self.decoder(target, memory, tgt_mask=future, tgt_key_padding_mask=target_padding,
                         memory_key_padding_mask=source_padding)
        bias = None if self.output_bias is None else self.output_bias[:PAD]
        return F.linear(x, self.decoder.embedding.weight[:PAD], bias)[~target_padding]

    def loss(self):
        classes = torch.tensor(sum(TARGET_OUTPUT, []))
        return F.cross_entropy(self.logits(), classes, label_smoothing=SMOOTHING)


def padded(sentences):
    """Ids [sentences, longest], and the mask that is true where there is no token."""
    longest = max(map(len, sentences))
    ids = torch.tensor([s + [PAD] * (longest - len(s)) for s in sentences])
    return ids, torch.arange(longest) >= torch.tensor([[len(s)] for s in sentences])


def sinusoids(length):
    """[length, D]: the halves sin | cos of position * 10000^(-2j/D)."""
    angles = [[p * 10000.0 ** (-2 * j / D) for j in range(D // 2)] for p in range(length)]
    return torch.tensor([[math.sin(a) for a in row] + [math.cos(a) for a in row] for row in angles])


# ---- Names: (Heddle's, PyTorch's, the rows that are meant), in Heddle's order --------------------

def both(heddle, module, weight="weight"):
    return [(f"{heddle}.{weight}", f"{module}.weight", slice(None)),
            (f"{heddle}.bias", f"{module}.bias", slice(None))]


def attention_names(heddle, module):
    """PyTorch keeps the weights of query, key and value in one matrix, one below the other."""
    return [(f"{heddle}.{role}.{kind}", f"{module}.in_proj_{kind}", slice(i * D, (i + 1) * D))
            for kind in ("weight", "bias") for i, role in enumerate(("query", "key", "value"))
            ] + both(f"{heddle}.output", f"{module}.out_proj")


def layer_names(at, is_decoder, gated):
    names = attention_names(f"{at}.self_attention", f"{at}.self_attn")
    names += both(f"{at}.self_attention_norm", f"{at}.norm1", "gain")
    if is_decoder:
        names += attention_names(f"{at}.cross_attention", f"{at}.multihead_attn")
        names += both(f"{at}.cross_attention_norm", f"{at}.norm2", "gain")
    inner = both(f"{at}.feed_forward.hidden", f"{at}.linear1")
    if gated:  # both weights, then both biases
        gate = both(f"{at}.feed_forward.gate", f"{at}.gate")
        inner = [gate[0], inner[0], gate[1], inner[1]]
    names += inner + both(f"{at}.feed_forward.output", f"{at}.linear2")
    return names + both(f"{at}.feed_forward_norm", f"{at}.norm{3 if is_decoder else 2}", "gain")


def parameter_names(pre_norm):
    layers = [name for side in ("encoder", "decoder") for i in range(LAYERS)
              for name in layer_names(f"{side}.layers.{i}", side == "decoder", gated=pre_norm)]
    if not pre_norm:
        return [("embedding.weight", "encoder.embedding.weight", slice(None))] + layers
    tables = [("source_embedding.weight", "encoder.embedding.weight", slice(None)),
              ("target_embedding.weight", "decoder.embedding.weight", slice(None)),
              ("encoder.positions.weight", "encoder.positions.weight", slice(None)),
              ("decoder.positions.weight", "decoder.positions.weight", slice(None))]
    return (tables + layers + both("encoder.norm", "encoder.norm", "gain")
            + both("decoder.norm", "decoder.norm", "gain")
            + [("output.bias", "output_bias", slice(None))])


# ---- Transformer, written out: one sentence, no padding, p holds the parameters by name ----------

def linear(p, name, x):
    return x @ p[f"{name}.weight"].T + p[f"{name}.bias"]


def layer_norm(p, name, x):
    centred = x - x.mean(1, keepdim=True)
    variance = (centred ** 2).mean(1, keepdim=True)
    return centred / torch.sqrt(variance + 1e-5) * p[f"{name}.gain"] + p[f"{name}.bias"]


def attention(p, name, x, memory, causal):
    """x [m, D] looks at memory [n, D]; if causal, row i of x sees memory up to row i."""
    query = linear(p, f"{name}.query", x)
    key, value = linear(p, f"{name}.key", memory), linear(p, f"{name}.value", memory)
    width, heads = D // HEADS, []
    for head in range(HEADS):
        of_head = slice(head * width, (head + 1) * width)
        weights = torch.exp(query[:, of_head] @ key[:, of_head].T / math.sqrt(width))
        weights = weights.tril() if causal else weights
        heads.append(weights / weights.sum(1, keepdim=True) @ value[:, of_head])
    return linear(p, f"{name}.output", torch.cat(heads, 1))


def feed_forward(p, name, x, gated):
    hidden = linear(p, f"{name}.hidden", x)
    if gated:
        gate = linear(p, f"{name}.gate", x)
        return linear(p, f"{name}.output", gate / (1 + torch.exp(-gate)) * hidden)
    return linear(p, f"{name}.output", hidden.clamp(min=0))


def stack(p, config, side, table, ids, memory=None):
    """One side: embedding and positions, then every sublayer with its residual and its norm."""
    learned, pre_norm = config.get("positions") == "learned", config["norm_order"] == "pre"
    x = torch.stack([torch.zeros(D) if i == PAD else table[i] * math.sqrt(D) for i in ids])
    x = x + (p[f"{side}.positions.weight"][:len(ids)] if learned else sinusoids(len(ids)))
    sublayers = {"self_attention": lambda at, y: attention(p, at, y, y, side == "decoder"),
                 "cross_attention": lambda at, y: attention(p, at, y, memory, False),
                 "feed_forward": lambda at, y: feed_forward(p, at, y, config.get("gated", False))}
    if side == "encoder":
        del sublayers["cross_attention"]
    for i in range(config[side]["layers"]):
        for name, sublayer in sublayers.items():
            at = f"{side}.layers.{i}.{name}"
            x = (x + sublayer(at, layer_norm(p, f"{at}_norm", x)) if pre_norm
                 else layer_norm(p, f"{at}_norm", x + sublayer(at, x)))
    return layer_norm(p, f"{side}.norm", x) if pre_norm else x


def plain_logits(p, config):
    source_table, target_table = (
        p["embedding.weight" if config["tie"] == "all" else f"{side}_embedding.weight"]
        for side in ("source", "target"))
    logits = []
    for source, target in zip(SOURCE, TARGET_INPUT):
        memory = stack(p, config, "encoder", source_table, source)
        x = stack(p, config, "decoder", target_table, target, memory)
        logits.append((x @ target_table.T + p.get("output.bias", torch.zeros(V)))[:, :PAD])
    return torch.cat(logits)


def plain_loss(p, config):
    """The mean over target tokens; smoothing spreads its share over all V - 1 classes."""
    logits = plain_logits(p, config)
    log_p = logits - torch.log(torch.exp(logits).sum(1, keepdim=True))
    right = log_p[range(len(log_p)), sum(TARGET_OUTPUT, [])]
    return -((1 - SMOOTHING) * right + SMOOTHING * log_p.mean(1)).mean()


def plain_gradients(p, config):
    leaves = {name: value.clone().requires_grad_() for name, value in p.items()}
    return dict(zip(leaves, torch.autograd.grad(plain_loss(leaves, config), leaves.values())))


# ---- Ten steps of Adam: the loss before each, and after the last ---------------------------------

def noam_rate(step):
    return D ** -0.5 * min(step ** -0.5, step * WARMUP ** -1.5)


def torch_adam(model):
    adam, losses = torch.optim.Adam(model.parameters(), betas=BETAS, eps=EPS), []
    for step in range(1, STEPS + 1):
        adam.param_groups[0]["lr"] = noam_rate(step)
        adam.zero_grad()
        losses.append(model.loss())
        losses[-1].backward()
        adam.step()
    return torch.stack(losses + [model.loss()]).detach()


def plain_adam(p, config):
    losses, m, v = [], dict.fromkeys(p, 0.0), dict.fromkeys(p, 0.0)
    for step in range(1, STEPS + 1):
        losses.append(plain_loss(p, config))
        for name, g in plain_gradients(p, config).items():
            m[name] = BETAS[0] * m[name] + (1 - BETAS[0]) * g
            v[name] = BETAS[1] * v[name] + (1 - BETAS[1]) * g ** 2
            root = torch.sqrt(v[name] / (1 - BETAS[1] ** step))
            update = m[name] / (1 - BETAS[0] ** step) / (root + EPS)
            p = {**p, name: p[name] - noam_rate(step) * update}
    return torch.stack(losses + [plain_loss(p, config)])


# ---- One file ------------------------------------------------------------------------------------

def gauss(rng, like, mean=0.0, deviation=1.0):
    numbers = [rng.gauss(mean, deviation) for _ in range(like.numel())]
    return torch.tensor(numbers).reshape(like.shape)


def golden_run(config, rng):
    """Every tensor of the file, by name."""
    pre_norm = config["norm_order"] == "pre"
    model, names = TorchTransformer(pre_norm), parameter_names(pre_norm)
    parameters = dict(model.named_parameters())
    with torch.no_grad():  # nothing stays 0 or 1, where a forgotten bias or gain would not show
        for heddle, name, rows in names:
            part = parameters[name][rows]
            part.copy_(gauss(rng, part, *((1, 0.2) if heddle.endswith(".gain") else (0, 0.3))))
    loss = model.loss()
    gradients = dict(zip(parameters, torch.autograd.grad(loss, parameters.values())))
    tensors = {f"parameters.{heddle}": parameters[name][rows].detach().clone()
               for heddle, name, rows in names}
    tensors.update({f"gradients.{heddle}": gradients[name][rows] for heddle, name, rows in names})
    for name, sentences in [("source", SOURCE), ("target_input", TARGET_INPUT),
                            ("target_output", TARGET_OUTPUT)]:
        tensors[f"batch.{name}"] = torch.tensor(sum(sentences, []))
    tensors["batch.source_lengths"] = torch.tensor([len(s) for s in SOURCE])
    tensors["batch.target_lengths"] = torch.tensor([len(s) for s in TARGET_OUTPUT])
    tensors["logits"], tensors["loss"] = model.logits().detach(), loss.detach()
    losses = torch_adam(model)
    tensors["adam.losses"], tensors["adam.final_loss"] = losses[:STEPS], losses[STEPS]
    return tensors


def group(tensors, prefix):
    return {name[len(prefix):]: t for name, t in tensors.items() if name.startswith(prefix)}


def check(tensors, config, rng):
    """Compares with the plain formulas; returns the largest differences."""
    p, gradients = group(tensors, "parameters."), group(tensors, "gradients.")
    for name, g in gradients.items():
        unread = g[:0]
        if name.endswith("embedding.weight") or name == "output.bias":
            unread = g[PAD]
        if name.endswith("positions.weight"):
            unread = g[max(map(len, SOURCE if "encoder" in name else TARGET_INPUT)):]
        assert not unread.any(), f"{name}: rows that nobody reads have a gradient"

    plain = plain_gradients(p, config)
    losses = torch.cat([tensors["adam.losses"], tensors["adam.final_loss"].reshape(1)])
    direction, h = {name: gauss(rng, t) for name, t in p.items()}, 1e-5
    slope = sum((gradients[name] * direction[name]).sum() for name in p)
    there, back = (plain_loss({n: p[n] + s * direction[n] for n in p}, config) for s in (h, -h))
    differences = {
        "logits": (tensors["logits"] - plain_logits(p, config)).abs().max(),
        "loss": (tensors["loss"] - plain_loss(p, config)).abs(),
        "gradients": max((gradients[name] - plain[name]).abs().max() for name in p),
        "Adam's losses": (losses - plain_adam(p, config)).abs().max(),
        "slope by finite differences": ((there - back) / (2 * h) / slope - 1).abs()}
    for what, difference in differences.items():
        limit = 1e-6 if what.startswith("slope") else 1e-12
        assert difference < limit, f"{what}: off by {difference:.1e}"
    return differences


def safetensors(tensors, metadata):
    """u64 size of the header | JSON | data without gaps, beginning at a multiple of 64."""
    header, data = {"__metadata__": metadata}, b""
    for name, t in tensors.items():
        dtype, code = {torch.float64: ("F64", "d"), torch.int64: ("I64", "q")}[t.dtype]
        begin = len(data)
        data += struct.pack(f"<{t.numel()}{code}", *t.flatten().tolist())
        header[name] = {"dtype": dtype, "shape": list(t.shape), "data_offsets": [begin, len(data)]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % 64)
    return struct.pack("<Q", len(text)) + text + data


def main():
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    for name, config in CONFIGS.items():
        rng = random.Random(name)
        tensors = golden_run(config, rng)
        differences = check(tensors, config, rng)
        content = safetensors(tensors, {"config": json.dumps(config),
                                        "torch": str(torch.__version__), "format": "pt"})
        (directory / f"{name}.safetensors").write_bytes(content)
        count = sum(t.numel() for t in group(tensors, "parameters.").values())
        print(f"{name}: {count} parameters, {len(tensors)} tensors, {len(content)} bytes")
        print("  losses", *(f"{loss:.4f}" for loss in tensors["adam.losses"].tolist()),
              f"-> {tensors['adam.final_loss'].item():.4f}")
        print("  off from the plain formulas:",
              ", ".join(f"{what} {difference:.1e}" for what, difference in differences.items()))


if __name__ == "__main__":
    main()
