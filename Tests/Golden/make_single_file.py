#!/usr/bin/env python3
"""Single-file checkpoints with the original names, and the pictures that diffusers draws from them: Tests/Golden/single_file.

Weights are not stored: NAME.tsv lists each tensor's name, shape, factor and offset, and tensor i is
`torch.randn(shape, generator seeded with i) * factor + offset`. The names are made here from diffusers' by rules written
for this script, and diffusers' own readers of single files (convert_ldm_unet_checkpoint and its like) turn them back,
strictly. lightning.ckpt is a checkpoint of a training run (torch.save, with `state_dict` and what PyTorch Lightning puts beside
it), whose tensors are views of few numbers, so that it is small. names.json has, for the models people have in full size, how many tensors each part has and the FNV-1a hash
(64 bits) of its lines `name shape`, sorted.

Made with torch 2.15.0, diffusers 0.42.1, transformers 5.24.0:

  python Tests/Golden/make_single_file.py
"""
import gzip, json, pathlib, tempfile
import torch
from PIL import Image
from safetensors.torch import save_file
from diffusers import (AutoencoderKL, DDIMScheduler, DDPMScheduler, EulerDiscreteScheduler, PNDMScheduler, StableDiffusionInpaintPipeline,
                       StableDiffusionPipeline, StableDiffusionUpscalePipeline, StableDiffusionXLImg2ImgPipeline,
                       StableDiffusionXLPipeline, UNet2DConditionModel)
from diffusers.loaders.single_file_utils import (convert_ldm_clip_checkpoint, convert_ldm_unet_checkpoint,
                                                 convert_ldm_vae_checkpoint, convert_open_clip_checkpoint)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer
from original_names import clip_shapes, open_clip_shapes, shapes, unet_shapes, vae_shapes

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE / "single_file"
VOCABULARY = HERE.parents[1] / "Sources/DiffusionPipelines/Resources/bpe_simple_vocab_16e6.txt.gz"


# --- the names of full-size models

def digest(names):
    lines = "\n".join(sorted(f"{k} {'x'.join(map(str, s))}" for k, s in names.items()))
    hash = 0xcbf29ce484222325
    for byte in lines.encode(): hash = (hash ^ byte) * 0x100000001b3 % 2**64
    return {"count": len(names), "fnv1a": f"{hash:016x}"}


C, D = "CrossAttnDownBlock2D", "DownBlock2D"
SD1 = dict(cross_attention_dim=768, attention_head_dim=8)
SD2 = dict(cross_attention_dim=1024, attention_head_dim=[5, 10, 20, 20], use_linear_projection=True)
XL = dict(block_out_channels=(320, 640, 1280), down_block_types=(D, C, C), up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
          cross_attention_dim=2048, attention_head_dim=[5, 10, 20], use_linear_projection=True, transformer_layers_per_block=[1, 2, 10],
          addition_embed_type="text_time", addition_time_embed_dim=256, projection_class_embeddings_input_dim=2816)
REFINER = dict(XL, block_out_channels=(384, 768, 1536, 1536), down_block_types=(D, C, C, D),
               up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=1280,
               attention_head_dim=[6, 12, 24, 24], transformer_layers_per_block=4, projection_class_embeddings_input_dim=2560)
UPSCALER = dict(block_out_channels=(256, 512, 512, 1024), down_block_types=(D, C, C, C),
                up_block_types=("CrossAttnUpBlock2D",) * 3 + ("UpBlock2D",), cross_attention_dim=1024, attention_head_dim=8,
                use_linear_projection=True, only_cross_attention=(True, True, True, False), num_class_embeds=1000, in_channels=7)
unets = {"sd1": SD1, "sd2": SD2, "inpainting": dict(SD1, in_channels=9), "sdxl": XL, "refiner": REFINER, "upscaler": UPSCALER}
names = {}
with torch.device("meta"):
    for name, config in unets.items(): names[f"unet/{name}"] = digest(unet_shapes(UNet2DConditionModel(**config)))
    for name, channels in {"sd": (128, 256, 512, 512), "upscaler": (128, 256, 512)}.items():
        names[f"vae/{name}"] = digest(vae_shapes(AutoencoderKL(
            block_out_channels=channels, layers_per_block=2, latent_channels=4, down_block_types=("DownEncoderBlock2D",) * len(channels),
            up_block_types=("UpDecoderBlock2D",) * len(channels))))
    large = dict(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12)
    huge = dict(hidden_size=1024, intermediate_size=4096, num_hidden_layers=23, num_attention_heads=16, hidden_act="gelu")
    big = dict(hidden_size=1280, intermediate_size=5120, num_hidden_layers=32, num_attention_heads=20, hidden_act="gelu", projection_dim=1280)
    names["text/clip-l"] = digest(clip_shapes(CLIPTextModel(CLIPTextConfig(**large))))
    names["text/openclip-h"] = digest(open_clip_shapes(shapes(CLIPTextModel(CLIPTextConfig(**huge)))))
    names["text/openclip-bigg"] = digest(open_clip_shapes(shapes(CLIPTextModelWithProjection(CLIPTextConfig(**big)))))


