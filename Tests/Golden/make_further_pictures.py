#!/usr/bin/env python3
"""More pictures that diffusers draws with the small models of make_pipelines.py, make_picture_pipelines.py and
make_text_pipelines.py, which are read and not changed: other schedulers for pictures from pictures, models that are drawn with in
one to four steps without guidance, LoRA for a model with two text encoders: Tests/Golden/pipeline_further.

Each is compared with one of another prompt or without the adapter. Pictures are bytes. Made with torch 2.15.0, diffusers 0.42.1,
transformers 5.24.0, peft 0.21.2, Pillow 12:

  python Tests/Golden/make_further_pictures.py
"""
import pathlib, shutil
import numpy as np, torch
from PIL import Image
from safetensors.torch import load_file, save_file
from diffusers import (AutoencoderKL, DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler, EulerAncestralDiscreteScheduler,
                       EulerDiscreteScheduler, HeunDiscreteScheduler, LatentConsistencyModelImg2ImgPipeline, LCMScheduler, PNDMScheduler, StableDiffusionImg2ImgPipeline,
                       StableDiffusionInpaintPipeline, StableDiffusionPipeline, StableDiffusionUpscalePipeline,
                       StableDiffusionXLPipeline, UNet2DConditionModel, UniPCMultistepScheduler)
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

HERE = pathlib.Path(__file__).resolve().parent
OUT, TEXT, PICTURES, VARIANTS = (HERE / f"pipeline_{name}" for name in ("further", "text", "pictures", "variants"))
shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir()
torch.manual_seed(41)
whole = dict(torch_dtype=torch.float32)
base = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000, steps_offset=1)
ddim = DDIMScheduler(**base, clip_sample=False, set_alpha_to_one=False)
pndm = PNDMScheduler.from_pretrained(TEXT / "schedulers/pndm")
heun, unipc = HeunDiscreteScheduler(**base), UniPCMultistepScheduler(**base)
small, small_mask, tiny = (Image.open(PICTURES / f"{name}.png") for name in ("small", "small-mask", "tiny"))
results = {}


def seeds(draw, **options):
    """Two pictures of one seed each, 0...255."""
    made = [draw(generator=torch.Generator().manual_seed(seed), **options).images[0] for seed in (3, 4)]
    return torch.from_numpy(np.stack([(m * 255).round() for m in made]))


def common(**changes):
    return dict(dict(prompt="a red cat", negative_prompt="dog", guidance_scale=5.0, num_inference_steps=6, output_type="np"), **changes)


def keep(name, pipe, least=0.01, **options):
    if hasattr(pipe, "set_progress_bar_config"): pipe.set_progress_bar_config(disable=True)
    results[name] = seeds(pipe, **common(**options))
    moved = (results[name] - seeds(pipe, **common(**dict(options, prompt="dog and dog")))).abs().mean().item() / 255
    print(f"{name}: another prompt moves the mean pixel by {moved:.3f}")
    assert moved > least, name


# --- Pictures from pictures.
text = StableDiffusionPipeline.from_pretrained(TEXT, **whole)
vae = AutoencoderKL.from_pretrained(PICTURES / "vae", **whole)
parts = dict(vae=vae, text_encoder=text.text_encoder, tokenizer=text.tokenizer, safety_checker=None, feature_extractor=None,
             requires_safety_checker=False)
pipe = StableDiffusionImg2ImgPipeline(unet=text.unet, scheduler=pndm, **parts)
keep("image.pndm", pipe, image=small, strength=0.7)
pipe.scheduler = LCMScheduler.from_config(ddim.config)
keep("image.lcm", pipe, image=small, strength=0.7, guidance_scale=1.8)
# A distilled network makes all steps, over what strength leaves of its timesteps.
pipe = LatentConsistencyModelImg2ImgPipeline(
    unet=UNet2DConditionModel.from_pretrained(HERE / "adapters/lcm_unet", **whole),
    scheduler=LCMScheduler(**{k: v for k, v in base.items() if k != "steps_offset"}), **parts)
pipe.scheduler.save_pretrained(OUT / "lcm")
keep("image.lcm.distilled", lambda negative_prompt, **o: pipe(**o), image=small, strength=0.6, guidance_scale=8.5, num_inference_steps=4)
masked = dict(image=small, mask_image=small_mask, height=32, width=40)
keep("held.pndm", StableDiffusionInpaintPipeline(unet=text.unet, scheduler=pndm, **parts), 0.004, **masked, strength=0.7)
pipe = StableDiffusionInpaintPipeline(
    unet=UNet2DConditionModel.from_pretrained(PICTURES / "inpainting/unet", **whole), scheduler=pndm, **parts)
for name, pipe.scheduler in dict(pndm=pndm, unipc=unipc, heun=heun).items():
    keep(f"inpainting.{name}", pipe, **masked, strength=1.0)

# --- x4 upscaling.
steps = dict(beta_start=0.0001, beta_end=0.02, beta_schedule="scaled_linear", num_train_timesteps=1000, prediction_type="v_prediction")
vae.register_to_config(scaling_factor=0.08333)
pipe = StableDiffusionUpscalePipeline(
    vae=vae, text_encoder=text.text_encoder, tokenizer=text.tokenizer, scheduler=ddim,
    unet=UNet2DConditionModel.from_pretrained(PICTURES / "upscaler/unet", **whole),
    low_res_scheduler=DDPMScheduler.from_pretrained(PICTURES / "upscaler/low_res_scheduler"))
for name, kind in {"euler": EulerDiscreteScheduler, "dpm++2m": DPMSolverMultistepScheduler, "heun": HeunDiscreteScheduler,
                   "unipc": UniPCMultistepScheduler, "pndm": PNDMScheduler}.items():
    pipe.scheduler = kind(**steps, skip_prk_steps=True) if kind is PNDMScheduler else kind(**steps)
    pipe.scheduler.save_pretrained(OUT / "upscaler" / name)
    keep(f"upscaler.{name}", pipe, image=tiny, noise_level=20)
