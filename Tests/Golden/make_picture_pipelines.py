#!/usr/bin/env python3
"""Pictures that diffusers draws from pictures: image to image, inpainting by networks with and without channels for the mask, the
masked area alone, and x4 upscaling, with the small models of make_pipelines.py, a small inpainting U-Net and a small upscaler:
Tests/Golden/pipeline_pictures.

As there, the script ends where another prompt, negative prompt, guidance or picture does not give clearly another picture. Pictures
are bytes. Made with torch 2.15.0, diffusers 0.42.1, transformers 5.24.0, Pillow 12:

  python Tests/Golden/make_picture_pipelines.py
"""
import pathlib, shutil
import numpy as np, torch
from PIL import Image
from safetensors.torch import save_file
from diffusers import (AutoencoderKL, DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler, EulerAncestralDiscreteScheduler,
                       EulerDiscreteScheduler, HeunDiscreteScheduler, StableDiffusionImg2ImgPipeline, StableDiffusionInpaintPipeline,
                       StableDiffusionPipeline, StableDiffusionUpscalePipeline, UNet2DConditionModel, UniPCMultistepScheduler)

HERE = pathlib.Path(__file__).resolve().parent
OUT, TEXT = HERE / "pipeline_pictures", HERE / "pipeline_text"
shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir()
torch.manual_seed(11)

