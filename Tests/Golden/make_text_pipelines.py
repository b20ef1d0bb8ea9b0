#!/usr/bin/env python3
"""Pictures that diffusers draws from texts with small models of Stable Diffusion 2's and SDXL's kind: Tests/Golden/pipeline_variants.

The first has v-prediction, linear projections and GELU; the second two text encoders, a pooled text, sizes, a padding token of its
own and zeros where there is no negative prompt; and its refiner. Beside them two pictures of mixed noises and texts. Parts that are missing are those of pipeline_text and pipeline_pictures. As in
make_pipelines.py, the script ends where another prompt, negative prompt or guidance does not give clearly another picture. Pictures
are bytes. Made with torch 2.15.0, diffusers 0.42.1, transformers 5.24.0, after make_picture_pipelines.py:

  python Tests/Golden/make_text_pipelines.py
"""
import json, pathlib, shutil
import numpy as np, torch
from safetensors.torch import load_file, save_file
from diffusers import (AutoencoderKL, DDIMScheduler, EulerDiscreteScheduler, StableDiffusionPipeline, StableDiffusionXLImg2ImgPipeline,
                       StableDiffusionXLPipeline, UNet2DConditionModel)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
OUT, TEXT, PICTURES = HERE / "pipeline_variants", HERE / "pipeline_text", HERE / "pipeline_pictures"
shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir()
torch.manual_seed(27)
tokens = len(json.loads((TEXT / "tokenizer/vocab.json").read_text()))
tokenizer = CLIPTokenizer.from_pretrained(TEXT / "tokenizer")
vae = AutoencoderKL.from_pretrained(PICTURES / "vae", torch_dtype=torch.float32)
results = {}


def strengthened(model, factor, attention=5):
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.dim() > 1: value.mul_(factor if "embedding" not in name else 8)
            elif value.dim() == 1: value.add_(0.1 * torch.randn_like(value))
            if ".attn2." in name and value.dim() > 1: value.mul_(attention)
        if hasattr(model, "conv_out"): model.conv_out.weight.mul_(0.5)
    return model.half().float().eval()


def text_model(kind, **options):
    return strengthened(kind(CLIPTextConfig(**{**dict(
        vocab_size=tokens, hidden_size=24, intermediate_size=40, num_hidden_layers=3, num_attention_heads=4, hidden_act="gelu",
        max_position_embeddings=16, bos_token_id=tokens - 2, eos_token_id=tokens - 1, pad_token_id=tokens - 1), **options})), 1.8)


def seeds(pipe, **options):
    made = [pipe(generator=torch.Generator().manual_seed(seed), **options).images[0] for seed in (3, 4)]
    return torch.from_numpy(np.stack([(m * 255).round() for m in made]))


def common(**changes):
    return dict(dict(prompt="a red cat", negative_prompt="dog", guidance_scale=5.0, num_inference_steps=6, height=32, width=40,
                     output_type="np"), **changes)


def varied(name, pipe, plain):
    pipe.set_progress_bar_config(disable=True)
    for part, change in {"prompt": dict(prompt="dog and dog"), "negative": dict(negative_prompt=None),
                         "guidance": dict(guidance_scale=2.0)}.items():
        change = (plain - seeds(pipe, **common(**change))).abs().mean().item() / 255
        print(f"{name}, another {part}: the mean pixel moves by {change:.3f}")
        assert change > 0.02, name


network = dict(sample_size=8, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4, use_linear_projection=True,
               down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"))
base = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000, steps_offset=1)

# --- Stable Diffusion 2.
unet = strengthened(UNet2DConditionModel(**network, cross_attention_dim=24, attention_head_dim=(2, 4)), 1.6)
pipe = StableDiffusionPipeline(
    vae=vae, text_encoder=text_model(CLIPTextModel), tokenizer=tokenizer, unet=unet, safety_checker=None, feature_extractor=None,
    requires_safety_checker=False, scheduler=DDIMScheduler(**base, clip_sample=False, set_alpha_to_one=False, prediction_type="v_prediction"))
results["sd2.ddim"] = seeds(pipe, **common())
varied("sd2", pipe, results["sd2.ddim"])
for name in ["unet", "text_encoder"]: getattr(pipe, name).half().save_pretrained(OUT / "sd2" / name)
pipe.scheduler.save_pretrained(OUT / "sd2/scheduler")
pipe.to(torch.float32)
pipe.scheduler = EulerDiscreteScheduler(**base, prediction_type="v_prediction")
pipe.scheduler.save_pretrained(OUT / "sd2/schedulers/euler")
results["sd2.euler"] = seeds(pipe, **common())

# --- SDXL.
unet = strengthened(UNet2DConditionModel(
    **network, cross_attention_dim=40, attention_head_dim=(2, 4), transformer_layers_per_block=(1, 2), addition_embed_type="text_time",
    addition_time_embed_dim=8, projection_class_embeddings_input_dim=20 + 6 * 8), 1.6)
(OUT / "sdxl/tokenizer_2").mkdir(parents=True)
for name in ["vocab.json", "merges.txt"]: shutil.copy(TEXT / "tokenizer" / name, OUT / "sdxl/tokenizer_2")
(OUT / "sdxl/tokenizer_2/tokenizer_config.json").write_text(json.dumps(dict(
    model_max_length=16, pad_token="!", bos_token="<|startoftext|>", eos_token="<|endoftext|>", unk_token="<|endoftext|>",
    tokenizer_class="CLIPTokenizer")))
