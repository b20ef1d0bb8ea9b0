"""Goldens of single layers: PyTorch's default initialisation after torch.manual_seed(0) and the layers' outputs.

    /opt/peers/bin/python Tests/Golden/make_layers.py
"""

import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

HERE = pathlib.Path(__file__).parent
LAYERS = {
    "linear": (lambda: nn.Linear(5, 7), (2, 3, 5)),
    "convolution": (lambda: nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2), (2, 4, 7, 5)),
    "transposed": (lambda: nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2), (2, 4, 4, 3)),
    "group_norm": (lambda: nn.GroupNorm(3, 6), (2, 6, 3, 4)),
    "layer_norm": (lambda: nn.LayerNorm(9), (2, 3, 9)),
    "rms_norm": (lambda: nn.RMSNorm(9, eps=1e-6), (2, 3, 9)),
    "mish": (lambda: nn.Mish(), (40,)),
}

tensors = {}
for name, (make, shape) in LAYERS.items():
    torch.manual_seed(0)
    layer = make()
    x = 3 * torch.randn(shape)
    tensors[f"{name}.x"] = x
    tensors[f"{name}.y"] = layer(x).detach()
torch.manual_seed(0)
tensors["embedding.y"] = nn.Embedding(6, 3)(torch.tensor([5, 0, 5])).detach()
save_file({k: v.contiguous() for k, v in tensors.items()}, HERE / "layers.safetensors", metadata={"torch": torch.__version__})
