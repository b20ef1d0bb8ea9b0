#!/usr/bin/env python3
"""A small Stable Diffusion folder as diffusers writes it, and the pictures that diffusers draws with it:
Tests/Golden/pipeline_text (a tokenizer of bytes and a few merges, half-precision weights) and its pictures.safetensors.

Weights are scaled up until another prompt, negative prompt or guidance gives clearly another picture; the script ends
where they do not. Made with torch 2.15.0, diffusers 0.42.1, transformers 5.24.0:

  python Tests/Golden/make_pipelines.py
"""
import json, pathlib, shutil
import torch
from safetensors.torch import save_file
from diffusers import (AutoencoderKL, DDIMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler,
                       HeunDiscreteScheduler, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel,
                       UniPCMultistepScheduler)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

OUT = pathlib.Path(__file__).resolve().parent / "pipeline_text"
shutil.rmtree(OUT, ignore_errors=True)
(OUT / "tokenizer").mkdir(parents=True)
torch.manual_seed(5)


def byte_alphabet():
    shown = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    rest = [b for b in range(256) if b not in shown]
    return [chr(b) for b in shown] + [chr(256 + i) for i in range(len(rest))]


merges = ["c a", "ca t</w>", "d o", "do g</w>", "r e", "re d</w>", "a n", "an d</w>"]
letters = byte_alphabet()
tokens = letters + [letter + "</w>" for letter in letters] + [m.replace(" ", "") for m in merges]
tokens += ["<|startoftext|>", "<|endoftext|>"]
(OUT / "tokenizer/vocab.json").write_text(json.dumps({t: i for i, t in enumerate(tokens)}, ensure_ascii=False))
(OUT / "tokenizer/merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
(OUT / "tokenizer/tokenizer_config.json").write_text(json.dumps(dict(
    model_max_length=16, pad_token="<|endoftext|>", bos_token="<|startoftext|>", eos_token="<|endoftext|>",
    unk_token="<|endoftext|>", tokenizer_class="CLIPTokenizer")))
tokenizer = CLIPTokenizer.from_pretrained(OUT / "tokenizer")
assert len(tokenizer("a red cat").input_ids) == 5, tokenizer("a red cat").input_ids


def strengthened(model, factor):
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.dim() > 1: value.mul_(factor if "embedding" not in name else 8)
            elif value.dim() == 1: value.add_(0.1 * torch.randn_like(value))
    return model.half().float().eval()


text = strengthened(CLIPTextModel(CLIPTextConfig(
    vocab_size=len(tokens), hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4,
    max_position_embeddings=16, bos_token_id=len(tokens) - 2, eos_token_id=len(tokens) - 1, pad_token_id=len(tokens) - 1)), 1.5)
unet = strengthened(UNet2DConditionModel(
    sample_size=8, block_out_channels=(16, 32), layers_per_block=1, norm_num_groups=4, cross_attention_dim=24,
    down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    attention_head_dim=2), 1.5)
with torch.no_grad():
    for name, value in unet.named_parameters():
        if ".attn2." in name and value.dim() > 1: value.mul_(2.5)
    unet.conv_out.weight.mul_(0.5)
    unet.half().float()
vae = strengthened(AutoencoderKL(
    block_out_channels=(16, 16, 32), layers_per_block=1, norm_num_groups=4, latent_channels=4, sample_size=32,
    down_block_types=("DownEncoderBlock2D",) * 3, up_block_types=("UpDecoderBlock2D",) * 3), 1.2)
base = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000, steps_offset=1)
pipeline = StableDiffusionPipeline(
    vae=vae, text_encoder=text, tokenizer=tokenizer, unet=unet, safety_checker=None, feature_extractor=None,
    scheduler=PNDMScheduler(**base, skip_prk_steps=True, set_alpha_to_one=False), requires_safety_checker=False)
pipeline.set_progress_bar_config(disable=True)


def draw(scheduler, prompt="a red cat", negative="dog", guidance=5.0, seed=3, steps=6):
    pipeline.scheduler = scheduler
    picture = pipeline(prompt, negative_prompt=negative, guidance_scale=guidance, num_inference_steps=steps, height=32, width=40,
                       generator=[torch.Generator().manual_seed(seed + i) for i in range(2)], num_images_per_prompt=2, output_type="np").images
    return torch.from_numpy(picture)


schedulers = {
    "pndm": PNDMScheduler(**base, skip_prk_steps=True, set_alpha_to_one=False),
    "ddim": DDIMScheduler(**base, clip_sample=False, set_alpha_to_one=False),
    "euler": EulerDiscreteScheduler(**base),
    "heun": HeunDiscreteScheduler(**base),
    "dpm++2m": DPMSolverMultistepScheduler(**base),
    "unipc": UniPCMultistepScheduler(**base),
}
pictures = {name: draw(scheduler) for name, scheduler in schedulers.items()}
plain = pictures["ddim"]
for name, other in {"prompt": draw(schedulers["ddim"], prompt="dog and dog"), "negative": draw(schedulers["ddim"], negative=""),
                    "guidance": draw(schedulers["ddim"], guidance=2.0)}.items():
    moved = (plain - other).abs().mean().item()
    print(f"another {name} moves the mean pixel by {moved:.3f}")
    assert moved > 0.02, name
print({name: (round(p.min().item(), 3), round(p.mean().item(), 3), round(p.std().item(), 3)) for name, p in pictures.items()})
pipeline.scheduler = schedulers["pndm"]
pipeline.to(torch.float16).save_pretrained(OUT, safe_serialization=True)
shutil.rmtree(OUT / "tokenizer"); (OUT / "tokenizer").mkdir()
(OUT / "tokenizer/vocab.json").write_text(json.dumps({t: i for i, t in enumerate(tokens)}, ensure_ascii=False))
(OUT / "tokenizer/merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
(OUT / "tokenizer/tokenizer_config.json").write_text(json.dumps(dict(
    model_max_length=16, pad_token="<|endoftext|>", bos_token="<|startoftext|>", eos_token="<|endoftext|>")))
for name, scheduler in schedulers.items():
    folder = OUT / "schedulers" / name
    scheduler.save_pretrained(folder)
save_file({name: p.contiguous() for name, p in pictures.items()}, OUT / "pictures.safetensors")
