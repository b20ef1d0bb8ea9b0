#!/usr/bin/env python3
"""A small unconditional latent diffusion model over a vector-quantised autoencoder, and the pictures that diffusers' LDMPipeline draws
with it: Tests/Golden/pipeline_vq. Made with torch 2.15.0, diffusers 0.42.1:

  python Tests/Golden/make_latent_images.py
"""
import pathlib, shutil
import torch
from safetensors.torch import save_file
from diffusers import DDIMScheduler, LDMPipeline, UNet2DModel, VQModel

OUT = pathlib.Path(__file__).resolve().parent / "pipeline_vq"
shutil.rmtree(OUT, ignore_errors=True)
torch.manual_seed(3)


def strengthened(model, factor):
    with torch.no_grad():
        for value in model.parameters():
            if value.dim() > 1: value.mul_(factor)
            else: value.add_(0.1 * torch.randn_like(value))
    return model.half().float().eval()


unet = strengthened(UNet2DModel(
    sample_size=(8, 12), in_channels=3, out_channels=3, block_out_channels=(4, 8), layers_per_block=1, norm_num_groups=4,
    down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"), attention_head_dim=4), 1.5)
vqvae = strengthened(VQModel(
    block_out_channels=(4, 8), layers_per_block=1, norm_num_groups=4, latent_channels=3, num_vq_embeddings=64, sample_size=16,
    down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2), 1.3)
with torch.no_grad():
    # Codes as far apart as latents are.
    vqvae.quantize.embedding.weight.normal_(0, 4)
vqvae.half().float()
scheduler = DDIMScheduler(beta_start=0.0015, beta_end=0.0195, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False,
                          steps_offset=1)
pipe = LDMPipeline(vqvae=vqvae, unet=unet, scheduler=scheduler)
pipe.set_progress_bar_config(disable=True)
# Its pipeline takes square pictures; the network does not.
shape = (1, 3, 8, 12)
pictures = []
for seed in (3, 4):
    latents = torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * scheduler.init_noise_sigma
    scheduler.set_timesteps(6)
    with torch.no_grad():
        for t in scheduler.timesteps: latents = scheduler.step(unet(scheduler.scale_model_input(latents, t), t).sample, t, latents).prev_sample
        pictures.append((vqvae.decode(latents / vqvae.config.scaling_factor).sample / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1))
pictures = torch.cat(pictures)
print(tuple(pictures.shape), pictures.mean().item(), pictures.std().item(), (pictures[0] - pictures[1]).abs().mean().item())
assert (pictures[0] - pictures[1]).abs().mean() > 0.05
pipe.unet.half(), pipe.vqvae.half()
pipe.save_pretrained(OUT)
save_file({"pictures": (pictures * 255).round().byte().contiguous()}, OUT / "pictures.safetensors")
