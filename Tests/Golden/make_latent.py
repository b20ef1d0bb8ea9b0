#!/usr/bin/env python3
"""Small networks of latent diffusion with their full outputs: Tests/Golden/latent/NAME.safetensors.

Each file has the weights (in half precision, as the reference then used them widened), inputs, outputs and the
configuration (in the metadata). Weights are scaled up so that the text, and every block, shows in the output.

Made with torch 2.15.0, diffusers 0.42.1, transformers 5.24.0:

  python Tests/Golden/make_latent.py
"""
import json, pathlib
import torch
from safetensors.torch import save_file
from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel, VQModel
from transformers import (CLIPConfig, CLIPModel, CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection,
                          CLIPVisionConfig, CLIPVisionModelWithProjection)

OUT = pathlib.Path(__file__).resolve().parent / "latent"
OUT.mkdir(exist_ok=True)
torch.manual_seed(11)


def strengthened(model, factor=1.8):
    """Matrices scaled up, biases and norms moved off their defaults, all rounded to half precision."""
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.dim() > 1 and "embedding" not in name: value.mul_(factor)
            elif value.dim() == 1: value.add_(0.2 * torch.randn_like(value))
    return model.half().float().eval()


def save(name, model, tensors, configuration):
    weights = {f"model.{k}": v.half() for k, v in model.state_dict().items() if v.is_floating_point()}
    tensors = {k: v.detach().float().contiguous() for k, v in tensors.items()}
    save_file(weights | tensors, OUT / f"{name}.safetensors", {"configuration": json.dumps(configuration)})
    print(f"{name}: {sum(w.numel() for w in weights.values()):,} parameters, {(OUT / f'{name}.safetensors').stat().st_size:,} bytes")


def unet(name, sample=(2, 4, 9, 7), tokens=5, extras=None, kwargs=None, **settings):
    base = dict(
        sample_size=8, in_channels=4, out_channels=4, block_out_channels=(16, 32), layers_per_block=1, norm_num_groups=4,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=24, attention_head_dim=2)
    model = strengthened(UNet2DConditionModel(**(base | settings)))
    x, text = torch.randn(sample), torch.randn(sample[0], tokens, model.config.cross_attention_dim)
    time = torch.tensor([981, 17][:sample[0]])
    call = lambda words: model(x, time, words, **(kwargs or {})).sample
    with torch.no_grad(): output, other = call(text), call(torch.randn_like(text))
    moved = ((output - other).abs().max() / output.abs().max()).item()
    assert moved > 0.05, f"{name} hardly looks at its text: {moved}"
    print(f"{name}: another text moves the output by {moved:.2f} of its largest value")
    save(name, model, {"x": x, "text": text, "timesteps": time, "output": output} | (extras or {}), dict(model.config))


unet("sd1")
unet("sd2", use_linear_projection=True, attention_head_dim=[2, 4], up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
     sample=(2, 4, 8, 8))
ids, words = torch.tensor([[64., 64, 0, 0, 64, 64], [72., 48, 8, 4, 64, 64]]), torch.randn(2, 20)
unet("sdxl", sample=(2, 4, 8, 8), use_linear_projection=True, attention_head_dim=[1, 2], transformer_layers_per_block=[1, 2],
     down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
     addition_embed_type="text_time", addition_time_embed_dim=8, projection_class_embeddings_input_dim=68,
     kwargs={"added_cond_kwargs": {"text_embeds": words, "time_ids": ids}}, extras={"sizes": ids, "words": words})
unet("inpainting", sample=(2, 9, 8, 8), in_channels=9)
levels = torch.tensor([20, 350])
unet("upscaler", sample=(2, 7, 8, 12), in_channels=7, num_class_embeds=400, only_cross_attention=[True, False],
     attention_head_dim=4, use_linear_projection=True, kwargs={"class_labels": levels}, extras={"classes": levels})
guidance = torch.randn(2, 12)
unet("consistency", sample=(2, 4, 8, 8), time_cond_proj_dim=12, kwargs={"timestep_cond": guidance}, extras={"guidance": guidance})

