"""Grids of noise levels and timesteps as k-diffusion, ComfyUI's formulas (written anew), SciPy and diffusers lay them out.

Writes grids.safetensors (float64) beside this script. The tables of diffusers' schedulers are put in again in float64, so
that only their last conversion rounds.

    python Tests/Golden/make_grids.py
"""

import importlib.metadata
import importlib.util
import json
import os
import sys
import types
import warnings

import diffusers
import numpy as np
import scipy
import scipy.stats
import torch
from safetensors.numpy import save_file

# The package's __init__ and its utils import what its grids do not need.
package = types.ModuleType("k_diffusion")
package.__path__ = importlib.util.find_spec("k_diffusion").submodule_search_locations
sys.modules["k_diffusion"] = package
sys.modules["k_diffusion.utils"] = package.utils = types.ModuleType("k_diffusion.utils")
from k_diffusion import sampling  # noqa: E402
from k_diffusion.external import DiscreteSchedule  # noqa: E402

warnings.filterwarnings("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))
STEPS = (10, 20, 50)
SD = dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012)
betas = np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
SIGMAS = np.sqrt(1 / np.cumprod(1 - betas) - 1)


def by_name(steps):
    """Each schedule of the catalogue over Stable Diffusion's chain, with the end."""
    low, high = float(SIGMAS[0]), float(SIGMAS[-1])
    discrete = DiscreteSchedule(torch.from_numpy(SIGMAS), quantize=False)
    log_sigma = lambda t: np.exp(np.interp(t, np.arange(1000), np.log(SIGMAS)))
    end = lambda x: np.append(x, 0.0)
    ppf = np.rint(scipy.stats.beta.ppf(1 - np.linspace(0, 1, steps, endpoint=False), 0.6, 0.6) * 999).astype(int)
    kept = [t for i, t in enumerate(ppf) if i == 0 or t != ppf[i - 1]]
    quad = np.linspace(0, np.sqrt(800), steps)[:-1] ** 2
    quad = np.append(quad.astype(int), 800)
    ddim = SIGMAS[1 :: max(1000 // steps, 1)]
    return {
        "karras": sampling.get_sigmas_karras(steps, low, high).numpy(),
        "exponential": sampling.get_sigmas_exponential(steps, low, high).numpy(),
        "polyexponential": sampling.get_sigmas_polyexponential(steps, low, high).numpy(),
        "vp": sampling.get_sigmas_vp(steps).numpy(),
        "uniform": discrete.get_sigmas(steps).numpy(),
        "logsnr": np.exp(np.linspace(np.log(high), np.log(low), steps + 1)),
        "linear": end(np.linspace(high, low, steps)),
        "kl_optimal": end(np.tan(np.linspace(np.arctan(high), np.arctan(low), steps))),
        "sgm_uniform": end(log_sigma(np.linspace(999, 0, steps + 1)[:-1])),
        "simple": end([SIGMAS[-(1 + int(x * (1000 / steps)))] for x in range(steps)]),
        "ddim_uniform": end(ddim[::-1]),
        "beta": end(SIGMAS[kept]),
        "quadratic": end(SIGMAS[sorted(set(quad))[::-1]]),
        "linspace": end(SIGMAS[np.linspace(0, 999, steps).round().astype(int)[::-1]]),
        "leading": end(SIGMAS[(np.arange(steps) * (1000 // steps))[::-1]]),
        "trailing": end(SIGMAS[np.round(np.arange(1000, 0, -1000 / steps)).astype(int) - 1]),
    }


def align_your_steps(steps, sigmas):
    """stable-diffusion-webui's loglinear_interp."""
    if steps != len(sigmas):
        places = np.linspace(0, 1, len(sigmas))
        sigmas = np.exp(np.interp(np.linspace(0, 1, steps), places, np.log(sigmas[::-1])))[::-1]
    return np.append(sigmas, 0.0)


AYS = {
    "ays": [14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029],
    "ays_sdxl": [14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029],
}

COSINE = dict(beta_schedule="squaredcos_cap_v2")
CASES = [
    ("EulerDiscreteScheduler", [
        SD, dict(SD, timestep_spacing="leading", steps_offset=1), dict(SD, timestep_spacing="trailing"),
        dict(SD, use_karras_sigmas=True), dict(SD, use_exponential_sigmas=True), dict(SD, use_beta_sigmas=True),
        dict(SD, final_sigmas_type="sigma_min"), dict(SD, timestep_spacing="trailing", rescale_betas_zero_snr=True),
        dict(SD, use_karras_sigmas=True, sigma_min=0.1, sigma_max=10.0),
        dict(SD, use_karras_sigmas=True, timestep_spacing="leading", steps_offset=1)]),
    ("EulerAncestralDiscreteScheduler", [SD, dict(SD, timestep_spacing="leading"), dict(SD, timestep_spacing="trailing")]),
    ("HeunDiscreteScheduler", [SD, dict(SD, use_karras_sigmas=True), dict(SD, use_beta_sigmas=True), COSINE]),
    ("LMSDiscreteScheduler", [SD, dict(SD, use_karras_sigmas=True), dict(SD, timestep_spacing="leading", steps_offset=1)]),
    ("KDPM2DiscreteScheduler", [SD, dict(SD, use_karras_sigmas=True), dict(SD, use_exponential_sigmas=True)]),
    ("KDPM2AncestralDiscreteScheduler", [SD, dict(SD, use_karras_sigmas=True)]),
    ("DPMSolverSDEScheduler", [SD, dict(SD, use_karras_sigmas=True), dict(SD, timestep_spacing="leading")]),
    ("DPMSolverMultistepScheduler", [
        SD, dict(SD, timestep_spacing="leading", steps_offset=1), dict(SD, timestep_spacing="trailing"),
        dict(SD, use_karras_sigmas=True), dict(SD, use_exponential_sigmas=True), dict(SD, use_beta_sigmas=True),
        dict(SD, use_lu_lambdas=True), dict(SD, use_flow_sigmas=True, flow_shift=3.0, prediction_type="flow_prediction"),
        dict(SD, final_sigmas_type="sigma_min"), dict(COSINE, lambda_min_clipped=-5.1),
        dict(COSINE, use_karras_sigmas=True), dict(SD, timestep_spacing="trailing", rescale_betas_zero_snr=True)]),
    ("DPMSolverSinglestepScheduler", [SD, dict(SD, use_karras_sigmas=True), dict(COSINE, lambda_min_clipped=-5.1),
                                      dict(SD, use_flow_sigmas=True, flow_shift=2.0, prediction_type="flow_prediction")]),
    ("DEISMultistepScheduler", [SD, dict(SD, timestep_spacing="leading"), dict(SD, use_karras_sigmas=True),
                                dict(SD, use_exponential_sigmas=True)]),
    ("UniPCMultistepScheduler", [
        SD, dict(SD, use_karras_sigmas=True), dict(SD, final_sigmas_type="sigma_min"),
        dict(SD, use_karras_sigmas=True, final_sigmas_type="sigma_min"),
        dict(SD, use_flow_sigmas=True, flow_shift=3.0, prediction_type="flow_prediction")]),
    ("SASolverScheduler", [SD, dict(SD, use_karras_sigmas=True), dict(SD, timestep_spacing="trailing")]),
    ("PNDMScheduler", [dict(SD, skip_prk_steps=True, steps_offset=1), dict(SD, skip_prk_steps=True, timestep_spacing="trailing"),
                       dict(SD, skip_prk_steps=True, timestep_spacing="linspace")]),
    ("LCMScheduler", [{}, dict(original_inference_steps=100)]),
    ("TCDScheduler", [{}]),
    ("EDMEulerScheduler", [{}, dict(sigma_schedule="exponential"), dict(final_sigmas_type="sigma_min", sigma_max=50.0)]),
    ("EDMDPMSolverMultistepScheduler", [{}, dict(sigma_schedule="exponential", rho=5.0)]),
    ("CMStochasticIterativeScheduler", [dict(num_train_timesteps=201)]),
    ("FlowMatchEulerDiscreteScheduler", [{}, dict(shift=3.0), dict(shift=3.0, shift_terminal=0.1),
                                         dict(use_karras_sigmas=True), dict(use_dynamic_shifting=True)]),
    ("FlowMatchHeunDiscreteScheduler", [{}, dict(shift=3.0)]),
    ("UnCLIPScheduler", [{}]),
    ("IPNDMScheduler", [{}]),
    ("CosineDPMSolverMultistepScheduler", [{}, dict(sigma_schedule="karras", sigma_max=80.0)]),
]
DOUBLED = ("HeunDiscrete", "DPMSolverSDE", "KDPM2", "FlowMatchHeun")


def in_float64(scheduler):
    config = scheduler.config
    if not hasattr(scheduler, "alphas_cumprod"):
        return scheduler
    count = config.num_train_timesteps
    name = config.get("beta_schedule", "linear")
    if name == "scaled_linear":
        values = np.linspace(config.beta_start**0.5, config.beta_end**0.5, count) ** 2
    elif name == "linear":
        values = np.linspace(config.beta_start, config.beta_end, count)
    else:
        curve = lambda t: np.cos((t + 0.008) / 1.008 * np.pi / 2) ** 2
        values = np.array([min(1 - curve((i + 1) / count) / curve(i / count), 0.999) for i in range(count)])
    product = np.cumprod(1 - values)
    if config.get("rescale_betas_zero_snr"):
        roots = np.sqrt(product)
        product = ((roots - roots[-1]) * roots[0] / (roots[0] - roots[-1])) ** 2
        product[-1] = 2.0**-24
    assert np.allclose(product, scheduler.alphas_cumprod.numpy(), rtol=2e-3, atol=1e-6), (type(scheduler), name)
    scheduler.alphas_cumprod = torch.from_numpy(product)
    return scheduler


def laid_out(name, config, steps):
    scheduler = in_float64(getattr(diffusers, name)(**config))
    if config.get("use_dynamic_shifting"):
        scheduler.set_timesteps(steps, mu=0.8)
    else:
        scheduler.set_timesteps(steps)
    timesteps = np.asarray(scheduler.timesteps, dtype=np.float64)
    if name in ("PNDMScheduler", "LCMScheduler", "TCDScheduler", "UnCLIPScheduler", "IPNDMScheduler"):
        return timesteps, None
    sigmas = np.asarray(scheduler.sigmas, dtype=np.float64)
    if name.startswith(DOUBLED):
        timesteps = timesteps[::2]
        sigmas = np.append(sigmas[:1], sigmas[1::2])[: steps + 1]
    return timesteps, sigmas


def main():
    torch.set_default_dtype(torch.float64)
    out, cases = {}, []
    for steps in STEPS:
        for name, values in by_name(steps).items():
            out[f"{name}_{steps}"] = values
        for name, table in AYS.items():
            out[f"{name}_{steps}"] = align_your_steps(steps, table)
    out["ays_11"], out["ays_sdxl_11"] = (align_your_steps(11, AYS[k]) for k in ("ays", "ays_sdxl"))
    out["polyexponential_rho3"] = sampling.get_sigmas_polyexponential(20, 0.1, 10.0, rho=3.0).numpy()
    out["karras_edm"] = sampling.get_sigmas_karras(18, 0.002, 80.0).numpy()
    shares = np.concatenate([[0, 1e-6, 0.01], np.linspace(0.02, 0.98, 49), [0.99, 1 - 1e-6, 1]])
    out["beta_shares"] = shares
    for a, b in ((0.6, 0.6), (0.5, 2.0), (3.0, 1.5), (8.0, 20.0)):
        out[f"beta_{a}_{b}"] = scipy.stats.beta.ppf(shares, a, b)
        out[f"beta_cdf_{a}_{b}"] = scipy.stats.beta.cdf(shares, a, b)
    torch.set_default_dtype(torch.float32)
    for name, configs in CASES:
        for config in configs:
            for steps in STEPS:
                timesteps, sigmas = laid_out(name, config, steps)
                key = f"case_{len(cases)}"
                out[key + "_timesteps"] = timesteps
                if sigmas is not None:
                    out[key + "_sigmas"] = sigmas
                cases.append(dict(key=key, steps=steps, scheduler=dict(config, _class_name=name)))
    metadata = {
        "cases": json.dumps(cases),
        "versions": f"diffusers {diffusers.__version__}, k-diffusion {importlib.metadata.version('k-diffusion')}, "
                    f"scipy {scipy.__version__}, torch {torch.__version__}, numpy {np.__version__}",
    }
    save_file({k: np.ascontiguousarray(np.asarray(v, dtype=np.float64)) for k, v in out.items()},
              os.path.join(HERE, "grids.safetensors"), metadata)


main()
