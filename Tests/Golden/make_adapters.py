#!/usr/bin/env python3
"""Adapters for the small model of pipeline_text, and what diffusers and peft make of them: Tests/Golden/adapters.

LoRA under kohya's, CompVis', diffusers' and peft's names (the same numbers), LoCon with a middle, textual inversions, weights
of words computed from transformers' states, a latent consistency model. Made with torch 2.15.0, diffusers 0.42.1, transformers
5.24.0, peft 0.21.2:

  python Tests/Golden/make_adapters.py
"""
import json, pathlib, shutil
import torch
from diffusers import (DDIMScheduler, LatentConsistencyModelPipeline, LCMScheduler, StableDiffusionPipeline,
                       UNet2DConditionModel)
from diffusers.utils import convert_state_dict_to_diffusers, convert_state_dict_to_kohya
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE / "adapters"
shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir()
torch.manual_seed(11)
base = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000, steps_offset=1)
out = {}


def fresh():
    pipeline = StableDiffusionPipeline.from_pretrained(HERE / "pipeline_text", torch_dtype=torch.float32, safety_checker=None,
                                                       requires_safety_checker=False)
    pipeline.scheduler = DDIMScheduler(**base, clip_sample=False, set_alpha_to_one=False)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def draw(pipeline, prompt="a red cat", **more):
    more = dict(dict(negative_prompt="dog", guidance_scale=5.0, num_inference_steps=6), **more)
    if "prompt_embeds" not in more: more["prompt"] = prompt
    return torch.from_numpy(pipeline(height=32, width=40, generator=[torch.Generator().manual_seed(3)], output_type="np",
                                     **more).images)


def moved(name, picture, plain):
    difference = (picture - plain).abs().mean().item()
    print(f"{name} moves the mean pixel by {difference:.3f}")
    assert difference > 0.01, name
    out[f"picture_{name}"] = picture


plain = draw(fresh())
x, states = torch.randn(2, 4, 8, 8), torch.randn(2, 16, 24)
out.update(x=x, states=states)


def answer(pipeline):
    with torch.no_grad():
        return pipeline.unet(x, torch.tensor([700, 30]), encoder_hidden_states=states).sample


# LoRA.
UNET = r".*(attn2\.to_[qkv]|attn1\.to_q|attn1\.to_out\.0|proj_in|ff\.net\.0\.proj|conv1|downsamplers\.0\.conv|time_emb_proj)"
unet_config = LoraConfig(r=2, lora_alpha=3, target_modules=UNET, init_lora_weights=False)
text_config = LoraConfig(r=2, lora_alpha=5, target_modules=r".*(q_proj|fc1)", init_lora_weights=False)
pipeline = fresh()
inject_adapter_in_model(unet_config, pipeline.unet)
inject_adapter_in_model(text_config, pipeline.text_encoder)
with torch.no_grad():
    for model in (pipeline.unet, pipeline.text_encoder):
        for name, value in model.named_parameters():
            if ".lora_" in name: value.copy_((0.25 * torch.randn_like(value)).half().float())


def low_rank(model):
    return {name.replace(".default", ""): value.detach().half() for name, value in model.named_parameters() if ".lora_" in name}


unet_sd, text_sd = low_rank(pipeline.unet), low_rank(pipeline.text_encoder)
assert sum(v.dim() == 4 and v.shape[-1] == 3 for v in unet_sd.values()) > 2
StableDiffusionPipeline.save_lora_weights(
    OUT, unet_lora_layers=convert_state_dict_to_diffusers(unet_sd),
    text_encoder_lora_layers=convert_state_dict_to_diffusers(text_sd), weight_name="diffusers.safetensors",
    unet_lora_adapter_metadata=json.loads(json.dumps(unet_config.to_dict(), default=list)),
    text_encoder_lora_adapter_metadata=json.loads(json.dumps(text_config.to_dict(), default=list)))
(OUT / "peft").mkdir()
save_file({f"base_model.model.{k}": v for k, v in unet_sd.items()}, OUT / "peft/adapter_model.safetensors")
(OUT / "peft/adapter_config.json").write_text(json.dumps(dict(peft_type="LORA", r=2, lora_alpha=3)))


def kohya(sd, prefix, alpha, rename=lambda name: name):
    result = {}
    for name, value in sd.items():
        layer, half = name.replace(".lora_A.weight", "|down").replace(".lora_B.weight", "|up").split("|")
        key = prefix + rename(layer).replace(".", "_")
        result[f"{key}.lora_{half}.weight"] = value
        result[f"{key}.alpha"] = torch.tensor(float(alpha))
    return result


PARTS = {"conv1": "in_layers.2", "conv2": "out_layers.3", "time_emb_proj": "emb_layers.1", "conv_shortcut": "skip_connection"}


def compvis(layer):
    """The names of CompVis' UNetModel with one layer a level and two levels."""
    is_middle = layer.startswith("mid_block.")
    side, rest = ("mid", layer.removeprefix("mid_block.")) if is_middle else layer.split("_blocks.", 1)
    level, kind, index, *tail = rest.split(".") if side != "mid" else ["0"] + rest.split(".")
    level, index, tail = int(level), int(index), ".".join(tail)
    if kind == "resnets": tail = PARTS[tail]
    if side == "mid": return f"middle_block.{1 if kind == 'attentions' else 2 * index}.{tail}"
    if kind == "downsamplers": return f"input_blocks.{2 * level + 2}.0.op"
    block = f"input_blocks.{2 * level + 1}" if side == "down" else f"output_blocks.{2 * level + index}"
    return f"{block}.{0 if kind == 'resnets' else 1}.{tail}"


