"""Trajectories of diffusers' DDPM and DDIM schedulers, and the formulas of improved-diffusion in NumPy.

Writes schedulers.safetensors (float64) beside this script. The schedulers compute in float32; here their alphas are put
in again in float64, so that a comparison can be strict. Noise is injected.

    /opt/peers/bin/python Tests/Golden/make_schedulers.py
"""

import json
import math
import os

import diffusers
import numpy as np
import torch
from diffusers import DDIMScheduler, DDPMScheduler
from diffusers.schedulers import scheduling_ddpm
from safetensors.numpy import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
BATCH, CHANNELS, STEPS = 4, 3, 25

# The mixture of Tests/TestSupport/GaussianWorld.swift.
WEIGHTS = torch.tensor([0.6, 0.4], dtype=torch.float64)
MEANS = torch.tensor([[0.6, -0.5, 0.2], [-0.7, 0.4, 0.0]], dtype=torch.float64)
VARIANCES = torch.tensor([[0.09, 0.16, 0.25], [0.2, 0.1, 0.16]], dtype=torch.float64)


def denoised(x, signal, noise):
    total = signal**2 * VARIANCES + noise**2
    centered = x[:, None, :] - signal * MEANS
    logs = torch.log(WEIGHTS) - 0.5 * (centered**2 / total + torch.log(total)).sum(-1)
    shares = torch.softmax(logs, dim=-1)
    means = MEANS + signal * VARIANCES / total * centered
    return (shares[..., None] * means).sum(1)


def model(x, squared_signal, prediction):
    signal, noise = squared_signal.sqrt(), (1 - squared_signal).sqrt()
    # A gain takes the estimate out of -1...1, so that clipping and thresholding do something.
    data = 2.5 * denoised(x, signal, noise)
    epsilon = (x - signal * data) / noise
    return {"sample": data, "epsilon": epsilon, "v_prediction": signal * epsilon - noise * data}[prediction]


def in_float64(scheduler):
    config = scheduler.config
    count = config.num_train_timesteps
    if config.beta_schedule == "linear":
        betas = np.linspace(config.beta_start, config.beta_end, count)
    elif config.beta_schedule == "scaled_linear":
        betas = np.linspace(config.beta_start**0.5, config.beta_end**0.5, count) ** 2
    elif config.beta_schedule == "sigmoid":
        betas = 1 / (1 + np.exp(-np.linspace(-6, 6, count))) * (config.beta_end - config.beta_start) + config.beta_start
    else:
        curve = lambda t: math.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2
        betas = np.array([min(1 - curve((i + 1) / count) / curve(i / count), 0.999) for i in range(count)])
    assert np.allclose(betas, scheduler.betas.numpy(), atol=1e-6) or config.rescale_betas_zero_snr
    betas = torch.from_numpy(betas)
    if config.rescale_betas_zero_snr:
        roots = (1 - betas).cumprod(0).sqrt()
        first, last = roots[0].clone(), roots[-1].clone()
        squares = ((roots - last) * first / (first - last)) ** 2
        betas = 1 - torch.cat([squares[:1], squares[1:] / squares[:-1]])
    scheduler.betas = betas
    scheduler.alphas = 1 - betas
    scheduler.alphas_cumprod = torch.cumprod(scheduler.alphas, 0)
    if hasattr(scheduler, "final_alpha_cumprod") and not config.set_alpha_to_one:
        scheduler.final_alpha_cumprod = scheduler.alphas_cumprod[0]
    scheduler.one = torch.tensor(1.0, dtype=torch.float64)
    return scheduler


DDPM_CASES = [
    dict(steps=10), dict(steps=20, beta_schedule="squaredcos_cap_v2"), dict(steps=10, variance_type="fixed_large"),
    dict(steps=10, variance_type="fixed_small_log", prediction_type="v_prediction"),
    dict(steps=10, variance_type="learned_range"), dict(steps=7, variance_type="learned", clip_sample=False),
    dict(steps=10, prediction_type="sample", timestep_spacing="trailing"),
    dict(steps=10, prediction_type="v_prediction", timestep_spacing="linspace", clip_sample=False),
    dict(steps=10, thresholding=True, sample_max_value=1.3, dynamic_thresholding_ratio=0.9),
    dict(steps=12, beta_schedule="sigmoid", clip_sample_range=0.5, steps_offset=3),
    dict(steps=25, num_train_timesteps=25, beta_start=0.004, beta_end=0.4),
    dict(steps=10, prediction_type="v_prediction", timestep_spacing="trailing", rescale_betas_zero_snr=True),
]
SD = dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, clip_sample=False,
          set_alpha_to_one=False, steps_offset=1)
DDIM_CASES = [
    dict(steps=10), dict(steps=10, eta=0.5), dict(steps=20, eta=1.0), dict(steps=10, use_clipped_model_output=True),
    dict(steps=10, use_clipped_model_output=True, eta=0.3, clip_sample_range=0.6), dict(steps=20, **SD),
    dict(steps=10, prediction_type="v_prediction", **SD), dict(steps=10, prediction_type="sample", clip_sample=False),
    dict(steps=10, timestep_spacing="trailing"), dict(steps=12, timestep_spacing="trailing", clip_sample=False),
    dict(steps=10, timestep_spacing="linspace", clip_sample=False),
    dict(steps=10, thresholding=True, sample_max_value=1.5, dynamic_thresholding_ratio=0.8),
    dict(steps=10, prediction_type="v_prediction", timestep_spacing="trailing", rescale_betas_zero_snr=True,
         clip_sample=False),
    dict(steps=25, beta_schedule="squaredcos_cap_v2", eta=0.2, clip_sample=False),
]


