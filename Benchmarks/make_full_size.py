#!/usr/bin/env python3
"""A Stable Diffusion 1.5 of full size with random weights, to measure loading, memory and speed with: in FOLDER

  folder/            a diffusers folder, float32
  single.safetensors the same tensors under the original names
  q8_0.gguf          the same as the gguf package quantises it: matrices in Q8_0, convolutions and tables of tokens in F16

  python Benchmarks/make_full_size.py FOLDER       (10 GB)

Needs torch, diffusers, transformers, safetensors and gguf.
"""
import json, pathlib, sys
import numpy, torch
import gguf
from safetensors import safe_open
from safetensors.torch import save_file

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Tests/Golden"))
from original_names import unet_name, vae_name
from diffusers import AutoencoderKL, PNDMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

OUT = pathlib.Path(sys.argv[1])
FOLDER = OUT / "folder"
FOLDER.mkdir(parents=True, exist_ok=True)
torch.manual_seed(1)
UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8).save_pretrained(FOLDER / "unet")
AutoencoderKL(block_out_channels=(128, 256, 512, 512), layers_per_block=2, sample_size=512, down_block_types=("DownEncoderBlock2D",) * 4,
              up_block_types=("UpDecoderBlock2D",) * 4).save_pretrained(FOLDER / "vae")
CLIPTextModel(CLIPTextConfig(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, projection_dim=768,
                             eos_token_id=49407, bos_token_id=49406)).save_pretrained(FOLDER / "text_encoder")
PNDMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True, set_alpha_to_one=False,
              steps_offset=1).save_pretrained(FOLDER / "scheduler")
(FOLDER / "tokenizer").mkdir(exist_ok=True)
import gzip
merges = gzip.open(ROOT / "Sources/DiffusionPipelines/Resources/bpe_simple_vocab_16e6.txt.gz", "rt", encoding="utf-8").read().split("\n")[1:48895]
shown = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
alphabet = [chr(b) for b in shown] + [chr(256 + i) for i in range(256 - len(shown))]
tokens = alphabet + [a + "</w>" for a in alphabet] + [m.replace(" ", "") for m in merges] + ["<|startoftext|>", "<|endoftext|>"]
(FOLDER / "tokenizer/vocab.json").write_text(json.dumps({t: i for i, t in enumerate(tokens)}, ensure_ascii=False))
(FOLDER / "tokenizer/merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
(FOLDER / "tokenizer/tokenizer_config.json").write_text(json.dumps(dict(
    model_max_length=77, pad_token="<|endoftext|>", bos_token="<|startoftext|>", eos_token="<|endoftext|>", tokenizer_class="CLIPTokenizer")))
(FOLDER / "model_index.json").write_text(json.dumps(dict(
    _class_name="StableDiffusionPipeline", unet=["diffusers", "UNet2DConditionModel"], vae=["diffusers", "AutoencoderKL"],
    text_encoder=["transformers", "CLIPTextModel"], tokenizer=["transformers", "CLIPTokenizer"], scheduler=["diffusers", "PNDMScheduler"],
    safety_checker=[None, None], feature_extractor=[None, None])))


def parts():
    """Original names, and the tensors in their original shapes, one after the other."""
    up = ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3
    rules = [("unet/diffusion_pytorch_model", lambda k: "model.diffusion_model." + unet_name(k, 2, 4, up)),
             ("vae/diffusion_pytorch_model", lambda k: "first_stage_model." + vae_name(k, 4)),
             ("text_encoder/model", lambda k: "cond_stage_model.transformer.text_model." + k.removeprefix("text_model."))]
    for file, rule in rules:
        with safe_open(FOLDER / f"{file}.safetensors", "pt") as source:
            for key in source.keys():
                value = source.get_tensor(key)
                if file.startswith("vae") and "attentions" in key and value.dim() == 2: value = value[:, :, None, None]
                yield rule(key), value.contiguous()


save_file(dict(parts()), OUT / "single.safetensors", metadata={"format": "pt"})
writer = gguf.GGUFWriter(OUT / "q8_0.gguf", "sd1")
Q8, F16 = gguf.GGMLQuantizationType.Q8_0, numpy.float16
for name, value in parts():
    data = value.numpy()
    if data.ndim == 2 and data.shape[1] % 32 == 0 and "embedding" not in name:
        writer.add_tensor(name, gguf.quants.quantize(data, Q8), raw_dtype=Q8)
    else:
        writer.add_tensor(name, data.astype(F16) if data.ndim > 1 else data)
writer.write_header_to_file(); writer.write_kv_data_to_file(); writer.write_tensors_to_file(); writer.close()