vae.register_to_config(scaling_factor=0.13025)

# --- One to four steps without guidance, by the schedulers of SD-Turbo's and SDXL-Turbo's folders.
size = dict(height=32, width=40)
turbo = dict(base, timestep_spacing="trailing", prediction_type="epsilon")
for name, kind in {"sd-turbo": EulerDiscreteScheduler, "sdxl-turbo": EulerAncestralDiscreteScheduler}.items():
    kind(**turbo).save_pretrained(OUT / name)
vae.register_to_config(scaling_factor=0.18215)
text.scheduler = EulerDiscreteScheduler(**turbo)
large = dict(
    vae=AutoencoderKL.from_pretrained(PICTURES / "vae", **whole), text_encoder=CLIPTextModel.from_pretrained(TEXT / "text_encoder", dtype=torch.float32),
    text_encoder_2=CLIPTextModelWithProjection.from_pretrained(VARIANTS / "sdxl/text_encoder_2", dtype=torch.float32), tokenizer=text.tokenizer,
    tokenizer_2=CLIPTokenizer.from_pretrained(VARIANTS / "sdxl/tokenizer_2"))
large["vae"].register_to_config(scaling_factor=0.13025)


def two_encoders(scheduler):
    pipe = StableDiffusionXLPipeline(unet=UNet2DConditionModel.from_pretrained(VARIANTS / "sdxl/unet", **whole), scheduler=scheduler,
                                     add_watermarker=False, **large)
    pipe.set_progress_bar_config(disable=True)
    return pipe


pipe = two_encoders(EulerAncestralDiscreteScheduler(**turbo))
for count in (1, 4):
    quick = dict(size, num_inference_steps=count, guidance_scale=0.0)
    keep(f"sd-turbo.{count}", text, **quick)
    keep(f"sdxl-turbo.{count}", pipe, **quick)
keep("sdxl-turbo.half", pipe, **dict(quick, guidance_scale=0.5))   # no guidance either

# --- LoRA for two text encoders.
pipe = two_encoders(EulerDiscreteScheduler(**base))
plain = seeds(pipe, **common(**size))
factors = {"unet": 0.15, "text_encoder": 0.3, "text_encoder_2": 0.3}
layers = {"unet": r".*(attn2\.to_[qkv]|attn1\.to_out\.0|proj_out|conv2|linear_1)", "text_encoder": r".*(q_proj|fc1)",
          "text_encoder_2": r".*(v_proj|fc2)"}
states = {}
for part, names in layers.items():
    model = getattr(pipe, part)
    inject_adapter_in_model(LoraConfig(r=2, lora_alpha=4, target_modules=names, init_lora_weights=False), model)
    for module in model.modules():
        if isinstance(module, LoraLayer): module.set_scale("default", 0.8)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if ".lora_" in name: value.copy_((factors[part] * torch.randn_like(value)).half().float())
    states[part] = {name.replace(".default", ""): value.detach().half() for name, value in model.named_parameters() if ".lora_" in name}
results["sdxl.lora"] = seeds(pipe, **common(**size))
for part in layers:   # each of the three shows
    for module in getattr(pipe, part).modules():
        if isinstance(module, LoraLayer): module.set_scale("default", 0.0)
    moved = (results["sdxl.lora"] - seeds(pipe, **common(**size))).abs().mean().item() / 255
    print(f"sdxl.lora: without that of {part} the mean pixel moves by {moved:.3f}")
    assert moved > 0.01
    for module in getattr(pipe, part).modules():
        if isinstance(module, LoraLayer): module.set_scale("default", 0.8)
assert (results["sdxl.lora"] - plain).abs().mean() / 255 > 0.02
prefixes = {"unet": "lora_unet_", "text_encoder": "lora_te1_text_model_", "text_encoder_2": "lora_te2_text_model_"}
kohya = {}
for part, state in states.items():
    for name, value in state.items():
        layer, half = name.replace(".lora_A.weight", "|down").replace(".lora_B.weight", "|up").split("|")
        key = prefixes[part] + layer.removeprefix("text_model.").replace(".", "_")
        kohya[f"{key}.lora_{half}.weight"], kohya[f"{key}.alpha"] = value, torch.tensor(4.0)
save_file(kohya, OUT / "kohya.safetensors")
# peft's names have no alpha without a configuration: alpha over the rank is in the numbers.
scaled = {part: {k: v * (2 if ".lora_B." in k else 1) for k, v in state.items()} for part, state in states.items()}
for part in ("text_encoder", "text_encoder_2"):
    scaled[part] = {f"text_model.{k.removeprefix('text_model.')}": v for k, v in scaled[part].items()}
save_file({f"{part}.{k}": v for part, state in scaled.items() for k, v in state.items()}, OUT / "peft.safetensors")
StableDiffusionXLPipeline.save_lora_weights(
    OUT, unet_lora_layers=convert_state_dict_to_diffusers(scaled["unet"]),
    text_encoder_lora_layers=convert_state_dict_to_diffusers(scaled["text_encoder"]),
    text_encoder_2_lora_layers=convert_state_dict_to_diffusers(scaled["text_encoder_2"]), weight_name="diffusers.safetensors")
for name in ("kohya", "diffusers"): print(name, list(load_file(OUT / f"{name}.safetensors"))[::40])
save_file({name: p.byte().contiguous() for name, p in results.items()}, OUT / "pictures.safetensors")
print({name: (tuple(p.shape), round(p.mean().item(), 1), round(p.std().item(), 1)) for name, p in results.items()})
