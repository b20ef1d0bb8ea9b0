"""Writes checkpoint.safetensors with the reference writer: every element type, odd shapes and names."""
import safetensors
import torch
from safetensors.torch import save_file

tensors = {
    "weights.0.float32": torch.arange(6, dtype=torch.float32).reshape(2, 3) / 4 - 0.5,
    "weights.10.float32": torch.tensor([float("inf"), -0.0, 1e-45]),
    "weights.2.float32": torch.tensor(3.5),
    "float64": torch.tensor([1 / 3, -2.0**-1074], dtype=torch.float64),
    "float16": torch.tensor([1.5, -65504.0, 6e-8], dtype=torch.float16),
    "bfloat16": torch.tensor([1.5, -3e38, 0.1], dtype=torch.bfloat16),
    "empty": torch.zeros(0, 4),
    "bool": torch.tensor([True, False, True]),
    "uint8": torch.tensor([0, 255], dtype=torch.uint8),
    "int8": torch.tensor([-128, 127], dtype=torch.int8),
    "uint16": torch.tensor([0, 65535], dtype=torch.uint16),
    "int16": torch.tensor([-32768, 32767], dtype=torch.int16),
    "uint32": torch.tensor([0, 2**32 - 1], dtype=torch.uint32),
    "int32": torch.tensor([-(2**31), 2**31 - 1], dtype=torch.int32),
    "uint64": torch.tensor([0, 2**63 - 1], dtype=torch.uint64),
    "int64": torch.tensor([-(2**63), 2**63 - 1], dtype=torch.int64),
    "complex64": torch.tensor([1 + 2j], dtype=torch.complex64),
    "float8": torch.tensor([1.0, -2.0]).to(torch.float8_e4m3fn),
    "caf\u00e9": torch.tensor([1.0]),
    "cafe\u0301": torch.tensor([2.0]),
    "quote\" slash\\ tab\t bell\x07 delete\x7f emoji\U0001f600": torch.tensor([3.0]),
}
save_file(tensors, "checkpoint.safetensors",
          metadata={"made by": "safetensors %s,\ntorch %s" % (safetensors.__version__, torch.__version__)})