# --- small models that are drawn with

def tokenizer(folder, pad):
    merges = gzip.open(VOCABULARY, "rt", encoding="utf-8").read().split("\n")[1:49152 - 256 - 2 + 1]
    shown = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    alphabet = [chr(b) for b in shown] + [chr(256 + i) for i in range(256 - len(shown))]
    tokens = alphabet + [a + "</w>" for a in alphabet] + [m.replace(" ", "") for m in merges] + ["<|startoftext|>", "<|endoftext|>"]
    assert len(tokens) == 49408
    folder.mkdir(parents=True)
    (folder / "vocab.json").write_text(json.dumps({t: i for i, t in enumerate(tokens)}, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(dict(
        model_max_length=77, pad_token=pad, bos_token="<|startoftext|>", eos_token="<|endoftext|>", unk_token="<|endoftext|>",
        tokenizer_class="CLIPTokenizer")))
    result = CLIPTokenizer.from_pretrained(folder)
    assert result("a red cat").input_ids == [49406, 320, 736, 2368, 49407]
    return result


def rule(name, shape):
    """Factor and offset: strong enough that another text gives another picture."""
    if "token_embedding" in name: return 1.5, 0
    if "positional" in name or "position_embedding" in name: return 0.3, 0
    if len(shape) == 1 or name.endswith("in_proj_bias"): return 0.1, 1 if name.endswith("weight") else 0
    fan = 1
    for n in shape[1:]: fan *= n
    return (2.5 if ".attn2." in name else 1.2) / fan ** 0.5, 0


def weights(listing):
    result = {}
    for i, (name, shape) in enumerate(listing.items()):
        factor, offset = rule(name, shape)
        factor = float(f"{factor:.4g}")
        result[name] = (torch.randn(shape, generator=torch.Generator().manual_seed(i)) * factor + offset, factor, offset)
    return result


def under(prefix, listing): return {prefix + k: s for k, s in listing.items()}


def load(model, state, optional=()):
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected and all("position_ids" in m for m in missing), (missing, unexpected)
    return model.eval()


def text_state(model, state):
    return state if hasattr(model, "text_model") else {k.removeprefix("text_model."): v for k, v in state.items()}


text_base = dict(vocab_size=49408, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=1, max_position_embeddings=77,
                 bos_token_id=49406, eos_token_id=49407)
unet_base = dict(sample_size=8, block_out_channels=(32, 32), layers_per_block=1, cross_attention_dim=64, attention_head_dim=8,
                 down_block_types=(C, D), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"))
linear = dict(unet_base, block_out_channels=(64, 64), attention_head_dim=[1, 1], use_linear_projection=True)
vae = AutoencoderKL(block_out_channels=(32, 32), layers_per_block=1, latent_channels=4, down_block_types=("DownEncoderBlock2D",) * 2,
                    up_block_types=("UpDecoderBlock2D",) * 2)
xl_vae = AutoencoderKL(**dict(vae.config, scaling_factor=0.13025))
base = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000, steps_offset=1)
pictures, work = {}, pathlib.Path(tempfile.mkdtemp())


def made(name, unet, vae, texts):
    """The parts with their weights, by way of a single file whose texts are (prefix, model, is OpenCLIP)."""
    listing = under("model.diffusion_model.", unet_shapes(unet)) | under("first_stage_model.", vae_shapes(vae))
    for prefix, model, is_open in texts:
        listing |= under(prefix, open_clip_shapes(shapes(model)) if is_open else clip_shapes(model))
    made = weights(listing)
    lines = [f"{k}\t{'x'.join(map(str, v.shape))}\t{f}\t{o}" for k, (v, f, o) in made.items()]
    (OUT / f"{name}.tsv").write_text("\n".join(lines) + "\n")
    state = {k: v for k, (v, _, _) in made.items()}
    load(unet, convert_ldm_unet_checkpoint(dict(state), dict(unet.config)))
    load(vae, convert_ldm_vae_checkpoint(dict(state), dict(vae.config)))
    for prefix, model, is_open in texts:
        part = {k: v for k, v in state.items() if k.startswith(prefix)}
        own = convert_open_clip_checkpoint(model, part, prefix) if is_open else convert_ldm_clip_checkpoint(part, prefix)
        load(model, text_state(model, own))
    print(name, len(listing), "tensors", sum(v.numel() for v in state.values()), "parameters")


def draw(pipeline, prompt="a red cat", guidance=5.0, **more):
    pipeline.set_progress_bar_config(disable=True)
    more = more or dict(height=32, width=40)
    return torch.from_numpy(pipeline(prompt, negative_prompt="dog", guidance_scale=guidance, num_inference_steps=6,
                                     generator=torch.Generator().manual_seed(3), output_type="np", **more).images)


def keep(name, pipeline, least=0.02, **more):
    pictures[name] = draw(pipeline, **more)
    for what, other in {"prompt": draw(pipeline, prompt="two dogs", **more), "guidance": draw(pipeline, guidance=2.0, **more)}.items():
        moved = (pictures[name] - other).abs().mean().item()
        print(f"  another {what} moves the mean pixel by {moved:.3f}; spread {pictures[name].std().item():.3f}")
        assert moved > least, what


none = dict(safety_checker=None, feature_extractor=None, requires_safety_checker=False)
unet, text = UNet2DConditionModel(**unet_base), CLIPTextModel(CLIPTextConfig(**text_base))
made("sd1", unet, vae, [("cond_stage_model.transformer.", text, False)])
keep("sd1", StableDiffusionPipeline(vae=vae, unet=unet, text_encoder=text, tokenizer=tokenizer(work / "1", "<|endoftext|>"),
                                    scheduler=PNDMScheduler(**base, skip_prk_steps=True, set_alpha_to_one=False), **none))
unet, text = UNet2DConditionModel(**linear), CLIPTextModel(CLIPTextConfig(**text_base, hidden_act="gelu"))
made("sd2", unet, vae, [("cond_stage_model.model.", text, True)])
keep("sd2", StableDiffusionPipeline(vae=vae, unet=unet, text_encoder=text, tokenizer=tokenizer(work / "2", "!"), scheduler=DDIMScheduler(
    **base, clip_sample=False, set_alpha_to_one=False, prediction_type="v_prediction"), **none))
unet = UNet2DConditionModel(**dict(linear, cross_attention_dim=128, addition_embed_type="text_time", addition_time_embed_dim=256,
                                   projection_class_embeddings_input_dim=6 * 256 + 64))
text, text2 = CLIPTextModel(CLIPTextConfig(**text_base)), CLIPTextModelWithProjection(CLIPTextConfig(**text_base, hidden_act="gelu", projection_dim=64))
made("sdxl", unet, xl_vae, [("conditioner.embedders.0.transformer.", text, False), ("conditioner.embedders.1.model.", text2, True)])
keep("sdxl", StableDiffusionXLPipeline(
    vae=xl_vae, unet=unet, text_encoder=text, text_encoder_2=text2, tokenizer=tokenizer(work / "3", "<|endoftext|>"), tokenizer_2=tokenizer(work / "4", "!"),
    scheduler=EulerDiscreteScheduler(**base, timestep_spacing="leading"), add_watermarker=False, force_zeros_for_empty_prompt=False))

# --- Models that draw from a picture.
small = Image.open(HERE / "pipeline_pictures/small.png")
unet, text = UNet2DConditionModel(**dict(unet_base, in_channels=9)), CLIPTextModel(CLIPTextConfig(**text_base))
made("inpainting", unet, vae, [("cond_stage_model.transformer.", text, False)])
keep("inpainting", StableDiffusionInpaintPipeline(
    vae=vae, unet=unet, text_encoder=text, tokenizer=tokenizer(work / "5", "<|endoftext|>"),
    scheduler=PNDMScheduler(**base, skip_prk_steps=True, set_alpha_to_one=False), **none), least=0.01,
    image=small, mask_image=Image.open(HERE / "pipeline_pictures/small-mask.png"), strength=1.0, height=32, width=40)
unet = UNet2DConditionModel(**dict(linear, addition_embed_type="text_time", addition_time_embed_dim=256,
                                   projection_class_embeddings_input_dim=5 * 256 + 64))
text2 = CLIPTextModelWithProjection(CLIPTextConfig(**text_base, hidden_act="gelu", projection_dim=64))
made("refiner", unet, xl_vae, [("conditioner.embedders.0.model.", text2, True)])
keep("refiner", StableDiffusionXLImg2ImgPipeline(
    vae=xl_vae, unet=unet, text_encoder=None, text_encoder_2=text2, tokenizer=None, tokenizer_2=tokenizer(work / "6", "!"),
    scheduler=EulerDiscreteScheduler(**base, timestep_spacing="leading"), requires_aesthetics_score=True, add_watermarker=False,
    force_zeros_for_empty_prompt=False), image=small, strength=0.7)
unet = UNet2DConditionModel(**dict(unet_base, in_channels=7, use_linear_projection=True, num_class_embeds=1000,
                                   only_cross_attention=(True, False)))
text, four = CLIPTextModel(CLIPTextConfig(**text_base, hidden_act="gelu")), AutoencoderKL(**dict(vae.config, scaling_factor=0.08333))
made("upscaler", unet, four, [("cond_stage_model.model.", text, True)])
steps = dict(beta_start=0.0001, beta_end=0.02, beta_schedule="scaled_linear", num_train_timesteps=1000)
keep("upscaler", StableDiffusionUpscalePipeline(
    vae=four, text_encoder=text, tokenizer=tokenizer(work / "7", "!"), unet=unet, low_res_scheduler=DDPMScheduler(**steps),
    scheduler=DDIMScheduler(**steps, clip_sample=False, prediction_type="v_prediction", set_alpha_to_one=False, steps_offset=1)),
    image=small, noise_level=20)

# --- A training run's checkpoint.
unet, text = UNet2DConditionModel(**unet_base), CLIPTextModel(CLIPTextConfig(**text_base))
listing = under("model.diffusion_model.", unet_shapes(unet)) | under("first_stage_model.", vae_shapes(vae))
listing |= under("cond_stage_model.transformer.", clip_shapes(text))
sizes = {}
for name, shape in listing.items():
    if "token_embedding" not in name:
        sizes[rule(name, shape)] = max(sizes.get(rule(name, shape), 0), torch.Size(shape).numel())
numbers = torch.Generator().manual_seed(5)
shared = {key: (torch.randn(size + 64, generator=numbers) * key[0] + key[1]).half() for key, size in sizes.items()}
words = (torch.randn(49408 + 64, generator=numbers) * 1.5).half()
state = {}
for index, (name, shape) in enumerate(listing.items()):
    if "token_embedding" in name:
        state[name] = words.as_strided(shape, (1, 1))   # every word begins one number further
    else:
        numbers_of = shared[rule(name, shape)]
        start = index * 37 % (len(numbers_of) - torch.Size(shape).numel() + 1)
        state[name] = numbers_of[start:start + torch.Size(shape).numel()].view(shape)
torch.save({"epoch": 6, "global_step": 470000, "pytorch-lightning_version": "1.4.2", "state_dict": state,
            "callbacks": {"ModelCheckpoint": {"monitor": "val/loss", "best_model_score": torch.tensor(0.12)}},
            "optimizer_states": [], "lr_schedulers": [{"last_epoch": 6}]}, OUT / "lightning.ckpt")
state = {name: value.float() for name, value in torch.load(OUT / "lightning.ckpt", weights_only=True)["state_dict"].items()}
load(unet, convert_ldm_unet_checkpoint(dict(state), dict(unet.config)))
load(vae, convert_ldm_vae_checkpoint(dict(state), dict(vae.config)))
load(text, text_state(text, convert_ldm_clip_checkpoint(
    {k: v for k, v in state.items() if k.startswith("cond_stage_model.")}, "cond_stage_model.transformer.")))
keep("lightning", StableDiffusionPipeline(vae=vae, unet=unet, text_encoder=text, tokenizer=tokenizer(work / "8", "<|endoftext|>"),
                                          scheduler=PNDMScheduler(**base, skip_prk_steps=True, set_alpha_to_one=False), **none))
save_file({k: v.contiguous() for k, v in pictures.items()}, OUT / "pictures.safetensors")
(OUT / "names.json").write_text(json.dumps(names, indent=1) + "\n")
