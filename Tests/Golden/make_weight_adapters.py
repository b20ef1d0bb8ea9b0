#!/usr/bin/env python3
"""Adapters that are not sums of low rank, for the U-Net of pipeline_text, and what peft makes of its weights with them:
Tests/Golden/weight_adapters.

LoHa and LoKr (each with convolutions in Tucker form and without) and DoRA, under LyCORIS' names and under peft's; and DoRA over
columns, as LyCORIS had it before version 2.2, by that formula alone. The merged weights are computed in float64 from numbers of
half precision. Made with torch 2.15.0, diffusers 0.42.1, peft 0.21.2:

  python Tests/Golden/make_weight_adapters.py
"""
import json, pathlib, shutil
import torch
from diffusers import UNet2DConditionModel
from peft import LoHaConfig, LoKrConfig, LoraConfig, inject_adapter_in_model
from peft.tuners.lycoris_utils import LycorisLayer
from peft.tuners.lora import LoraLayer
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE / "weight_adapters"
shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir()
torch.manual_seed(21)
FACTOR = 0.7
LAYERS = ["down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k", "down_blocks.0.attentions.0.proj_in",
          "down_blocks.0.downsamplers.0.conv", "down_blocks.1.resnets.0.conv1"]
tucker, both = dict(use_effective_conv2d=True), dict(decompose_both=True)
kinds = {
    "loha": LoHaConfig(r=3, alpha=2, target_modules=LAYERS, init_weights=False, **tucker),
    "loha-flat": LoHaConfig(r=2, alpha=4, target_modules=LAYERS, init_weights=False),
    "lokr": LoKrConfig(r=1, alpha=2, target_modules=LAYERS, init_weights=False, decompose_factor=4, **tucker, **both),
    "lokr-flat": LoKrConfig(r=2, alpha=3, target_modules=LAYERS, init_weights=False, decompose_factor=2),
    "lokr-whole": LoKrConfig(r=16, alpha=12, target_modules=LAYERS, init_weights=False, decompose_factor=2),
    "lokr-unscaled": LoKrConfig(r=16, alpha=16, target_modules=LAYERS, init_weights=False, decompose_factor=2),
    "dora": LoraConfig(r=2, lora_alpha=3, target_modules=LAYERS, init_lora_weights=False, use_dora=True),
}
expected = {}


def fresh():
    return UNet2DConditionModel.from_pretrained(HERE / "pipeline_text/unet", torch_dtype=torch.float32).double()


def own(name):
    """A name in the file: without the adapter's."""
    return name.replace(".default.weight", "" if "magnitude" in name else ".weight").replace(".default", "")


plain = fresh().state_dict()
for kind, config in kinds.items():
    model = fresh()
    inject_adapter_in_model(config, model)
    values = {}
    with torch.no_grad():
        for name, value in model.named_parameters():
            if any(part in name for part in (".lora_", ".hada_", ".lokr_")):
                if "magnitude" in name: drawn = value * (1 + 0.3 * torch.rand_like(value))
                else: drawn = 0.4 * torch.randn_like(value)
                value.copy_(drawn.half().double())
                values[own(name)] = value.detach().half()
    for name, module in model.named_modules():
        if not isinstance(module, (LycorisLayer, LoraLayer)): continue
        module.set_scale("default", FACTOR)
        module.merge()
        merged = module.get_base_layer().weight.detach()
        expected[f"{kind}.{name}"] = merged.float()
        moved = (merged - plain[name + ".weight"]).norm() / plain[name + ".weight"].norm()
        print(f"{kind} {name}: {tuple(merged.shape)}, moved by {moved:.2f}")
        assert moved > 0.05
    if kind != "lokr-unscaled": (OUT / kind).mkdir()
    alpha = {"lora_alpha": config.lora_alpha} if kind == "dora" else {"alpha": config.alpha}
    if kind != "lokr-unscaled":
        save_file({f"base_model.model.{k}": v for k, v in values.items()}, OUT / kind / "adapter_model.safetensors")
        (OUT / kind / "adapter_config.json").write_text(json.dumps(dict(peft_type=kind.split("-")[0].upper(), r=config.r, **alpha)) + "\n")
    lycoris = {}
    for name, value in values.items():
        layer, part = next((layer, name[len(layer) + 1:]) for layer in LAYERS if name.startswith(layer + "."))
        part = {"lora_A.weight": "lora_down.weight", "lora_B.weight": "lora_up.weight", "lora_magnitude_vector": "dora_scale"}.get(part, part)
        if part == "dora_scale": value = value.reshape([-1] + [1] * (plain[layer + ".weight"].dim() - 1))
        key = "lora_unet_" + layer.replace(".", "_")
        lycoris[f"{key}.{part}"] = value
        lycoris[f"{key}.alpha"] = torch.tensor(float(config.lora_alpha if kind == "dora" else config.alpha))
    if kind == "lokr-unscaled":   # without a rank LyCORIS does not look at alpha
        for key in lycoris:
            if key.endswith(".alpha") and key.replace(".alpha", ".lokr_w2") in lycoris: lycoris[key] = torch.tensor(5.0)
    if kind != "lokr-whole": save_file(lycoris, OUT / f"{kind}.safetensors")

columns = {}
for layer in LAYERS:
    weight = plain[layer + ".weight"]
    up, down = (0.3 * torch.randn(weight.shape[0], 2)).half(), (0.3 * torch.randn(2, *weight.shape[1:])).half()
    change = (up.double() @ down.double().reshape(2, -1)).reshape(weight.shape)
    def length(weight): return weight.pow(2).sum([0] + list(range(2, weight.dim())), keepdim=True).sqrt()
    lengths = (length(weight) * (1 + 0.3 * torch.rand(1, weight.shape[1], *[1] * (weight.dim() - 2)))).half()
    merged = weight + FACTOR * change
    expected[f"columns.{layer}"] = (merged * lengths.double() / length(merged)).float()
    key = "lora_unet_" + layer.replace(".", "_")
    columns[f"{key}.lora_up.weight"] = up.reshape(up.shape + (1,) * (weight.dim() - 2))
    columns |= {f"{key}.lora_down.weight": down, f"{key}.dora_scale": lengths, f"{key}.alpha": torch.tensor(2.0)}
save_file(columns, OUT / "columns.safetensors")
save_file({k: v.contiguous() for k, v in expected.items()}, OUT / "expected.safetensors")
