"""Trajectories of k-diffusion's samplers and diffusers' schedulers, every step, for the deterministic solvers.

Writes trajectories.safetensors (float64) beside this script: Stable Diffusion's schedule, 10, 20 and 50 steps, the default
grid and Karras', the exact denoiser of a mixture. diffusers keeps its tables in float32; they are put in again in float64,
so that a comparison can be strict.

    python Tests/Golden/make_trajectories.py
"""

import json
import os
import sys
import types

import diffusers
import numpy as np
import torch
from diffusers import DDIMScheduler, DEISMultistepScheduler, DPMSolverMultistepScheduler
from diffusers import DPMSolverSinglestepScheduler, PNDMScheduler, UniPCMultistepScheduler
from safetensors.numpy import save_file

# `k_diffusion.sampling` alone: the package itself imports more than is needed.
package = types.ModuleType("k_diffusion")
package.__path__ = [os.path.join(path, "k_diffusion") for path in sys.path
                    if os.path.isdir(os.path.join(path, "k_diffusion"))]
sys.modules["k_diffusion"] = package
package.utils = types.ModuleType("k_diffusion.utils")
package.utils.append_dims = lambda x, count: x[(...,) + (None,) * (count - x.ndim)]
sys.modules["k_diffusion.utils"] = package.utils
from k_diffusion import sampling  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
torch.set_default_dtype(torch.float64)

# The mixture of Tests/TestSupport/GaussianWorld.swift.
WEIGHTS = torch.tensor([0.6, 0.4])
MEANS = torch.tensor([[0.6, -0.5, 0.2], [-0.7, 0.4, 0.0]])
VARIANCES = torch.tensor([[0.09, 0.16, 0.25], [0.2, 0.1, 0.16]])

BETAS = np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
PRODUCT = np.cumprod(1 - BETAS)
SIGMAS = np.sqrt((1 - PRODUCT) / PRODUCT)
SD = dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012)


def denoised(x, signal, noise):
    total = signal**2 * VARIANCES + noise**2
    centered = x[:, None, :] - signal * MEANS
    logs = torch.log(WEIGHTS) - 0.5 * (centered**2 / total + torch.log(total)).sum(-1)
    shares = torch.softmax(logs, dim=-1)
    return (shares[..., None] * (MEANS + signal * VARIANCES / total * centered)).sum(1)


def karras(steps):
    high, low = SIGMAS[-1] ** (1 / 7), SIGMAS[0] ** (1 / 7)
    return (high + np.linspace(0, 1, steps) * (low - high)) ** 7


def k_sampler(function, sigmas, start):
    """x after each step; the levels are variance-exploding."""
    path = []
    model = lambda x, sigma: denoised(x, torch.tensor(1.0), sigma[0])
    end = function(model, start * sigmas[0], torch.from_numpy(sigmas), callback=lambda d: path.append(d["x"].clone()),
                   disable=True)
    return torch.stack(path[1:] + [end]).numpy()


def interpolated(steps):
    return np.append(np.interp(np.linspace(0, 999, steps)[::-1], np.arange(1000), SIGMAS), 0.0)


def scheduler_path(scheduler, ratios, start):
    """x after each step; the levels are variance-preserving."""
    scheduler.sigmas = torch.from_numpy(ratios)
    scheduler.alphas_cumprod = torch.from_numpy(PRODUCT)
    x, path = start.clone(), []
    for index, t in enumerate(scheduler.timesteps):
        signal = 1 / torch.sqrt(1 + scheduler.sigmas[index] ** 2)
        noise = scheduler.sigmas[index] * signal
        epsilon = (x - signal * denoised(x, signal, noise)) / noise
        x = scheduler.step(epsilon, t, x).prev_sample
        path.append(x.clone())
    return torch.stack(path).numpy()


