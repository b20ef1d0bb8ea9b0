"""Writes Tests/Golden/png: a PNG of every colour type, bit depth and interlacing, and what it holds.

The encoder here is written from the specification (W3C PNG), and shares nothing with libpng but zlib.
expected.tsv: file, width, height, channels, hexadecimal samples of 16 bits (channels interleaved).
"""
import pathlib
import random
import struct
import sys
import zlib

FOLDER = pathlib.Path(__file__).parent / "png"
WIDTH, HEIGHT = 11, 9
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16]}


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def pack(row, depth):
    """Samples of one row, most significant bits first."""
    bits = "".join(format(sample, f"0{depth}b") for pixel in row for sample in pixel)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))


def paeth(a, b, c):
    p = a + b - c
    return min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]


def filtered(rows, step):
    """Every row with the next of the five filters."""
    out, above = b"", b""
    for index, row in enumerate(rows):
        above = above or bytes(len(row))
        kind = index % 5
        line = bytearray()
        for i, value in enumerate(row):
            a = row[i - step] if i >= step else 0
            b = above[i]
            c = above[i - step] if i >= step else 0
            line.append((value - [0, a, b, (a + b) // 2, paeth(a, b, c)][kind]) % 256)
        out += bytes([kind]) + bytes(line)
        above = row
    return out


def encode(pixels, color, depth, interlaced, extra):
    step = max(1, CHANNELS[color] * depth // 8)
    grids = PASSES if interlaced else [(0, 0, 1, 1)]
    data = b""
    for x0, y0, dx, dy in grids:
        rows = [[pixels[y][x] for x in range(x0, WIDTH, dx)] for y in range(y0, HEIGHT, dy)]
        data += filtered([pack(row, depth) for row in rows if row], step)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, color, 0, 0, int(interlaced))
    body = zlib.compress(data)
    half = len(body) // 2
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", body[:half])
            + chunk(b"IDAT", body[half:]) + chunk(b"IEND", b""))


def main():
    FOLDER.mkdir(exist_ok=True)
    lines = []
    for color, depths in DEPTHS.items():
        for depth in depths:
            for transparent in [False, True] if color in (0, 2, 3) else [False]:
                for interlaced in [False, True]:
                    generator = random.Random(f"{color} {depth} {transparent} {interlaced}")
                    top = (1 << depth) - 1
                    pixels = [[[generator.randint(0, top) for _ in range(CHANNELS[color])]
                               for _ in range(WIDTH)] for _ in range(HEIGHT)]
                    extra, scale = b"", 65535 // top
                    if color == 3:
                        palette = [[generator.randint(0, 255) for _ in range(3)] for _ in range(top + 1)]
                        alphas = [generator.randint(0, 255) for _ in range(top)]  # one short of the palette
                        extra = chunk(b"PLTE", bytes(sum(palette, [])))
                        extra += chunk(b"tRNS", bytes(alphas)) if transparent else b""
                        wide = [entry + ([(alphas + [255])[i]] if transparent else [])
                                for i, entry in enumerate(palette)]
                        decoded = [[s * 257 for s in wide[p[0]]] for row in pixels for p in row]
                    else:
                        decoded = [[s * scale for s in p] for row in pixels for p in row]
                        if transparent:
                            key = pixels[4][5]
                            extra = chunk(b"tRNS", struct.pack(f">{len(key)}H", *key))
                            flat = [p for row in pixels for p in row]
                            decoded = [d + [0 if p == key else 65535] for d, p in zip(decoded, flat)]
                    name = f"c{color}d{depth}{'t' if transparent else ''}{'i' if interlaced else ''}.png"
                    (FOLDER / name).write_bytes(encode(pixels, color, depth, interlaced, extra))
                    samples = "".join(f"{s:04x}" for p in decoded for s in p)
                    lines.append(f"{name}\t{WIDTH}\t{HEIGHT}\t{len(decoded[0])}\t{samples}\n")
    version = sys.version.split()[0]
    (FOLDER / "expected.tsv").write_text(
        f"# make_png.py, Python {version}, zlib {zlib.ZLIB_VERSION}\n" + "".join(lines))


main()
