"""Writes Tests/Golden/gguf: types.gguf by the gguf package, and widened.safetensors with what its own code widens it to.

Where the package cannot quantise (Q4_K, Q5_K, Q6_K), blocks are random bytes with finite scales.
"""
import importlib.metadata
import pathlib

import gguf
import numpy
from gguf import GGMLQuantizationType as Type
from safetensors.numpy import save_file

FOLDER = pathlib.Path(__file__).parent / "gguf"
QUANTISED = [Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.Q8_0]
SCALES = {Type.Q4_K: (0, 4), Type.Q5_K: (0, 4), Type.Q6_K: (208, 210)}  # where a block's half-precision scales are


def random_blocks(kind, rows, generator):
    length, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = generator.integers(0, 256, (rows, 512 // length, size), dtype=numpy.uint8)
    first, end = SCALES[kind]
    scales = generator.normal(size=(rows, 512 // length, (end - first) // 2)).astype(numpy.float16)
    scales[0, 0, 0] = 3e-7  # subnormal
    blocks[..., first:end] = scales.view(numpy.uint8)
    return blocks.reshape(rows, -1)


def main():
    FOLDER.mkdir(exist_ok=True)
    generator = numpy.random.default_rng(5)
    writer = gguf.GGUFWriter(FOLDER / "types.gguf", "sd")
    writer.add_name("test")
    writer.add_uint32("a.count", 7)
    writer.add_int64("a.negative", -5)
    writer.add_float32("a.rate", 0.25)
    writer.add_float64("a.exact", 0.1)
    writer.add_bool("a.flag", True)
    writer.add_array("a.texts", ["x", "y\u00e4"])
    writer.add_array("a.numbers", list(range(20)))
    widened = {}
    for kind in QUANTISED + list(SCALES):
        if kind in SCALES:
            data = random_blocks(kind, 3, generator)
        else:
            values = generator.normal(size=(3, 512)).astype(numpy.float32) * 2
            values[1, :32] = 0
            data = gguf.quantize(values, kind)
        writer.add_tensor(kind.name, data, raw_dtype=kind)
        widened[kind.name] = gguf.dequantize(data, kind).astype(numpy.float32)
    plain = generator.normal(size=(2, 3, 5)).astype(numpy.float32)
    writer.add_tensor("float32", plain)
    writer.add_tensor("float64", plain.astype(numpy.float64))
    writer.add_tensor("float16", plain.astype(numpy.float16))
    writer.add_tensor("bfloat16", gguf.quantize(plain, Type.BF16), raw_dtype=Type.BF16)
    writer.add_tensor("int32", numpy.array([-1, 2 ** 31 - 1], dtype=numpy.int32))
    widened["float32"] = plain
    widened["float16"] = plain.astype(numpy.float16).astype(numpy.float32)
    widened["bfloat16"] = gguf.dequantize(gguf.quantize(plain, Type.BF16), Type.BF16).reshape(plain.shape)
    # As ComfyUI's converter does it: a convolution flattened to fit the blocks, with its shape beside it.
    convolution = generator.normal(size=(2, 32, 3, 3)).astype(numpy.float32)
    data = gguf.quantize(convolution.reshape(-1, 64), Type.Q8_0)
    writer.add_array("comfy.gguf.orig_shape.reshaped", list(convolution.shape))
    writer.add_tensor("reshaped", data, raw_dtype=Type.Q8_0)
    widened["reshaped"] = gguf.dequantize(data, Type.Q8_0).reshape(convolution.shape)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ["gguf", "numpy"])
    save_file(widened, FOLDER / "widened.safetensors", metadata={"made by": versions})


if __name__ == "__main__":
    main()
