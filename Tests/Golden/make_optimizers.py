#!/usr/bin/env python3
"""Several steps of PyTorch's optimizers on two parameters: optimizers.safetensors.

Each case: <case>.initial.<i>, <case>.gradient.<step>.<i> and <case>.expected.<step>.<i>; the settings are in the metadata.
"""
import json, pathlib, platform
import torch
from safetensors.torch import save_file

STEPS = 5
SHAPES = [(7, 5), (33,)]
CASES = {
    "adamw": (torch.optim.AdamW, dict(lr=1e-2, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1)),
    "adam": (torch.optim.Adam, dict(lr=3e-2, betas=(0.8, 0.95), eps=1e-6)),
    "sgd": (torch.optim.SGD, dict(lr=0.1, weight_decay=0.01)),
    "momentum": (torch.optim.SGD, dict(lr=0.1, momentum=0.9, weight_decay=0.01)),
    "nesterov": (torch.optim.SGD, dict(lr=0.05, momentum=0.8, nesterov=True)),
}
tensors = {}
torch.manual_seed(0)
for name, (kind, settings) in CASES.items():
    parameters = [torch.nn.Parameter(torch.randn(s)) for s in SHAPES]
    for i, p in enumerate(parameters):
        tensors[f"{name}.initial.{i}"] = p.detach().clone()
    optimizer = kind(parameters, **settings)
    for step in range(STEPS):
        for i, p in enumerate(parameters):
            p.grad = torch.randn(p.shape) * 10 ** (step - 2)
            tensors[f"{name}.gradient.{step}.{i}"] = p.grad.clone()
        optimizer.step()
        for i, p in enumerate(parameters):
            tensors[f"{name}.expected.{step}.{i}"] = p.detach().clone()
metadata = {"torch": torch.__version__, "python": platform.python_version(),
            "cases": json.dumps({n: s for n, (_, s) in CASES.items()})}
save_file(tensors, pathlib.Path(__file__).with_name("optimizers.safetensors"), metadata)
