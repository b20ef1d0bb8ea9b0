#!/usr/bin/env python3
"""Writes Tests/Golden/pictures: JPEG, WebP and PNG files of every kind that is read, and beside each NAME.EXT what Pillow
makes of it, upright, as NAME.EXT.png.

Made with Pillow 13.0.0 (libjpeg-turbo 3.2.0, libwebp 1.6.0):

  python Tests/Golden/make_pictures.py
"""
import io, math, pathlib, shutil, struct
from PIL import Image, ImageCms, ImageOps

OUT = pathlib.Path(__file__).resolve().parent / "pictures"
shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir()
WIDTH, HEIGHT = 37, 22


def wave(x, y, channel):
    return int(127.5 + 90 * math.sin(x / (3 + channel) + channel) + 37 * math.cos(y / (2 + channel)))


def picture(mode):
    channels = len(Image.new(mode, (1, 1)).getbands())
    image = Image.new(mode, (WIDTH, HEIGHT))
    pixels = [tuple(wave(x, y, c) for c in range(channels)) for y in range(HEIGHT) for x in range(WIDTH)]
    image.putdata(pixels if channels > 1 else [p[0] for p in pixels])
    return image


def block(orientation=None, tags=None):
    exif = Image.Exif()
    if orientation: exif[0x0112] = orientation
    for tag, text in (tags or {}).items(): exif[tag] = text
    return exif


def save(name, image, **options):
    image.save(OUT / name, **options)
    expect(name)


def expect(name):
    read = ImageOps.exif_transpose(Image.open(OUT / name))
    if read.mode == "CMYK": read = read.convert("RGB")
    for key in ("exif", "icc_profile", "comment"): read.info.pop(key, None)
    read.save(OUT / f"{name}.png", exif=b"")


rgb, grey, alpha = picture("RGB"), picture("L"), picture("RGBA")
save("grey.jpg", grey, quality=85)
save("full.jpg", rgb, quality=90, subsampling="4:4:4")
save("half.jpg", rgb, quality=90, subsampling="4:2:2")
save("quarter.jpg", rgb, quality=85, subsampling="4:2:0")
save("progressive.jpg", rgb, quality=85, progressive=True)
save("restarts.jpg", rgb, quality=85, restart_marker_blocks=2)
save("plain_rgb.jpg", rgb, quality=90, keep_rgb=True)
save("cmyk.jpg", picture("CMYK"), quality=90)
save("profile.jpg", rgb, quality=90, icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
for orientation in range(1, 9):
    save(f"turned{orientation}.jpg", rgb, quality=90, subsampling="4:4:4", exif=block(orientation))
save("lossy.webp", rgb, quality=80)
save("lossy_alpha.webp", alpha, quality=80)
save("lossless.webp", rgb, lossless=True)
save("lossless_alpha.webp", alpha, lossless=True, exact=True)
save("turned6.webp", rgb, lossless=True, exif=block(6))
save("turned8.png", rgb, exif=block(8))
save("turned3_alpha.png", alpha, exif=block(3))

# What is refused: a WebP that moves.
rgb.save(OUT / "moving.webp", save_all=True, append_images=[rgb.transpose(Image.Transpose.FLIP_LEFT_RIGHT)], lossless=True)

# AUTOMATIC1111's text in a user comment: "UNICODE" and UTF-16 with the high byte first, in a block with the low byte first.
comment = "a fox — 狐\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 64x64"
for name, order in [("comment_be.jpg", "utf-16-be"), ("comment_le.jpg", "utf-16-le")]:
    exif = block(1)
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + comment.encode(order)
    save(name, rgb, quality=80, exif=exif.tobytes())
# ComfyUI's: the graph behind the maker's tags.
save("comfy.webp", rgb, quality=50, exif=block(1, {0x0110: 'prompt:{"1": {}}', 0x010F: 'workflow:{"nodes": []}'}))
(OUT / "comment.txt").write_text(comment)
print(sum(f.stat().st_size for f in OUT.iterdir()), "bytes")
