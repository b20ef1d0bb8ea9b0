"""Writes Tests/Golden/resize: pictures and what Pillow makes of them (`Image.resize`), as PNG files.

Names: <mode>.png is the source, <mode>_<filter>_<width>x<height>.png the result.
"""
import pathlib

import numpy
import PIL
from PIL import Image

FOLDER = pathlib.Path(__file__).parent / "resize"
FILTERS = {"lanczos": Image.Resampling.LANCZOS, "bicubic": Image.Resampling.BICUBIC,
           "bilinear": Image.Resampling.BILINEAR}
SIZES = [(16, 16), (61, 50), (37, 10), (9, 29), (30, 26), (1, 1)]
MODES = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}


def main():
    FOLDER.mkdir(exist_ok=True)
    generator = numpy.random.default_rng(7)
    y, x = numpy.mgrid[0:29, 0:37]
    for mode, channels in MODES.items():
        planes = []
        for channel in range(channels):
            wave = 127 + 90 * numpy.sin(x / (3 + channel)) * numpy.cos(y / (4 - channel / 2))
            edges = 255.0 * ((x + (channel + 1) * y) % 11 > 5)
            noise = generator.integers(0, 256, x.shape)
            planes.append(numpy.where(x < 12, wave, numpy.where(y < 14, edges, noise)))
        samples = numpy.stack(planes, -1).clip(0, 255).astype(numpy.uint8)
        picture = Image.fromarray(samples[..., 0] if channels == 1 else samples, mode)
        picture.save(FOLDER / f"{mode}.png")
        for name, kind in FILTERS.items():
            for size in SIZES:
                result = picture.resize(size, kind)
                result.save(FOLDER / f"{mode}_{name}_{size[0]}x{size[1]}.png")
    (FOLDER / "versions.txt").write_text(
        f"make_resize.py, Pillow {PIL.__version__}, NumPy {numpy.__version__}\n")


main()