# --- A picture of 80 x 64 with shapes of all sizes, and masks for it.
y, x = np.mgrid[0:64, 0:80]
picture = np.stack([x * 3 % 256, (y * 4 + x) % 256, ((x // 8 + y // 8) % 2) * 160 + 40], axis=-1).astype(np.uint8)
picture[(x - 50) ** 2 + (y - 30) ** 2 < 200] = (250, 60, 20)
picture = Image.fromarray(picture)
mask = Image.fromarray((((x - 46) ** 2 + (y - 34) ** 2 < 160) * 255).astype(np.uint8))
soft = Image.fromarray(np.clip(255 * (1.5 - np.hypot(x - 46, y - 34) / 12), 0, 255).astype(np.uint8))
small, small_mask = picture.resize((40, 32), Image.LANCZOS), mask.resize((40, 32), Image.NEAREST)
picture.save(OUT / "picture.png"); mask.save(OUT / "mask.png"); soft.save(OUT / "soft.png")
small.save(OUT / "small.png"); small_mask.save(OUT / "small-mask.png")

base = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000, steps_offset=1)
schedulers = {
    "ddim": DDIMScheduler(**base, clip_sample=False, set_alpha_to_one=False),
    "euler": EulerDiscreteScheduler(**base),
    "dpm++2m": DPMSolverMultistepScheduler(**base),
    "heun": HeunDiscreteScheduler(**base),
    "unipc": UniPCMultistepScheduler(**base),
    "euler-ancestral": EulerAncestralDiscreteScheduler(**base),
}
def strengthened(model, factor):
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.dim() > 1: value.mul_(factor if "embedding" not in name else 8)
            elif value.dim() == 1: value.add_(0.1 * torch.randn_like(value))
            if ".attn2." in name and value.dim() > 1: value.mul_(2.5)
        if hasattr(model, "conv_out"): model.conv_out.weight.mul_(0.5)
    return model.half().float().eval()


text = StableDiffusionPipeline.from_pretrained(TEXT, torch_dtype=torch.float32)
vae = strengthened(AutoencoderKL(
    block_out_channels=(8, 16, 16), layers_per_block=1, norm_num_groups=4, latent_channels=4, sample_size=32,
    down_block_types=("DownEncoderBlock2D",) * 3, up_block_types=("UpDecoderBlock2D",) * 3), 1.2)
with torch.no_grad():
    # A latent of variance 1 for the U-Net that follows the picture, with a little of its own noise.
    pixels = torch.from_numpy(np.asarray(small)).permute(2, 0, 1)[None] / 127.5 - 1
    mean = vae.encode(pixels).latent_dist.mean
    scale = 1 / 0.18215 / mean.std(dim=(0, 2, 3))
    vae.quant_conv.bias[:4] = (vae.quant_conv.bias[:4] - mean.mean(dim=(0, 2, 3))) * scale
    vae.quant_conv.weight[:4] *= scale[:, None, None, None]
    vae.quant_conv.weight[4:] *= 0.1
    vae.quant_conv.bias[4:] = 0.5
vae.half().float()
vae.half().save_pretrained(OUT / "vae"); vae.float()
parts = dict(vae=vae, text_encoder=text.text_encoder, tokenizer=text.tokenizer, safety_checker=None, feature_extractor=None,
             requires_safety_checker=False)
results = {}


def seeds(draw, **options):
    """Two pictures of one seed each, 0...255."""
    made = [draw(generator=torch.Generator().manual_seed(seed), **options).images[0] for seed in (3, 4)]
    return torch.from_numpy(np.stack([np.asarray(m).astype(np.float32) if isinstance(m, Image.Image) else (m * 255).round() for m in made]))


def moved(name, one, other, least=0.02):
    change = (one - other).abs().mean().item() / 255
    print(f"{name}: the mean pixel moves by {change:.3f}")
    assert change > least, name


def common(**changes):
    return dict(dict(prompt="a red cat", negative_prompt="dog", guidance_scale=5.0, num_inference_steps=6, output_type="np"), **changes)


def varied(name, draw, plain, least=0.02):
    for part, change in {"prompt": dict(prompt="dog and dog"), "negative": dict(negative_prompt=""),
                         "guidance": dict(guidance_scale=2.0)}.items():
        moved(f"{name}, another {part}", plain, seeds(draw, **common(**change)), least)


# --- Image to image.
pipe = StableDiffusionImg2ImgPipeline(unet=text.unet, scheduler=schedulers["ddim"], **parts)
pipe.set_progress_bar_config(disable=True)
for name, scheduler in schedulers.items():
    pipe.scheduler = scheduler
    results[f"image.{name}"] = seeds(pipe, image=small, strength=0.7, **common())
pipe.scheduler = schedulers["ddim"]
varied("image", lambda **o: pipe(image=small, strength=0.7, **o), results["image.ddim"])
moved("image, another strength", results["image.ddim"], seeds(pipe, image=small, strength=0.4, **common()))
moved("image, another picture", results["image.ddim"], seeds(pipe, image=small.rotate(180), strength=0.7, **common()))

# --- Inpainting by a network without channels for the mask.
pipe = StableDiffusionInpaintPipeline(unet=text.unet, scheduler=schedulers["ddim"], **parts)
pipe.set_progress_bar_config(disable=True)
whole = dict(image=small, mask_image=small_mask, height=32, width=40)
for name, scheduler in schedulers.items():
    pipe.scheduler = scheduler
    results[f"held.{name}"] = seeds(pipe, **whole, strength=0.7, **common())
pipe.scheduler = schedulers["ddim"]
results["held.ddim.full"] = seeds(pipe, **whole, strength=1.0, **common())
varied("held", lambda **o: pipe(strength=1.0, **whole, **o), results["held.ddim.full"], 0.01)   # a tenth of the picture is painted
# The mask has the proportion of what is drawn when padded by 6 pixels (36 x 36 -> 32 x 32), so that no edge is filled.
area = dict(image=picture, height=32, width=32, padding_mask_crop=6)
results["area"] = seeds(pipe, mask_image=mask, strength=0.7, **area, **common(output_type="pil"))
results["area.soft"] = seeds(pipe, mask_image=soft, strength=0.7, **area, **common(output_type="pil"))

# --- Inpainting by a network with them.
network = dict(sample_size=8, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4, cross_attention_dim=24,
               down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"))
unet = strengthened(UNet2DConditionModel(**network, in_channels=9, attention_head_dim=2), 1.6)
pipe = StableDiffusionInpaintPipeline(unet=unet, scheduler=schedulers["ddim"], **parts)
pipe.set_progress_bar_config(disable=True)
for name in ["ddim", "euler", "dpm++2m"]:
    pipe.scheduler = schedulers[name]
    results[f"inpainting.{name}"] = seeds(pipe, **whole, strength=1.0, **common())
pipe.scheduler = schedulers["ddim"]
results["inpainting.ddim.part"] = seeds(pipe, **whole, strength=0.7, **common())
varied("inpainting", lambda **o: pipe(strength=1.0, **whole, **o), results["inpainting.ddim"])
moved("inpainting, another picture", results["inpainting.ddim"],
      seeds(pipe, **dict(whole, image=small.rotate(180)), strength=1.0, **common()))
unet.half().save_pretrained(OUT / "inpainting/unet")

# --- x4 upscaling: an autoencoder that reduces by four, v-prediction, the noise level as a class.
unet = strengthened(UNet2DConditionModel(
    **network, in_channels=7, attention_head_dim=2, num_class_embeds=1000, only_cross_attention=(True, False),
    use_linear_projection=True), 1.6)
vae.register_to_config(scaling_factor=0.08333)
steps = dict(beta_start=0.0001, beta_end=0.02, beta_schedule="scaled_linear", num_train_timesteps=1000)
pipe = StableDiffusionUpscalePipeline(
    vae=vae, text_encoder=text.text_encoder, tokenizer=text.tokenizer, unet=unet, low_res_scheduler=DDPMScheduler(**steps),
    scheduler=DDIMScheduler(**steps, clip_sample=False, prediction_type="v_prediction", set_alpha_to_one=False, steps_offset=1))
pipe.set_progress_bar_config(disable=True)
tiny = picture.resize((18, 14), Image.LANCZOS)   # brought to 16 x 12, multiples of four
tiny.save(OUT / "tiny.png")
results["upscaler"] = seeds(pipe, image=tiny, noise_level=20, **common())
varied("upscaler", lambda **o: pipe(image=tiny, noise_level=20, **o), results["upscaler"])
moved("upscaler, another level", results["upscaler"], seeds(pipe, image=tiny, noise_level=300, **common()))
moved("upscaler, another picture", results["upscaler"], seeds(pipe, image=tiny.rotate(180), noise_level=20, **common()))
pipe.unet.half().save_pretrained(OUT / "upscaler/unet")
pipe.vae.save_config(OUT / "upscaler/vae")   # its weights are those of vae
for name in ["scheduler", "low_res_scheduler"]: getattr(pipe, name).save_pretrained(OUT / "upscaler" / name)
(OUT / "upscaler/model_index.json").write_text((
    '{"_class_name": "StableDiffusionUpscalePipeline", "text_encoder": ["transformers", "CLIPTextModel"], '
    '"tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"], '
    '"vae": ["diffusers", "AutoencoderKL"], "scheduler": ["diffusers", "DDIMScheduler"], '
    '"low_res_scheduler": ["diffusers", "DDPMScheduler"], "max_noise_level": 350}\n'))
EulerAncestralDiscreteScheduler(**base).save_pretrained(OUT / "schedulers/euler-ancestral")
save_file({name: p.byte().contiguous() for name, p in results.items()}, OUT / "pictures.safetensors")
print({name: (tuple(p.shape), round(p.mean().item(), 1), round(p.std().item(), 1)) for name, p in results.items()})
