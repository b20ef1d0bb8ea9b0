"""Goldens of the pixel U-Net: small networks of diffusers' UNet2DModel, saved as diffusers saves them, with full outputs.

Weights are scaled until leaving out any one block (the last layer of its contribution set to zero) moves the output
by more than 5 % of its largest value; the measured shares are written beside the goldens, so that a network that
hides its attention cannot pass for one that is right.

    /opt/peers/bin/python Tests/Golden/make_unet.py [NAME...]
"""

import json
import math
import pathlib
import sys

import diffusers
import safetensors
import torch
from diffusers import UNet2DModel
from diffusers.models.attention_processor import Attention
from diffusers.models.downsampling import Downsample2D
from diffusers.models.embeddings import TimestepEmbedding
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.upsampling import Upsample2D
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
LEAST_SHARE = 0.05

CONFIGURATIONS = {
    # The usual kinds: plain and attention blocks, classes from a table.
    "attention": dict(
        sample_size=16, in_channels=3, out_channels=3, layers_per_block=1, block_out_channels=(16, 32),
        down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=8, norm_num_groups=8, num_class_embeds=11,
    ),
    # Resampling by residual blocks, scale and shift, classes embedded as timesteps are, other options turned.
    "residual": dict(
        sample_size=16, in_channels=1, out_channels=2, layers_per_block=1, block_out_channels=(8, 16, 16),
        down_block_types=("ResnetDownsampleBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "AttnUpBlock2D", "ResnetUpsampleBlock2D"),
        downsample_type="resnet", upsample_type="resnet", resnet_time_scale_shift="scale_shift",
        attention_head_dim=4, norm_num_groups=4, attn_norm_num_groups=2, norm_eps=1e-6, act_fn="gelu",
        flip_sin_to_cos=False, freq_shift=1, class_embed_type="timestep", center_input_sample=True,
        mid_block_scale_factor=math.sqrt(2.0), time_embedding_dim=24,
    ),
    # Fourier embedding, class vectors, no attention in the middle, padding below and to the right, two layers a level.
    "fourier": dict(
        sample_size=(16, 8), in_channels=2, out_channels=1, layers_per_block=2, block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "AttnUpBlock2D"),
        time_embedding_type="fourier", class_embed_type="identity", add_attention=False, downsample_padding=0,
        attention_head_dim=None, norm_num_groups=2, act_fn="relu",
    ),
    # A learned time embedding, Mish, no block in the middle.
    "learned": dict(
        sample_size=8, in_channels=3, out_channels=3, layers_per_block=1, block_out_channels=(12, 24),
        down_block_types=("AttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "AttnUpBlock2D"),
        time_embedding_type="learned", num_train_timesteps=50, mid_block_type=None,
        attention_head_dim=6, norm_num_groups=3, act_fn="mish",
    ),
    # NCSN++: skip blocks with FIR resampling, progressive input and output, as google/ncsnpp-* have them.
    "skip": dict(
        sample_size=8, in_channels=3, out_channels=3, layers_per_block=1, block_out_channels=(32, 32, 32),
        down_block_types=("SkipDownBlock2D", "AttnSkipDownBlock2D", "SkipDownBlock2D"),
        up_block_types=("SkipUpBlock2D", "AttnSkipUpBlock2D", "SkipUpBlock2D"),
        time_embedding_type="fourier", mid_block_scale_factor=math.sqrt(2.0), attention_head_dim=None,
        norm_num_groups=None, norm_eps=1e-6,
    ),
}


def last_layers(model):
    """The last layer of every block's contribution, by the block's name."""
    found = {}
    for name, module in model.named_modules():
        if isinstance(module, ResnetBlock2D):
            found[name] = module.conv2
            found[name + " (time)"] = module.time_emb_proj
        elif isinstance(module, Attention):
            found[name] = module.to_out[0]
        elif isinstance(module, (Downsample2D, Upsample2D)) and module.use_conv:
            found[name] = module.conv
        elif isinstance(module, TimestepEmbedding):
            found[name] = module.linear_2
        elif isinstance(module, torch.nn.Embedding) or name.endswith("skip_conv"):
            found[name] = module
    return found


def share_without(model, layer, inputs, output):
    kept = [(p, p.detach().clone()) for p in layer.parameters()]
    with torch.no_grad():
        for p, _ in kept:
            p.zero_()
        moved = (model(**inputs).sample - output).abs().max() / output.abs().max()
        for p, value in kept:
            p.copy_(value)
    return float(moved)


def randomise(model):
    for name, p in model.named_parameters():
        if name == "time_proj.weight":
            continue
        norm = "norm" in name
        if name.endswith("bias"):
            p.data = 0.3 * torch.randn_like(p)
        elif norm:
            p.data = 1 + 0.3 * torch.randn_like(p)
        elif p.dim() > 1:
            gain = 2.0 if ("to_q" in name or "to_k" in name) else 1.2
            fan_in = 1 if isinstance(dict(model.named_modules())[name.rpartition(".")[0]], torch.nn.Embedding) else p[0].numel()
            p.data = gain * torch.randn_like(p) / math.sqrt(fan_in)


def inputs_of(model):
    c = model.config
    size = (c.sample_size, c.sample_size) if isinstance(c.sample_size, int) else tuple(c.sample_size)
    sample = torch.randn(2, c.in_channels, *size)
    if c.center_input_sample:
        sample = sample.sigmoid()
    learned = c.time_embedding_type == "learned"
    fourier = c.time_embedding_type == "fourier"
    timestep = torch.tensor([7, 41]) if learned else torch.tensor([0.3, 4.2]) if fourier else torch.tensor([17, 987])
    inputs = dict(sample=sample, timestep=timestep)
    if c.class_embed_type == "identity":
        inputs["class_labels"] = torch.randn(2, 4 * c.block_out_channels[0])
    elif c.class_embed_type == "timestep" or c.num_class_embeds:
        inputs["class_labels"] = torch.tensor([3, 10])
    return inputs


def make(name, configuration):
    torch.manual_seed(20261123)
    model = UNet2DModel(**configuration).eval()
    randomise(model)
    inputs = inputs_of(model)
    for _ in range(60):
        with torch.no_grad():
            output = model(**inputs).sample
        shares = {k: share_without(model, layer, inputs, output) for k, layer in last_layers(model).items()}
        weak = [k for k, share in shares.items() if share < 1.3 * LEAST_SHARE]
        if not weak:
            break
        for k in weak:
            last_layers(model)[k].weight.data *= 1.4
    assert min(shares.values()) > LEAST_SHARE, (name, shares)
    model.zero_grad()
    output = model(**inputs).sample
    seed = torch.randn_like(output)
    output.backward(seed)
    folder = HERE / f"unet_{name}"
    folder.mkdir(exist_ok=True)
    model.save_pretrained(folder)
    tensors = {k: v.contiguous() for k, v in inputs.items()}
    tensors["output"] = output.detach().contiguous()
    torch.manual_seed(5)
    for key, p in UNet2DModel(**configuration).named_parameters():
        flat = p.detach().flatten()
        tensors["initial." + key] = torch.cat([flat[:4], flat[-4:]])
    if name == "attention":
        tensors["seed"] = seed
        for key, p in model.named_parameters():
            tensors["gradient." + key] = p.grad.contiguous()
    versions = dict(diffusers=diffusers.__version__, torch=torch.__version__, safetensors=safetensors.__version__)
    save_file(tensors, folder / "golden.safetensors", metadata=versions)
    (folder / "shares.json").write_text(json.dumps(shares, indent=1, sort_keys=True) + "\n")
    parameters = sum(p.numel() for p in model.parameters())
    print(f"{name}: {parameters} parameters, least share {min(shares.values()):.3f} of {len(shares)} blocks")


for name in sys.argv[1:] or CONFIGURATIONS:
    make(name, CONFIGURATIONS[name])
print(f"torch {torch.__version__}, diffusers {diffusers.__version__}")