kl = dict(block_out_channels=(16, 32), layers_per_block=1, norm_num_groups=4, latent_channels=4, sample_size=16,
          down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2)
model = strengthened(AutoencoderKL(**kl))
picture, latent, wide = torch.rand(2, 3, 16, 24) * 2 - 1, torch.randn(2, 4, 6, 10), torch.randn(1, 4, 13, 19)
with torch.no_grad():
    posterior = model.encode(picture).latent_dist
    outputs = {"mean": posterior.mean, "log_variance": posterior.logvar, "decoded": model.decode(latent).sample}
    model.enable_tiling()
    big = torch.rand(1, 3, 27, 37)[..., :26, :36] * 2 - 1
    outputs |= {"tiled": model.decode(wide).sample, "tiled_mean": model.encode(big).latent_dist.mean}
save("kl", model, {"picture": picture, "latent": latent, "wide": wide, "big": big} | outputs, dict(model.config))

vq = dict(block_out_channels=(16, 32), layers_per_block=1, norm_num_groups=4, latent_channels=3, num_vq_embeddings=40,
          down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2)
model = strengthened(VQModel(**vq))
with torch.no_grad():
    model.quantize.embedding.weight.copy_(torch.randn(40, 3).half().float())
    latent = torch.randn(2, 3, 6, 5)
    save("vq", model, {"picture": picture, "latent": latent, "encoded": model.encode(picture).latents,
                       "decoded": model.decode(latent).sample}, dict(model.config))

model = strengthened(AutoencoderTiny(encoder_block_out_channels=(8, 8, 8), decoder_block_out_channels=(8, 8, 8),
                                     num_encoder_blocks=(1, 2, 1), num_decoder_blocks=(1, 2, 1)))
with torch.no_grad():
    latent = torch.randn(2, 4, 4, 6)
    save("tiny", model, {"picture": picture, "latent": latent, "encoded": model.encode(picture).latents,
                         "decoded": model.decode(latent).sample}, dict(model.config))

shape = dict(hidden_size=24, intermediate_size=40, num_hidden_layers=3, num_attention_heads=4)
text = dict(shape, vocab_size=60, max_position_embeddings=12, projection_dim=10)
tokens = torch.tensor([[57, 3, 8, 9, 20, 58, 58, 58], [57, 40, 2, 58, 58, 58, 58, 58]])
for name, kind, settings in [
    ("clip_text", CLIPTextModel, dict(hidden_act="quick_gelu", eos_token_id=58)),
    ("clip_text_projected", CLIPTextModelWithProjection, dict(hidden_act="gelu", eos_token_id=2)),
]:
    model = strengthened(kind(CLIPTextConfig(**text, **settings)))
    with torch.no_grad(): out = model(tokens, output_hidden_states=True)
    found = {"tokens": tokens, "last": out.last_hidden_state, "penultimate": out.hidden_states[-2]}
    found |= {"projected": out.text_embeds} if hasattr(out, "text_embeds") else {"pooled": out.pooler_output}
    save(name, model, found, model.config.to_dict())

vision = dict(shape, image_size=16, patch_size=4, projection_dim=10)
model = strengthened(CLIPVisionModelWithProjection(CLIPVisionConfig(**vision)))
pixels = torch.randn(2, 3, 16, 16)
with torch.no_grad(): out = model(pixels)
save("clip_vision", model, {"pixels": pixels, "projected": out.image_embeds, "last": out.last_hidden_state}, model.config.to_dict())

model = strengthened(CLIPModel(CLIPConfig(text_config=dict(text, eos_token_id=58), vision_config=vision, projection_dim=10)))
with torch.no_grad(): out = model(input_ids=tokens, pixel_values=pixels)
save("clip", model, {"tokens": tokens, "pixels": pixels, "logits": out.logits_per_image, "texts": out.text_embeds,
                     "pictures": out.image_embeds}, model.config.to_dict())
