#!/usr/bin/env python3
"""Writes Tests/Golden/recipes: small pictures with the texts that other tools leave in theirs, and NAME.json beside each:
the recipe that must come out, and the fields that cannot be honoured.

The texts follow AUTOMATIC1111's web UI (1.4 to 1.10), ComfyUI (graphs as run and as drawn) and stable-diffusion.cpp (with and
without its JSON). Pillow 13.0.0 writes the files:

  python Tests/Golden/make_recipes.py
"""
import json, pathlib, shutil
from PIL import Image
from PIL.PngImagePlugin import PngInfo

OUT = pathlib.Path(__file__).resolve().parent / "recipes"
shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir()
SMALL = Image.new("RGB", (4, 4), (90, 120, 60))


def expect(name, recipe, remarks):
    (OUT / f"{name}.json").write_text(json.dumps({"recipe": recipe, "remarks": remarks}, indent=1, sort_keys=True) + "\n")


def png(name, texts, recipe, remarks):
    info = PngInfo()
    for key, text in texts.items():
        if all(ord(c) < 256 for c in text): info.add_text(key, text)
        else: info.add_itxt(key, text)
    SMALL.save(OUT / f"{name}.png", pnginfo=info)
    expect(name, recipe, remarks)


# AUTOMATIC1111 --------------------------------------------------------------------------------------------------------
png("webui_new", {"parameters": (
    "a (red:1.3) fox, [snow] <lora:ink_wash:0.7>, masterpiece\nsecond line\n"
    "Negative prompt: blurry, \nlow quality\n"
    "Steps: 28, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6.5, Seed: 965400086, Size: 512x768, Model hash: 45dee52b, "
    "Model: dreamshaper_8, VAE hash: 63aeecb9, VAE: vae-ft-mse.safetensors, Clip skip: 2, RNG: CPU, "
    'Lora hashes: "ink_wash: 0a1b2c3d", Version: v1.10.1')},
    dict(prompt="a (red:1.3) fox, [snow], masterpiece\nsecond line", negative="blurry,\nlow quality", steps=28, sampler="dpm++2m",
         schedule="karras", guidance=6.5, seed=965400086, width=512, height=768, clipSkip=2, rng="torch"),
    ["lora", "Model", "VAE"])
png("webui_old", {"parameters": (
    "ein Fuchs — 狐, snow\nSteps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 4294967295, Size: 640x512, Model hash: cc6cb27103, "
    "Model: v1-5-pruned-emaonly, Denoising strength: 0.55, ENSD: 31337, Hires upscale: 2, Hires upscaler: Latent, Version: v1.4.0")},
    # Of 20 steps int(0.55 * 20) + 1 are made.
    dict(prompt="ein Fuchs — 狐, snow", steps=20, sampler="dpm++2m", schedule="karras", guidance=7, seed=4294967295, width=640,
         height=512, rng="philox", hires=2, hiresStrength=0.6),
    ["Model", "ENSD"])
# A second pass with steps of its own over latents enlarged otherwise, an adapter that only its hash names, and one over pixels.
png("webui_hires", {"parameters": (
    "a fox <lora:ink:0.5:1>\nSteps: 20, Sampler: Euler a, Schedule type: Uniform, CFG scale: 7, Seed: 5, Size: 512x512, Model: sd15, "
    "Denoising strength: 0.7, RNG: CPU, Hires upscale: 1.5, Hires steps: 10, Hires upscaler: Latent (bicubic), "
    'Lora hashes: "ink: 0a1b2c3d4e5f, wash: 001122334455", Seed resize from: 384x384, Version: v1.10.1')},
    dict(prompt="a fox", steps=20, sampler="euler-a", schedule="uniform", guidance=7, seed=5, width=512, height=512, rng="torch", hires=1.5,
         hiresSteps=10, hiresStrength=0.8),
    ["lora", "Lora hashes", "Model", "Hires upscaler", "Seed resize from"])
png("webui_pixels", {"parameters": (
    "a fox\nSteps: 20, Sampler: DDIM, CFG scale: 7, Seed: 5, Size: 512x512, Model: sd15, Denoising strength: 0.4, RNG: CPU, "
    "Hires upscale: 2, Hires upscaler: R-ESRGAN 4x+, Version: v1.10.1")},
    dict(prompt="a fox", steps=20, sampler="ddim", schedule="leading", guidance=7, seed=5, width=512, height=512, rng="torch"),
    ["Model", "Denoising strength", "Hires upscale", "Hires upscaler"])