def multistep(kind, steps, grid, start):
    common = dict(SD, use_karras_sigmas=grid == "karras")
    if kind == "unipc":
        scheduler = UniPCMultistepScheduler(**common)
    elif kind == "unipc3":
        scheduler = UniPCMultistepScheduler(solver_order=3, **common)
    elif kind == "unipc_bh1":
        scheduler = UniPCMultistepScheduler(solver_type="bh1", final_sigmas_type="sigma_min", **common)
    elif kind == "deis":
        scheduler = DEISMultistepScheduler(**common)
    elif kind == "deis3":
        scheduler = DEISMultistepScheduler(solver_order=3, **common)
    elif kind == "dpmpp_2m":
        scheduler = DPMSolverMultistepScheduler(**common)
    elif kind == "dpm_multi":
        scheduler = DPMSolverMultistepScheduler(algorithm_type="dpmsolver", final_sigmas_type="sigma_min", **common)
    elif kind in ("dpm_single", "dpm_single3"):
        scheduler = DPMSolverSinglestepScheduler(solver_order=3 if kind.endswith("3") else 2, **common)
    scheduler.set_timesteps(steps)
    if grid == "karras":
        ratios = karras(steps)
    else:
        ratios = SIGMAS[scheduler.timesteps.numpy()]
    end = float(scheduler.sigmas[-1])
    if end > 0:
        end = SIGMAS[0]
    ratios = np.append(ratios, end)
    assert np.allclose(ratios, scheduler.sigmas.numpy(), rtol=1e-4), (kind, grid, ratios, scheduler.sigmas)
    # Karras' grid may end at the last level twice: the step that goes nowhere is left out where nothing follows from
    # its being counted.
    if np.isclose(ratios[-1], ratios[-2]):
        if steps < 15 or kind.startswith("unipc"):
            return ratios, None
        scheduler.timesteps = scheduler.timesteps[:-1]
        ratios = ratios[:-1]
    path = scheduler_path(scheduler, ratios, start)
    return ratios, path


def chain(kind, steps, start):
    options = dict(SD, set_alpha_to_one=False, steps_offset=1)
    if kind == "ddim":
        scheduler = DDIMScheduler(clip_sample=False, **options)
        scheduler.final_alpha_cumprod = torch.tensor(PRODUCT[0])
    else:
        scheduler = PNDMScheduler(skip_prk_steps=kind == "plms", **options)
        scheduler.final_alpha_cumprod = torch.tensor(PRODUCT[0])
    scheduler.alphas_cumprod = torch.from_numpy(PRODUCT)
    scheduler.set_timesteps(steps)
    x, path, times = start.clone(), [], []
    for t in scheduler.timesteps:
        squared = scheduler.alphas_cumprod[t]
        signal, noise = squared.sqrt(), (1 - squared).sqrt()
        epsilon = (x - signal * denoised(x, signal, noise)) / noise
        x = scheduler.step(epsilon, int(t), x).prev_sample
        path.append(x.clone())
    times = [int(t) for t in scheduler.timesteps]
    if kind == "plms":
        # The first step asks twice.
        path, times = path[1:], [times[0]] + times[2:]
    if kind == "pndm":
        # Each Runge-Kutta step asks twice in each of its halves.
        path = path[1:12:2] + path[12:]
        times = [times[i] for i in (0, 1, 4, 5, 8, 9)] + times[12:]
    ratios = np.append(SIGMAS[times], SIGMAS[0])
    return ratios, torch.stack(path).numpy()


def main():
    start = torch.from_numpy(np.random.default_rng(11).standard_normal((4, 3)))
    out, cases = {"start": start.numpy()}, []

    def add(name, kind, family, ratios, path):
        assert len(path) == len(ratios) - 1 and np.isfinite(path).all(), name
        out[name], out[name + "_ratios"] = path, ratios
        cases.append(dict(name=name, kind=kind, family=family))

    for steps in (10, 20, 50):
        for grid in ("default", "karras"):
            sigmas = interpolated(steps) if grid == "default" else np.append(karras(steps), 0.0)
            for kind in ("euler", "heun", "lms", "dpm_2", "dpmpp_2m"):
                path = k_sampler(getattr(sampling, "sample_" + kind), sigmas, start)
                add(f"k_{kind}_{grid}_{steps}", "k_" + kind, "ve", sigmas, path)
            for kind in ("unipc", "unipc3", "unipc_bh1", "deis", "deis3", "dpmpp_2m", "dpm_multi", "dpm_single",
                         "dpm_single3"):
                ratios, path = multistep(kind, steps, grid, start)
                if path is not None:
                    add(f"{kind}_{grid}_{steps}", kind, "vp", ratios, path)
                else:
                    print("left out", kind, grid, steps)
        for kind in ("ddim", "plms", "pndm"):
            ratios, path = chain(kind, steps, start)
            add(f"{kind}_{steps}", kind, "vp", ratios, path)
    versions = f"diffusers {diffusers.__version__}, torch {torch.__version__}, k-diffusion 0.1.1.post1, numpy {np.__version__}"
    save_file({k: np.ascontiguousarray(v) for k, v in out.items()}, os.path.join(HERE, "trajectories.safetensors"),
              {"cases": json.dumps(cases), "versions": versions})
    print(len(cases), "cases")


main()
