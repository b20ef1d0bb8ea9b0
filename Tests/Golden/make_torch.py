"""Writes Tests/Golden/torch: files of torch.save in both formats, and their tensors by the reference safetensors writer.

Names: zip.pt, legacy.pt (the older format), deflated.pt (zip.pt packed again with compression), big.pt (its numbers the
other way round), lightning.ckpt; zip.safetensors has the tensors of all but the last, made dense.
"""
import collections
import io
import pathlib
import pickle
import zipfile

import numpy
import safetensors
import torch
from safetensors.torch import save_file

FOLDER = pathlib.Path(__file__).parent / "torch"
OLD = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
       torch.uint8, torch.bool, torch.complex64]
NEW = [torch.uint16, torch.uint32, torch.uint64, torch.float8_e4m3fn, torch.float8_e5m2]
WIDTHS = {"Float": 4, "Double": 8, "Half": 2, "BFloat16": 2, "Long": 8, "Int": 4, "Short": 2, "ComplexFloat": 4}


def content(dtypes):
    """Nested dictionaries with every type, views, shared storages and plain values."""
    base = torch.arange(60, dtype=torch.float32) / 8 - 3
    halves = torch.arange(24).reshape(4, 6).to(torch.float16) / 4
    types = collections.OrderedDict()
    for dtype in dtypes:
        values = torch.tensor([3, 0, 1, 2, 100, 7]).to(dtype) if dtype != torch.bool else torch.tensor([True, False])
        types[str(dtype)[6:]] = values
    return {
        "types": types,
        "views": {
            "whole": base, "slice": base[7:19], "transposed": base.reshape(5, 12).t(), "half": halves.t(),
            "strided": base.reshape(3, 4, 5)[:, ::2, 1::3], "expanded": base[2:5].reshape(3, 1).expand(3, 4),
            "one": base[5:6].reshape(1, 1, 1), "scalar": torch.tensor(2.5), "empty": torch.zeros(0, 4),
            "channels last": torch.arange(48, dtype=torch.float32).reshape(2, 3, 2, 4).to(
                memory_format=torch.channels_last),
        },
        "list": [torch.tensor([1.0]), (torch.tensor([2.0]), 5)],
        "parameter": torch.nn.Parameter(torch.tensor([1.5, -2.0])),
        7: torch.tensor([7.0]),
        "caf\u00e9": torch.tensor([8.0]),
        "epoch": 42, "rate": 0.25, "done": False, "name": "test", "nothing": None, "large": 2 ** 70,
    }


def flat(value, name=""):
    if torch.is_tensor(value):
        return {name: value.detach().contiguous().clone()}
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else []
    return {k: v for key, inner in items for k, v in flat(inner, f"{name}.{key}" if name else str(key)).items()}


def repacked(source, target, compression, change=lambda name, data: data):
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", compression) as new:
        for info in old.infolist():
            name = zipfile.ZipInfo(info.filename)
            name.compress_type = compression
            new.writestr(name, change(info.filename, old.read(info.filename)))


class Widths(pickle.Unpickler):
    """The width of each storage's numbers, from the persistent identifiers."""

    def __init__(self, data):
        super().__init__(io.BytesIO(data))
        self.widths = {}

    def find_class(self, module, name):
        return name if name.endswith("Storage") else super().find_class(module, name)

    def persistent_load(self, identifier):
        self.widths[identifier[2]] = WIDTHS.get(identifier[1].removesuffix("Storage"), 1)
        return None


def big_endian(source, target):
    with zipfile.ZipFile(source) as archive:
        data = archive.read(next(n for n in archive.namelist() if n.endswith("data.pkl")))
    reader = Widths(data)
    real, torch._utils._rebuild_tensor_v2 = torch._utils._rebuild_tensor_v2, lambda *a: None
    parameter, torch._utils._rebuild_parameter = torch._utils._rebuild_parameter, lambda *a: None
    reader.load()
    torch._utils._rebuild_tensor_v2, torch._utils._rebuild_parameter = real, parameter

    def change(name, data):
        if name.endswith("/byteorder"):
            return b"big"
        if "/data/" not in name:
            return data
        width = reader.widths[name.rsplit("/", 1)[1]]
        return numpy.frombuffer(data, f"V{width}").view("u1").reshape(-1, width)[:, ::-1].tobytes()

    repacked(source, target, zipfile.ZIP_STORED, change)


def main():
    FOLDER.mkdir(exist_ok=True)
    old, new = content(OLD), content(OLD + NEW)
    torch.save(new, FOLDER / "zip.pt")
    torch.save(old, FOLDER / "legacy.pt", _use_new_zipfile_serialization=False)
    torch.save(old, "/tmp/old.pt")
    repacked(FOLDER / "zip.pt", FOLDER / "deflated.pt", zipfile.ZIP_DEFLATED)
    big_endian("/tmp/old.pt", FOLDER / "big.pt")
    save_file(flat(new), FOLDER / "zip.safetensors",
              metadata={"made by": f"torch {torch.__version__}, safetensors {safetensors.__version__}"})
    model = torch.nn.Linear(2, 3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.arange(parameter.numel()).reshape(parameter.shape))
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    torch.save({
        "epoch": 3, "global_step": 470000, "pytorch-lightning_version": "1.4.2", "state_dict": model.state_dict(),
        "optimizer_states": [optimizer.state_dict()], "lr_schedulers": [], "loops": None,
        "callbacks": {"ModelCheckpoint": {"best_model_score": torch.tensor(0.5), "current": numpy.float64(0.25)}},
        "hparams": collections.Counter(a=2), "seen": {1, 2},
    }, FOLDER / "lightning.ckpt")


if __name__ == "__main__":
    main()