# As the web UI saves a JPEG: the same text in EXIF's user comment. "Automatic" is the sampler's own schedule.
text = ("a lighthouse, \"quoted\", 4:3\nNegative prompt: fog\nSteps: 30, Sampler: Euler a, Schedule type: Automatic, CFG scale: 7.5, Seed: 1, "
        "Size: 512x512, Model: sd15, Eta: 0.8, Variation seed: 7, Variation seed strength: 0.1, RNG: NV, "
        'Template: "a, b: \\"c\\"", Version: 1.9.4')
exif = Image.Exif()
exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + text.encode("utf-16-be")
SMALL.save(OUT / "webui_exif.jpg", exif=exif.tobytes())
expect("webui_exif", dict(prompt='a lighthouse, "quoted", 4:3', negative="fog", steps=30, sampler="euler-a", schedule="uniform", guidance=7.5,
                          seed=1, width=512, height=512, eta=0.8, rng="philox",
                          variationSeed=7, variationStrength=0.1),
       ["Model", "Template"])

# ComfyUI --------------------------------------------------------------------------------------------------------------
graph = {
    "3": {"class_type": "KSampler", "inputs": {"seed": 18446744073709551615, "steps": 20, "cfg": 8, "sampler_name": "euler_ancestral",
          "scheduler": "normal", "denoise": 1, "model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}},
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "v1-5-pruned-emaonly.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 448, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a glass bottle, galaxy", "clip": ["4", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "text, watermark", "clip": ["4", 1]}},
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "ComfyUI", "images": ["8", 0]}},
}
png("comfy_default", {"prompt": json.dumps(graph), "workflow": json.dumps({"nodes": [], "links": []})},
    dict(prompt="a glass bottle, galaxy", negative="text, watermark", steps=20, sampler="euler-a", schedule="uniform", guidance=8,
         seed=18446744073709551615, width=512, height=448, rng="torch"), ["ckpt_name"])
graph = {
    "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sdxl.safetensors"}},
    "2": {"class_type": "LoraLoader", "inputs": {"lora_name": "ink.safetensors", "strength_model": 0.8, "strength_clip": 1.0,
          "model": ["1", 0], "clip": ["1", 1]}},
    "3": {"class_type": "CLIPSetLastLayer", "inputs": {"stop_at_clip_layer": -2, "clip": ["2", 1]}},
    "4": {"class_type": "PrimitiveString", "inputs": {"value": "a (red:1.4) fox"}},
    "5": {"class_type": "CLIPTextEncode", "inputs": {"text": ["4", 0], "clip": ["3", 0]}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["3", 0]}},
    "7": {"class_type": "ControlNetApply", "inputs": {"conditioning": ["5", 0], "strength": 0.5}},
    "8": {"class_type": "EmptyLatentImage", "inputs": {"width": 1024, "height": 1024, "batch_size": 4}},
    "9": {"class_type": "KSampler", "inputs": {"seed": 7, "steps": 25, "cfg": 5.5, "sampler_name": "dpmpp_2m_sde_gpu", "scheduler": "karras",
          "denoise": 1.0, "model": ["2", 0], "positive": ["7", 0], "negative": ["6", 0], "latent_image": ["8", 0]}},
    "10": {"class_type": "LatentUpscale", "inputs": {"samples": ["9", 0], "width": 1536, "height": 1536}},
    "11": {"class_type": "KSampler", "inputs": {"seed": 8, "steps": 10, "cfg": 5.5, "sampler_name": "uni_pc", "scheduler": "simple",
           "denoise": 0.5, "model": ["2", 0], "positive": ["5", 0], "negative": ["6", 0], "latent_image": ["10", 0]}},
    "12": {"class_type": "VAEDecode", "inputs": {"samples": ["11", 0], "vae": ["1", 2]}},
    "13": {"class_type": "SaveImage", "inputs": {"images": ["12", 0]}},
}
png("comfy_lora", {"prompt": json.dumps(graph)},
    dict(prompt="a (red:1.4) fox", steps=25, sampler="dpm++2m-sde", schedule="karras", guidance=5.5, seed=7, width=1024, height=1024,
         clipSkip=2, rng="torch"),
    ["lora_name", "ckpt_name", "weights", "batch_size", "KSampler", "LatentUpscale", "PrimitiveString", "ControlNetApply"])
