"""Guided estimates of diffusers' guiders: adaptive projected guidance over three steps, and guidance rescale.

Writes guidance.safetensors (float64) beside this script. Made with diffusers 0.42, torch 2.15.

    python Tests/Golden/make_guidance.py
"""

import json
import os

import torch
from diffusers.guiders.adaptive_projected_guidance import MomentumBuffer, normalized_guidance
from diffusers.guiders.guider_utils import rescale_noise_cfg
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
STEPS, SHAPE = 3, (2, 4, 3, 2)

generator = torch.Generator().manual_seed(7)
strong = torch.randn((STEPS,) + SHAPE, generator=generator, dtype=torch.float64)
weak = strong + 0.5 * torch.randn((STEPS,) + SHAPE, generator=generator, dtype=torch.float64)
tensors = {"strong": strong, "weak": weak}

cases = [
    {"name": "plain", "scale": 4.0, "parallel": 1.0, "largest_norm": 0.0, "momentum": 0.0, "rescale": 0.0},
    {"name": "orthogonal", "scale": 4.0, "parallel": 0.0, "largest_norm": 0.0, "momentum": 0.0, "rescale": 0.0},
    {"name": "bounded", "scale": 7.5, "parallel": 0.25, "largest_norm": 2.2, "momentum": 0.0, "rescale": 0.0},
    {"name": "momentum", "scale": 5.0, "parallel": 0.0, "largest_norm": 2.5, "momentum": -0.5, "rescale": 0.0},
    {"name": "rescaled", "scale": 7.5, "parallel": 1.0, "largest_norm": 0.0, "momentum": 0.0, "rescale": 0.7},
    {"name": "all", "scale": 6.0, "parallel": 0.5, "largest_norm": 3.0, "momentum": -0.75, "rescale": 1.0},
]
for case in cases:
    buffer = MomentumBuffer(case["momentum"]) if case["momentum"] else None
    results = []
    for step in range(STEPS):
        # The paper's form starts from the conditional estimate and counts the scale from 0.
        guided = normalized_guidance(
            strong[step], weak[step], case["scale"] - 1, buffer, case["parallel"],
            case["largest_norm"], use_original_formulation=True)
        if case["rescale"] > 0:
            guided = rescale_noise_cfg(guided, strong[step], case["rescale"])
        results.append(guided)
    tensors[case["name"]] = torch.stack(results)

save_file(
    {name: tensor.contiguous() for name, tensor in tensors.items()},
    os.path.join(HERE, "guidance.safetensors"),
    metadata={"cases": json.dumps(cases)})