text_keys = kohya({f"text_model.{k.removeprefix('text_model.')}": v for k, v in text_sd.items()}, "lora_te_", 5)
save_file(kohya(unet_sd, "lora_unet_", 3) | text_keys, OUT / "kohya.safetensors")
save_file(kohya(unet_sd, "lora_unet_", 3, compvis) | text_keys, OUT / "compvis.safetensors")
# diffusers before 0.18: attention processors alone, no alpha, no prefix.
old = {}
for name, value in unet_sd.items():
    if ".attn" in name:
        layer, half = name.replace(".lora_A.weight", "|down").replace(".lora_B.weight", "|up").split("|")
        start, last = layer.replace("to_out.0", "to_out").rsplit(".", 1)
        old[f"{start}.processor.{last}_lora.{half}.weight"] = value
save_file(old, OUT / "processors.safetensors")


def scaled(factor):
    for model in (pipeline.unet, pipeline.text_encoder):
        for module in model.modules():
            if isinstance(module, LoraLayer): module.set_scale("default", factor)


out["unet_plain"] = answer(fresh())
scaled(0.7)
out["unet_lora"] = answer(pipeline)
moved("lora", draw(pipeline), plain)

# LoCon with a middle, beside the LoRA at -0.5.
weight = pipeline.unet.mid_block.resnets[0].conv2.weight
locon = dict(lora_up=torch.randn(weight.shape[0], 3, 1, 1), lora_mid=torch.randn(3, 3, 3, 3), lora_down=torch.randn(3, weight.shape[1], 1, 1))
locon = {f"lora_unet_mid_block_resnets_0_conv2.{k}.weight": (0.3 * v).half() for k, v in locon.items()}
locon["lora_unet_mid_block_resnets_0_conv2.alpha"] = torch.tensor(1.5)
save_file(locon, OUT / "locon.safetensors")
up, mid, down = (locon[f"lora_unet_mid_block_resnets_0_conv2.lora_{k}.weight"].float() for k in ("up", "mid", "down"))
with torch.no_grad():
    weight += 1.2 * (1.5 / 3) * torch.einsum("oa,abhw,bi->oihw", up[:, :, 0, 0], mid, down[:, :, 0, 0])
scaled(-0.5)
out["unet_two"] = answer(pipeline)

# Textual inversion.
vectors = (8 * torch.randn(2, 24)).half().float()
torch.save({"string_to_token": {"*": 265}, "string_to_param": {"*": vectors}, "name": "fluff", "step": 3}, OUT / "fluffy.pt")
module = torch.nn.ParameterDict({"*": torch.nn.Parameter(vectors)})
torch.save({"string_to_token": {"*": 265}, "string_to_param": module}, OUT / "module.pt")
save_file({"<toy>": vectors[0].clone()}, OUT / "learned_embeds.safetensors")
pipeline = fresh()
pipeline.load_textual_inversion(OUT / "fluffy.pt", token="fluffy")
pipeline.load_textual_inversion(OUT / "learned_embeds.safetensors")
moved("inversion", draw(pipeline, "a fluffy cat and <toy>"), draw(fresh(), "a cat and"))

# Words with weights: states times weights, the mean brought back.
pipeline = fresh()
ids = pipeline.tokenizer(["a red cat", "dog"], padding="max_length", max_length=16, return_tensors="pt").input_ids
weights = torch.ones(2, 16, 1)
weights[0, 2], weights[0, 3] = 1.6, 0.5
with torch.no_grad():
    plain_states = pipeline.text_encoder(ids)[0]
    words = plain_states * weights
    words = words * (plain_states.mean(dim=(1, 2), keepdim=True) / words.mean(dim=(1, 2), keepdim=True))
out["weighted_states"] = words[:1]
moved("weights", draw(pipeline, prompt_embeds=words[:1], negative_prompt_embeds=words[1:], negative_prompt=None), plain)

# A latent consistency model: guidance as an embedding.
torch.manual_seed(12)
unet = UNet2DConditionModel(
    sample_size=8, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4, cross_attention_dim=24,
    down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    attention_head_dim=2, time_cond_proj_dim=16)
with torch.no_grad():
    for name, value in unet.named_parameters():
        if value.dim() > 1: value.mul_(4 if ".attn2." in name else 8 if "cond_proj" in name else 1.6)
    unet.half().float().eval()
unet.half().save_pretrained(OUT / "lcm_unet", safe_serialization=True)
unet.float()
old = fresh()


def consistent(steps=4, guidance=8.5, network=unet):
    pipeline = LatentConsistencyModelPipeline(
        vae=old.vae, text_encoder=old.text_encoder, tokenizer=old.tokenizer, unet=network, safety_checker=None,
        feature_extractor=None, requires_safety_checker=False,
        scheduler=LCMScheduler(**{k: v for k, v in base.items() if k != "steps_offset"}))
    pipeline.set_progress_bar_config(disable=True)
    return torch.from_numpy(pipeline("a red cat", height=32, width=40, num_inference_steps=steps, guidance_scale=guidance,
                                     generator=torch.Generator().manual_seed(3), output_type="np").images)


moved("lcm", consistent(), consistent(guidance=2.0))
# The ordinary U-Net under LCM's scheduler, as with LCM-LoRA.
pipeline = fresh()
pipeline.scheduler = LCMScheduler.from_config(pipeline.scheduler.config)
moved("lcm_guided", draw(pipeline, num_inference_steps=4, guidance_scale=1.8), plain)
save_file({k: v.contiguous() for k, v in out.items()}, OUT / "expected.safetensors")