drawn = {"last_node_id": 9, "nodes": [
    {"id": 3, "type": "KSampler", "inputs": [{"name": "model", "link": 1}, {"name": "positive", "link": 4}, {"name": "negative", "link": 6},
     {"name": "latent_image", "link": 2}], "widgets_values": [156680208700286, "randomize", 12, 4.5, "uni_pc", "sgm_uniform", 0.75]},
    {"id": 4, "type": "CheckpointLoaderSimple", "inputs": [], "widgets_values": ["sd15.ckpt"]},
    {"id": 5, "type": "EmptyLatentImage", "inputs": [], "widgets_values": [256, 320, 1]},
    {"id": 6, "type": "CLIPTextEncode", "inputs": [{"name": "clip", "link": 3}], "widgets_values": ["a castle"]},
    {"id": 7, "type": "CLIPTextEncode", "inputs": [{"name": "clip", "link": 5}], "widgets_values": ["blur"]},
    {"id": 8, "type": "VAEDecode", "inputs": [{"name": "samples", "link": 7}], "widgets_values": []},
], "links": [[1, 4, 0, 3, 0, "MODEL"], [2, 5, 0, 3, 3, "LATENT"], [3, 4, 1, 6, 0, "CLIP"], [4, 6, 0, 3, 1, "CONDITIONING"],
             [5, 4, 1, 7, 0, "CLIP"], [6, 7, 0, 3, 2, "CONDITIONING"], [7, 3, 0, 8, 0, "LATENT"]]}
png("comfy_workflow", {"workflow": json.dumps(drawn)},
    dict(prompt="a castle", negative="blur", steps=12, sampler="unipc-bh1", schedule="sgm_uniform", guidance=4.5, seed=156680208700286,
         width=256, height=320, rng="torch"), ["denoise", "ckpt_name"])

# stable-diffusion.cpp -------------------------------------------------------------------------------------------------
line = ("a lovely cat, Version: none\nNegative prompt: dog\nSteps: 20, CFG scale: 7.000000, Guidance: 3.500000, Eta: 0.000000, Seed: 42, "
        "Size: 512x384, Model: sd-v1-4.ckpt, RNG: cuda, Sampler: euler_a discrete, Version: stable-diffusion.cpp")
png("cpp_text", {"parameters": line.replace(", Version: none", "")},
    dict(prompt="a lovely cat", negative="dog", steps=20, sampler="euler-a", schedule="uniform", guidance=7, seed=42, width=512, height=384,
         eta=0, rng="philox"), ["Guidance", "Model"])


def record(**changes):
    sampling = {"steps": 20, "eta": 0.0, "shifted_timestep": 0, "flow_shift": None, "extra_sample_args": "", "method": "dpm++2m",
                "scheduler": "karras", "custom_sigmas": [],
                "guidance": {"txt_cfg": 6.5, "img_cfg": 6.5, "distilled_guidance": 3.5, "slg": {"scale": 0.0, "layers": [7, 8, 9], "start": 0.01, "end": 0.2}}}
    root = {"schema": "sdcpp.image.params/v1", "mode": "img_gen", "generator": {"name": "stable-diffusion.cpp", "version": "master", "commit": "d5b268d"},
            "seed": 42, "width": 512, "height": 512, "prompt": {"positive": "a lovely cat", "negative": ""}, "sampling": sampling,
            "models": {"model": "sd-v1-4.ckpt"}, "clip_skip": -1, "strength": 0.75, "control_strength": 0.9, "rng": "cuda"}
    sampling.update(changes.pop("sampling", {}))
    root.update(changes)
    return line + ", SDCPP: " + json.dumps(root)


png("cpp_json", {"parameters": record()},
    dict(prompt="a lovely cat", steps=20, sampler="dpm++2m", schedule="karras", guidance=6.5, seed=42, width=512, height=512, rng="philox"), ["model"])
png("cpp_more", {"parameters": record(
    sampling={"method": "ddim_trailing", "custom_sigmas": [14.6, 2.5, 0.4], "eta": 0.5, "extra_sample_args": "a=1"}, seed=2**40, width=256,
    prompt={"positive": "a (red:1.3) fox", "negative": "fog"}, clip_skip=2, rng="cpu", sampler_rng="cuda",
    models={"model": "m.gguf", "vae": "v.safetensors", "control_net": "c.pth"}, loras=[{"name": "ink", "multiplier": 0.6, "is_high_noise": False}],
    hires={"enabled": True, "scale": 2.0})},
    dict(prompt="a (red:1.3) fox", negative="fog", steps=20, sampler="ddim", schedule="14.6,2.5,0.4", guidance=6.5, seed=2**40, width=256,
         height=512, clipSkip=2, eta=0.5, rng="torch"),
    ["extra_sample_args", "sampler_rng", "model", "vae", "control_net", "lora", "hires"])
print(sum(f.stat().st_size for f in OUT.iterdir()), "bytes")
