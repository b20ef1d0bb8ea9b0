"""What diffusers' DPMSolverSDEScheduler draws from torchsde's Brownian interval in its own scheduler tests.

Writes brownian_noise.safetensors beside this script: float32, channels last, one tensor a draw in the order of calls, for
the default grid and Karras's.

    /work/venv/bin/python Tests/Golden/make_brownian_noise.py
"""

import os

import diffusers
import numpy as np
import torch
import torchsde
from diffusers import DPMSolverSDEScheduler
from diffusers.schedulers import scheduling_dpmsolver_sde
from safetensors.numpy import save_file

HERE = os.path.dirname(os.path.abspath(__file__))


def record(**options):
    draws = []
    scheduler = DPMSolverSDEScheduler(
        num_train_timesteps=1100, beta_start=0.0001, beta_end=0.02, beta_schedule="linear", noise_sampler_seed=0, **options)
    scheduler.set_timesteps(10)
    original = scheduling_dpmsolver_sde.BrownianTreeNoiseSampler.__call__

    def call(self, sigma, sigma_next):
        draws.append(original(self, sigma, sigma_next))
        return draws[-1]

    scheduling_dpmsolver_sde.BrownianTreeNoiseSampler.__call__ = call
    sample = (torch.arange(768) / 768).reshape(3, 8, 8, 4).permute(3, 0, 1, 2) * scheduler.init_noise_sigma
    for t in scheduler.timesteps:
        # The reference's tests go on with the scaled sample.
        sample = scheduler.scale_model_input(sample, t)
        sample = scheduler.step(sample * (t / (t + 1)), t, sample).prev_sample
    scheduling_dpmsolver_sde.BrownianTreeNoiseSampler.__call__ = original
    print(options, sample.abs().sum().item(), len(draws))
    return torch.stack(draws).permute(0, 1, 3, 4, 2).contiguous().numpy().astype(np.float32)


metadata = {"versions": f"diffusers {diffusers.__version__}, torch {torch.__version__}, torchsde {torchsde.__version__}"}
save_file({"default": record(), "karras": record(use_karras_sigmas=True)},
          os.path.join(HERE, "brownian_noise.safetensors"), metadata)
