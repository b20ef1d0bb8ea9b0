"""Writes random_torch.tsv and random_numpy.tsv: what PyTorch's and NumPy's generators draw, as bit patterns.

Each line is one call on the generator of the last `seed` line: call, its arguments (space separated), FNV-1a (64 bits)
of the result's little-endian bytes, the first and the last values as hexadecimal bit patterns.
"""
import struct
import numpy as np
import torch


def fnv(data):
    h = 0xCBF29CE484222325
    for b in data:
        h = ((h ^ b) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return h


def line(call, arguments, values):
    values = np.ascontiguousarray(values)
    width = values.dtype.itemsize
    bits = values.view({4: np.uint32, 8: np.uint64}[width])
    text = [format(int(b), "0%dx" % (2 * width)) for b in bits]
    head, tail = text[:20], text[20:][-4:]
    return "\t".join([call, arguments, format(fnv(values.tobytes()), "016x"), " ".join(head), " ".join(tail)])


def torch_lines():
    types = {"f32": torch.float32, "f64": torch.float64}
    yield "# torch %s, capability %s" % (torch.__version__, torch.backends.cpu.get_cpu_capability())

    def seed(value):
        torch.manual_seed(value)
        return "seed\t%d" % value

    def call(name, *a):
        arguments = " ".join(str(x) for x in a)
        if name == "randn":
            r = torch.randn(a[1], dtype=types[a[0]])
        elif name == "rand":
            r = torch.rand(a[1], dtype=types[a[0]])
        elif name == "normal":
            r = torch.empty(a[1], dtype=types[a[0]]).normal_(a[2], a[3])
        elif name == "uniform":
            r = torch.empty(a[1], dtype=types[a[0]]).uniform_(a[2], a[3])
        elif name == "randint":
            r = torch.randint(a[0], (a[1],))
        elif name == "randperm":
            r = torch.randperm(a[0])
        return line(name, arguments, r.numpy())

    for dtype in types:
        for n in list(range(1, 65)) + [100, 1000, 16383, 16384, 16385]:
            yield seed(n)
            yield call("randn", dtype, n)
        for s in (0, 42, 2**31, 2**32 - 1, 2**32 + 7, 2**63 + 5):
            yield seed(s)
            yield call("randn", dtype, 16384)
            yield call("rand", dtype, 1000)
        yield seed(3)
        for n in (5, 20, 3, 16, 15, 1, 33):
            yield call("randn", dtype, n)
            yield call("rand", dtype, 3)
    yield seed(4)
    for name, *a in [("randn", "f32", 5), ("randn", "f64", 3), ("randn", "f32", 20), ("rand", "f32", 3),
                     ("randint", 10, 5), ("randn", "f64", 17), ("randperm", 10), ("randn", "f64", 1),
                     ("randn", "f32", 7), ("randint", 2**40, 3), ("randn", "f32", 640), ("randn", "f32", 2)]:
        yield call(name, *a)
    yield seed(5)
    for dtype in types:
        for n in (7, 16, 1001):
            yield call("normal", dtype, n, 0.3, 1.7)
            yield call("normal", dtype, n, -2.5, 0.02)
            yield call("uniform", dtype, n, -0.1767766952966369, 0.1767766952966369)
            yield call("uniform", dtype, n, 1.0, 3.5)
    yield seed(6)
    for bound in (1, 2, 10, 1000, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 2**48, 2**62):
        yield call("randint", bound, 64)
    yield seed(7)
    for n in (0, 1, 2, 10, 1000, 60000):
        yield call("randperm", n)


def numpy_lines():
    yield "# numpy %s" % np.__version__
    for s in (0, 1, 42, 12345, 2**32 - 1, 2**32, 2**40 + 9):
        r = np.random.RandomState(s if s < 2**32 else [s % 2**32, s // 2**32])
        yield "seed\t%d" % s
        for n in (1, 4, 7, 1000):
            yield line("randn", "f64 %d" % n, r.randn(n))
            yield line("randn", "f32 %d" % n, r.randn(n).astype(np.float32))
            yield line("rand", "f64 %d" % n, r.random_sample(n))
            yield line("normal", "f64 %d 0.3 1.7" % n, r.normal(0.3, 1.7, n))
            yield line("uniform", "f64 %d -0.5 2.5" % n, r.uniform(-0.5, 2.5, n))
        for bound in (1, 2, 10, 1000, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 2**62):
            yield line("randint", "%d 32" % bound, r.randint(bound, size=32, dtype=np.int64))
        for n in (0, 1, 2, 10, 1000):
            yield line("randperm", "%d" % n, r.permutation(n))


for name, lines in (("random_torch.tsv", torch_lines()), ("random_numpy.tsv", numpy_lines())):
    with open(name, "w") as f:
        f.write("".join(l + "\n" for l in lines))
