"""Whole trajectories of k-diffusion's samplers that add noise, in float64, with the exact denoiser of a mixture.

Writes stochastic_trajectories.safetensors beside this script: Stable Diffusion's schedule, the default grid and Karras's,
10, 20 and 50 steps. Noise is injected, call after call.

    /work/venv/bin/python Tests/Golden/make_stochastic_trajectories.py
"""

import importlib.util
import json
import os
import sys
import types
from importlib.metadata import version

import numpy as np
import torch
from safetensors.numpy import save_file

# The package's own __init__ and utils import what training takes; of all that sampling.py needs one function.
package, utils = types.ModuleType("k_diffusion"), types.ModuleType("k_diffusion.utils")
package.__path__ = importlib.util.find_spec("k_diffusion").submodule_search_locations
utils.append_dims = lambda x, count: x[(...,) + (None,) * (count - x.ndim)]
package.utils = utils
sys.modules.update({"k_diffusion": package, "k_diffusion.utils": utils})
from k_diffusion import sampling  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
BATCH, CHANNELS = 2, 3

# The mixture of Tests/TestSupport/GaussianWorld.swift.
WEIGHTS = torch.tensor([0.6, 0.4], dtype=torch.float64)
MEANS = torch.tensor([[0.6, -0.5, 0.2], [-0.7, 0.4, 0.0]], dtype=torch.float64)
VARIANCES = torch.tensor([[0.09, 0.16, 0.25], [0.2, 0.1, 0.16]], dtype=torch.float64)

SAMPLERS = {
    "euler-a": (sampling.sample_euler_ancestral, {}),
    "dpm2-a": (sampling.sample_dpm_2_ancestral, {}),
    "dpm++2s-a": (sampling.sample_dpmpp_2s_ancestral, {}),
    "dpm++sde": (sampling.sample_dpmpp_sde, {}),
    "dpm++2m-sde": (sampling.sample_dpmpp_2m_sde, {}),
    "dpm++2m-sde-heun": (sampling.sample_dpmpp_2m_sde, {"solver_type": "heun"}),
    "dpm++3m-sde": (sampling.sample_dpmpp_3m_sde, {}),
}


def denoised(x, sigma):
    noise = sigma[:, None, None]
    total = VARIANCES + noise**2
    centered = x[:, None, :] - MEANS
    logs = torch.log(WEIGHTS) - 0.5 * (centered**2 / total + torch.log(total)).sum(-1)
    shares = torch.softmax(logs, dim=-1)
    return (shares[..., None] * (MEANS + VARIANCES / total * centered)).sum(1)


def grids(steps):
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    product = torch.cumprod(1 - betas, 0)
    sigmas = ((1 - product) / product).sqrt()
    # k-diffusion's DiscreteSchedule.get_sigmas: timesteps evenly from the last to the first, interpolated in the logarithm.
    t = np.linspace(999, 0, steps)
    default = torch.from_numpy(np.exp(np.interp(t, np.arange(1000), sigmas.log().numpy())))
    ramp = torch.linspace(0, 1, steps, dtype=torch.float64)
    low, high = sigmas[0] ** (1 / 7), sigmas[-1] ** (1 / 7)
    karras = (high + ramp * (low - high)) ** 7
    return {"default": sampling.append_zero(default), "karras": sampling.append_zero(karras)}


def main():
    rng = np.random.default_rng(11)
    start = torch.from_numpy(rng.standard_normal((BATCH, CHANNELS)))
    noise = torch.from_numpy(rng.standard_normal((100, BATCH, CHANNELS)))
    out = {"start": start.numpy(), "noise": noise.numpy()}
    cases = []
    for steps in (10, 20, 50):
        for grid, sigmas in grids(steps).items():
            out[f"sigmas_{grid}_{steps}"] = sigmas.numpy()
            for name, (sample, options) in SAMPLERS.items():
                for eta in (1.0, 0.6) if steps == 10 else (1.0,):
                    calls = iter(noise)
                    path = []
                    last = sample(
                        denoised, start * sigmas[0], sigmas, eta=eta, noise_sampler=lambda *_: next(calls),
                        callback=lambda step: path.append(step["x"].clone()), disable=True, **options)
                    key = f"{name}_{grid}_{steps}_{eta}"
                    out[key] = torch.stack(path[1:] + [last]).numpy()
                    cases.append(dict(key=key, solver=name, grid=f"{grid}_{steps}", eta=eta))
    metadata = {
        "cases": json.dumps(cases),
        "versions": f"k_diffusion {version('k_diffusion')}, torch {torch.__version__}, numpy {np.__version__}",
    }
    save_file({k: np.ascontiguousarray(v) for k, v in out.items()},
              os.path.join(HERE, "stochastic_trajectories.safetensors"), metadata)


main()