def trajectory(kind, case, start, noise):
    case = dict(case)
    steps, eta = case.pop("steps"), case.pop("eta", 0.0)
    clipped = case.pop("use_clipped_model_output", False)
    scheduler = in_float64((DDPMScheduler if kind == "ddpm" else DDIMScheduler)(**case))
    scheduler.set_timesteps(steps)
    x, path = start.clone(), []
    for index, t in enumerate(scheduler.timesteps):
        answer = model(x, scheduler.alphas_cumprod[t], scheduler.config.prediction_type)
        if kind == "ddpm":
            variance = scheduler.config.variance_type
            if variance == "learned_range":
                answer = torch.cat([answer, torch.tanh(x)], dim=1)
            elif variance == "learned":
                answer = torch.cat([answer, 0.01 * torch.sigmoid(x)], dim=1)
            scheduling_ddpm.randn_tensor = lambda *_, **__: noise[index][..., None]
            x = scheduler.step(answer[..., None], int(t), x[..., None]).prev_sample[..., 0]
        else:
            drawn = noise[index][..., None] if eta > 0 else None
            x = scheduler.step(
                answer[..., None], int(t), x[..., None], eta=eta, use_clipped_model_output=clipped,
                variance_noise=drawn).prev_sample[..., 0]
        path.append(x.clone())
    return scheduler.timesteps.numpy(), torch.stack(path).numpy()


def bound_terms(rng, out):
    """improved-diffusion's gaussian_diffusion.py, written anew: vb terms of every timestep of a short cosine chain."""
    count = 20
    curve = lambda t: math.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2
    betas = np.array([min(1 - curve((i + 1) / count) / curve(i / count), 0.999) for i in range(count)])
    product = np.cumprod(1 - betas)
    previous = np.append(1.0, product[:-1])
    posterior_variance = betas * (1 - previous) / (1 - product)
    log_clipped = np.log(np.append(posterior_variance[1], posterior_variance[1:]))
    first = betas * np.sqrt(previous) / (1 - product)
    second = (1 - previous) * np.sqrt(1 - betas) / (1 - product)
    data = np.round((rng.uniform(-1, 1, (count, 5, 3)) + 1) * 127.5) / 127.5 - 1
    data[:, 0, 0], data[:, 1, 1] = -1, 1
    noise = rng.standard_normal(data.shape)
    guess = np.clip(data + 0.2 * rng.standard_normal(data.shape), -1, 1)
    answer = rng.uniform(-1, 1, data.shape)
    t = np.arange(count)
    at = lambda values: values[t][:, None, None]
    noisy = at(np.sqrt(product)) * data + at(np.sqrt(1 - product)) * noise
    true_mean = at(first) * data + at(second) * noisy
    mean = at(first) * guess + at(second) * noisy
    large = np.log(np.append(posterior_variance[1], betas[1:]))
    choices = {
        "fixed_small": at(log_clipped) + 0 * data,
        "fixed_large": at(large) + 0 * data,
        "learned_range": (answer + 1) / 2 * at(np.log(betas)) + (1 - answer) / 2 * at(log_clipped),
    }
    cdf = lambda x: 0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    out.update(bound_data=data, bound_noise=noise, bound_guess=guess, bound_answer=answer)
    for name, log_variance in choices.items():
        divergence = 0.5 * (-1 + log_variance - at(log_clipped) + np.exp(at(log_clipped) - log_variance)
                            + (true_mean - mean) ** 2 * np.exp(-log_variance))
        inverse = np.exp(-0.5 * log_variance)
        plus, minus = inverse * (data - mean + 1 / 255), inverse * (data - mean - 1 / 255)
        safe = lambda x: np.log(np.maximum(x, 1e-12))
        decoder = -np.where(data < -0.999, safe(cdf(plus)),
                            np.where(data > 0.999, safe(1 - cdf(minus)), safe(cdf(plus) - cdf(minus))))
        flat = lambda x: x.mean(axis=(1, 2)) / np.log(2)
        out["bound_" + name] = np.where(t == 0, flat(decoder), flat(divergence))
    prior_mean, prior_log = np.sqrt(product[-1]) * data, np.log(1 - product[-1])
    out["bound_prior"] = (0.5 * (-1 - prior_log + np.exp(prior_log) + prior_mean**2)).mean(axis=(1, 2)) / np.log(2)


def main():
    rng = np.random.default_rng(7)
    start = torch.from_numpy(rng.standard_normal((BATCH, CHANNELS)))
    noise = torch.from_numpy(rng.standard_normal((STEPS, BATCH, CHANNELS)))
    out = {"start": start.numpy(), "noise": noise.numpy()}
    cases = []
    for kind, listed in (("ddpm", DDPM_CASES), ("ddim", DDIM_CASES)):
        for case in listed:
            name = f"{kind}_{len(cases)}"
            timesteps, path = trajectory(kind, case, start, noise)
            out[name] = path
            out[name + "_timesteps"] = timesteps.astype(np.float64)
            steps, eta = case["steps"], case.get("eta", 0.0)
            cases.append(dict(
                name=name, kind=kind, steps=steps, eta=eta, clipped=case.get("use_clipped_model_output", False),
                scheduler={k: v for k, v in case.items() if k not in ("steps", "eta", "use_clipped_model_output")}))
    bound_terms(rng, out)
    metadata = {
        "cases": json.dumps(cases),
        "versions": f"diffusers {diffusers.__version__}, torch {torch.__version__}, numpy {np.__version__}",
    }
    save_file({k: np.ascontiguousarray(v) for k, v in out.items()}, os.path.join(HERE, "schedulers.safetensors"), metadata)


main()
