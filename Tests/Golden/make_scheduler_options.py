"""Trajectories of diffusers' schedulers under the options of their files: orders, rules, how the end is gone.

Writes scheduler_options.safetensors (float64) beside this script: Stable Diffusion's schedule and the exact denoiser of a
mixture. diffusers keeps its tables in float32; they are put in again in float64, so that a comparison can be strict.

    python Tests/Golden/make_scheduler_options.py
"""

import json
import os

import diffusers
import numpy as np
import torch
from safetensors.numpy import save_file

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
RNG = np.random.default_rng(5)
START, NOISE = RNG.standard_normal((4, 3)), RNG.standard_normal((20, 4, 3))

M, U, D = "DPMSolverMultistepScheduler", "UniPCMultistepScheduler", "DEISMultistepScheduler"
S, A, P = "DPMSolverSinglestepScheduler", "SASolverScheduler", "PNDMScheduler"
LOW = dict(final_sigmas_type="sigma_min")
CASES = [
    (M, 10, {}), (M, 10, LOW), (M, 20, LOW), (M, 10, dict(LOW, lower_order_final=False)),
    (M, 20, dict(LOW, euler_at_final=True)), (M, 10, dict(LOW, lower_order_final=False, euler_at_final=True)),
    (M, 10, dict(LOW, solver_type="heun")), (M, 10, dict(LOW, solver_order=1)),
    (M, 10, dict(LOW, algorithm_type="dpmsolver", lower_order_final=False)),
    (M, 20, dict(LOW, algorithm_type="dpmsolver", solver_type="heun", euler_at_final=True)),
    (M, 10, dict(algorithm_type="sde-dpmsolver++")), (M, 10, dict(algorithm_type="sde-dpmsolver++", solver_type="heun")),
    (U, 10, {}), (U, 10, dict(solver_order=1)), (U, 10, dict(solver_order=3)), (U, 10, dict(lower_order_final=False, **LOW)),
    (U, 10, dict(disable_corrector=[0, 1, 4])), (U, 10, dict(predict_x0=False, **LOW)),
    (U, 10, dict(solver_type="bh1", solver_order=3, disable_corrector=[0], **LOW)),
    (D, 10, {}), (D, 10, dict(lower_order_final=False)), (D, 10, dict(solver_order=3)), (D, 10, dict(solver_order=1)),
    (D, 20, dict(solver_order=3)),
    (S, 10, {}), (S, 10, dict(solver_order=3)), (S, 12, dict(LOW, solver_order=3)),
    (S, 12, dict(LOW, solver_order=3, lower_order_final=True)), (S, 10, dict(LOW, solver_type="heun")),
    (A, 10, {}), (A, 10, dict(predictor_order=3, corrector_order=4)), (A, 10, dict(lower_order_final=False)),
    (A, 10, dict(predictor_order=1, corrector_order=1)),
    (P, 10, dict(skip_prk_steps=True, prediction_type="v_prediction", steps_offset=1)),
    (P, 10, dict(skip_prk_steps=True, steps_offset=1)),
]
# The denoiser's answers times 2.5, so that bounds bite.
BOUNDED = dict(LOW, thresholding=True, dynamic_thresholding_ratio=0.7, sample_max_value=1.3)
CASES += [
    (M, 10, BOUNDED), (M, 10, dict(BOUNDED, algorithm_type="dpmsolver")), (M, 10, dict(BOUNDED, solver_order=1)),
    (U, 10, BOUNDED), (D, 10, {k: v for k, v in BOUNDED.items() if k not in LOW}), (S, 10, BOUNDED),
]


def denoised(x, signal, noise):
    total = signal**2 * VARIANCES + noise**2
    centered = x[:, None, :] - signal * MEANS
    logs = torch.log(WEIGHTS) - 0.5 * (centered**2 / total + torch.log(total)).sum(-1)
    shares = torch.softmax(logs, dim=-1)
    return (shares[..., None] * (MEANS + signal * VARIANCES / total * centered)).sum(1)


def answer(x, signal, noise, config):
    data = denoised(x, signal, noise) * (2.5 if config.get("thresholding") else 1)
    epsilon = (x - signal * data) / noise
    return signal * epsilon - noise * data if config.prediction_type == "v_prediction" else epsilon


def multistep(scheduler, name, steps):
    scheduler.set_timesteps(steps)
    ratios = np.append(SIGMAS[scheduler.timesteps.numpy()], 0.0)
    if scheduler.sigmas[-1] > 0:
        ratios[-1] = SIGMAS[0]
    assert np.allclose(ratios, scheduler.sigmas.numpy(), rtol=1e-4), name
    scheduler.sigmas = torch.from_numpy(ratios)
    # A last axis of 1: thresholding takes three axes at least.
    left = [torch.from_numpy(z)[..., None] for z in NOISE[::-1]]
    diffusers.schedulers.scheduling_sasolver.randn_tensor = lambda *_, **__: left.pop()
    x, path = torch.from_numpy(START)[..., None], []
    for index, t in enumerate(scheduler.timesteps):
        signal = 1 / torch.sqrt(1 + scheduler.sigmas[index] ** 2)
        output = answer(x[..., 0], signal, scheduler.sigmas[index] * signal, scheduler.config)[..., None]
        more = dict(variance_noise=torch.from_numpy(NOISE[index])[..., None]) if name == M else {}
        x = scheduler.step(output, t, x, **more).prev_sample.double()
        path.append(x[..., 0].clone())
    return ratios, path


def pseudo(scheduler, steps):
    scheduler.alphas_cumprod = torch.from_numpy(PRODUCT)
    scheduler.final_alpha_cumprod = torch.tensor(PRODUCT[0])
    scheduler.set_timesteps(steps)
    x, path = torch.from_numpy(START).clone(), []
    for t in scheduler.timesteps:
        squared = scheduler.alphas_cumprod[t]
        x = scheduler.step(answer(x, squared.sqrt(), (1 - squared).sqrt(), scheduler.config), int(t), x)
        x = x.prev_sample
        path.append(x.clone())
    times = [int(t) for t in scheduler.timesteps]
    # The first step asks twice.
    return np.append(SIGMAS[times[:1] + times[2:]], SIGMAS[0]), path[1:]


def main():
    out, cases = {"start": START, "noise": NOISE}, []
    for name, steps, options in CASES:
        config = dict(SD, **options)
        scheduler = getattr(diffusers, name)(**config)
        ratios, path = pseudo(scheduler, steps) if name == P else multistep(scheduler, name, steps)
        path = torch.stack(path).numpy()
        assert len(path) == len(ratios) - 1 and np.isfinite(path).all(), (name, options)
        key = f"case_{len(cases)}"
        out[key], out[key + "_ratios"] = path, ratios
        cases.append(dict(key=key, steps=steps, scheduler=dict(config, _class_name=name)))
    versions = f"diffusers {diffusers.__version__}, torch {torch.__version__}, numpy {np.__version__}"
    save_file({k: np.ascontiguousarray(v) for k, v in out.items()}, os.path.join(HERE, "scheduler_options.safetensors"),
              {"cases": json.dumps(cases), "versions": versions})
    print(len(cases), "cases")


main()