vae.register_to_config(scaling_factor=0.13025)
vae.save_config(OUT / "sdxl/vae")   # its weights are those of pipeline_pictures
parts = dict(
    vae=vae, text_encoder=CLIPTextModel.from_pretrained(TEXT / "text_encoder", dtype=torch.float32), tokenizer=tokenizer, unet=unet,
    text_encoder_2=text_model(CLIPTextModelWithProjection, hidden_size=16, projection_dim=20),
    tokenizer_2=CLIPTokenizer.from_pretrained(OUT / "sdxl/tokenizer_2"), scheduler=EulerDiscreteScheduler(**base))
pipe = StableDiffusionXLPipeline(**parts, add_watermarker=False)
results["sdxl"] = seeds(pipe, **common())
varied("sdxl", pipe, results["sdxl"])
results["sdxl.no-negative"] = seeds(pipe, **common(negative_prompt=None))
moved = (results["sdxl.no-negative"] - seeds(pipe, **common(negative_prompt=""))).abs().mean().item() / 255
print(f"sdxl, an empty negative prompt for none: the mean pixel moves by {moved:.3f}")
assert moved > 0.02
image = StableDiffusionXLImg2ImgPipeline(**parts, add_watermarker=False)
picture = Image.open(PICTURES / "small.png")
options = common(); options.pop("height"); options.pop("width")
results["sdxl.image"] = seeds(image, image=picture, strength=0.7, **options)

# --- SDXL's refiner: the second encoder alone, five numbers for the size, of which the last is an aesthetic score.
torch.manual_seed(32)
refiner = strengthened(UNet2DConditionModel(
    **dict(network, block_out_channels=(4, 8)), cross_attention_dim=16, attention_head_dim=(2, 4), addition_embed_type="text_time",
    addition_time_embed_dim=8, projection_class_embeddings_input_dim=20 + 5 * 8), 1.3, attention=3)
image = StableDiffusionXLImg2ImgPipeline(
    **dict(parts, unet=refiner, text_encoder=None, tokenizer=None), requires_aesthetics_score=True, add_watermarker=False)
image.set_progress_bar_config(disable=True)
results["refiner"] = seeds(image, image=picture, strength=0.7, **options)
for name, change in {"score": dict(aesthetic_score=2.0), "negative score": dict(negative_aesthetic_score=6.0)}.items():
    moved = (results["refiner"] - seeds(image, image=picture, strength=0.7, **options, **change)).abs().mean().item() / 255
    print(f"refiner, another {name}: the mean pixel moves by {moved:.4f}")
    assert moved > 0.004
refiner.half().save_pretrained(OUT / "refiner/unet")
(OUT / "refiner/model_index.json").write_text(json.dumps({
    "_class_name": "StableDiffusionXLImg2ImgPipeline", "force_zeros_for_empty_prompt": False, "requires_aesthetics_score": True,
    "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"],
    "scheduler": ["diffusers", "EulerDiscreteScheduler"], "text_encoder": [None, None],
    "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"], "tokenizer": [None, None],
    "tokenizer_2": ["transformers", "CLIPTokenizer"]}) + "\n")

# --- Noise of two seeds as AUTOMATIC1111's web UI mixes it (column by column of a latent), and a frame of a film.
def mixed(share, low, high):
    norm = lambda x: x / torch.norm(x, dim=1, keepdim=True)
    omega = torch.acos((norm(low) * norm(high)).sum(1))
    return ((torch.sin((1 - share) * omega) / torch.sin(omega)).unsqueeze(1) * low
            + (torch.sin(share * omega) / torch.sin(omega)).unsqueeze(1) * high)


def noise(seed): return torch.randn(1, 4, 8, 10, generator=torch.Generator().manual_seed(seed))


plain = StableDiffusionPipeline.from_pretrained(TEXT, torch_dtype=torch.float32)
plain.set_progress_bar_config(disable=True)
plain.scheduler = DDIMScheduler(**base, clip_sample=False, set_alpha_to_one=False)
def drawn(**changes): return torch.from_numpy((plain(**common(**changes)).images[0] * 255).round())[None]
results["variation"] = drawn(latents=mixed(0.3, noise(3)[0], noise(9)[0])[None])
one, other = noise(3), noise(9)
omega = torch.acos((one * other).sum() / one.norm() / other.norm())
states = [plain.encode_prompt(p, "cpu", 1, True, "dog") for p in ("a red cat", "dog and dog")]
results["film"] = drawn(
    prompt=None, negative_prompt=None, latents=(torch.sin(0.75 * omega) * one + torch.sin(0.25 * omega) * other) / torch.sin(omega),
    prompt_embeds=0.75 * states[0][0] + 0.25 * states[1][0], negative_prompt_embeds=states[0][1])
for name in ["unet", "text_encoder_2"]: getattr(pipe, name).half().save_pretrained(OUT / "sdxl" / name)
pipe.scheduler.save_pretrained(OUT / "sdxl/scheduler")
(OUT / "sdxl/model_index.json").write_text(json.dumps({
    "_class_name": "StableDiffusionXLPipeline", "force_zeros_for_empty_prompt": True, "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"], "scheduler": ["diffusers", "EulerDiscreteScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"], "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
    "tokenizer": ["transformers", "CLIPTokenizer"], "tokenizer_2": ["transformers", "CLIPTokenizer"]}) + "\n")
save_file({name: p.byte().contiguous() for name, p in results.items()}, OUT / "pictures.safetensors")
print({name: (tuple(p.shape), round(p.mean().item(), 1), round(p.std().item(), 1)) for name, p in results.items()})
