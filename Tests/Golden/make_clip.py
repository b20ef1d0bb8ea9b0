#!/usr/bin/env python3
"""CLIP at work: Tests/Golden/clip.

folder/            a small CLIPModel of transformers with its processor and a tokenizer of bytes and a few merges, half-precision weights
expected.safetensors   what transformers makes of five pictures of Tests/Golden/pictures and of texts: prepared pixels, vectors, logits
openai_*.safetensors   CLIP under OpenAI's own names, with pixels, tokens and outputs. The network here is written from the paper and
                   from the names and shapes in OpenAI's files, in plain PyTorch; as a vision transformer it is checked against
                   transformers, as a residual network it stands by itself.
openai_scripted.pt the same as OpenAI publishes its models: an archive of TorchScript.

Made with torch 2.15.0, transformers 5.24.0, Pillow 13.0.0:

  python Tests/Golden/make_clip.py
"""
import copy, json, pathlib, shutil, warnings
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPTokenizer, CLIPVisionConfig
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE / "clip"
shutil.rmtree(OUT, ignore_errors=True)
(OUT / "folder").mkdir(parents=True)
torch.manual_seed(17)


def strengthened(model, factor=1.6):
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.dim() > 1 and "embedding" not in name: value.mul_(factor)
            elif value.dim() == 1: value.add_(0.2 * torch.randn_like(value))
    return model.half().float().eval()


# transformers ---------------------------------------------------------------------------------------------------------
shutil.copytree(HERE / "pipeline_text/tokenizer", OUT / "folder", dirs_exist_ok=True)
count = len(json.loads((OUT / "folder/vocab.json").read_text()))
tokenizer = CLIPTokenizer.from_pretrained(OUT / "folder")
shape = dict(hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4)
model = strengthened(CLIPModel(CLIPConfig(
    text_config=dict(shape, vocab_size=count, max_position_embeddings=16, projection_dim=12, bos_token_id=count - 2,
                     eos_token_id=count - 1, pad_token_id=count - 1),
    vision_config=dict(shape, image_size=18, patch_size=6, projection_dim=12), projection_dim=12)), 2.2)
with torch.no_grad(): model.logit_scale.fill_(3.0)
processor = CLIPImageProcessorPil(size={"shortest_edge": 18}, crop_size={"height": 18, "width": 18})
names = ["full.jpg", "turned6.jpg", "lossless_alpha.webp", "grey.jpg", "cmyk.jpg"]
texts = ["a photo of a cat", "a photo of a red dog", "a photo of a and", "dog and cat", "cat and dog and red cat and red dog"]
pictures = [Image.open(HERE / "pictures" / f"{name}.png") for name in names]
pixels = processor(pictures, return_tensors="pt").pixel_values
tokens = tokenizer(texts, padding="max_length", max_length=16, truncation=True, return_tensors="pt").input_ids
with torch.no_grad(): out = model(input_ids=tokens, pixel_values=pixels, return_dict=True)
print("probabilities", out.logits_per_image.softmax(1))
order = (out.image_embeds @ out.text_embeds.T).argsort(0, descending=True).T.tolist()
model.half().save_pretrained(OUT / "folder", safe_serialization=True)
processor.save_pretrained(OUT / "folder")
save_file({"pixels": pixels.contiguous(), "pictures": out.image_embeds, "texts": out.text_embeds, "logits": out.logits_per_image.contiguous(),
           "probabilities": out.logits_per_image.softmax(1)}, OUT / "expected.safetensors",
          {"names": json.dumps(names), "texts": json.dumps(texts), "order": json.dumps(order)})


# OpenAI's names -------------------------------------------------------------------------------------------------------
class QuickGELU(nn.Module):
    def forward(self, x): return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.attn = nn.MultiheadAttention(width, heads)
        self.ln_1 = nn.LayerNorm(width)
        self.mlp = nn.Sequential()
        self.mlp.add_module("c_fc", nn.Linear(width, 4 * width))
        self.mlp.add_module("gelu", QuickGELU())
        self.mlp.add_module("c_proj", nn.Linear(4 * width, width))
        self.ln_2 = nn.LayerNorm(width)

    def forward(self, x, mask):
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False, attn_mask=mask)[0]
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    def __init__(self, width, layers, heads):
        super().__init__()
        self.resblocks = nn.ModuleList([Block(width, heads) for _ in range(layers)])

    def forward(self, x, mask=None):
        x = x.transpose(0, 1)
        for block in self.resblocks: x = block(x, mask)
        return x.transpose(0, 1)


class ViT(nn.Module):
    def __init__(self, side, patch, width, layers, heads, out):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, patch, patch, bias=False)
        self.class_embedding = nn.Parameter(torch.randn(width) * width ** -0.5)
        self.positional_embedding = nn.Parameter(torch.randn((side // patch) ** 2 + 1, width) * width ** -0.5)
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = Transformer(width, layers, heads)
        self.ln_post = nn.LayerNorm(width)
        self.proj = nn.Parameter(torch.randn(width, out) * width ** -0.5)

    def forward(self, x):
        x = self.conv1(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_embedding.expand(x.shape[0], 1, -1), x], 1) + self.positional_embedding
        return self.ln_post(self.transformer(self.ln_pre(x))[:, 0]) @ self.proj


class Bottleneck(nn.Module):
    """ResNet-D's bottleneck with the stride in an average before the last convolution, and before the shortcut's."""
    def __init__(self, inputs, planes, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, planes, 1, bias=False), nn.BatchNorm2d(planes)
        self.conv2, self.bn2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False), nn.BatchNorm2d(planes)
        self.conv3, self.bn3 = nn.Conv2d(planes, 4 * planes, 1, bias=False), nn.BatchNorm2d(4 * planes)
        self.pool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        self.downsample = None
        if stride > 1 or inputs != 4 * planes:
            self.downsample = nn.Sequential()
            self.downsample.add_module("-1", nn.AvgPool2d(stride))
            self.downsample.add_module("0", nn.Conv2d(inputs, 4 * planes, 1, bias=False))
            self.downsample.add_module("1", nn.BatchNorm2d(4 * planes))

    def forward(self, x):
        y = torch.relu(self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x))))))
        y = self.bn3(self.conv3(self.pool(y)))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class AttentionPool(nn.Module):
    def __init__(self, places, width, heads, out):
        super().__init__()
        self.positional_embedding = nn.Parameter(torch.randn(places + 1, width) * width ** -0.5)
        self.k_proj, self.q_proj, self.v_proj = (nn.Linear(width, width) for _ in range(3))
        self.c_proj = nn.Linear(width, out)
        self.heads = heads

    def forward(self, x):
        x = x.flatten(2).transpose(1, 2)
        x = torch.cat([x.mean(1, keepdim=True), x], 1) + self.positional_embedding
        split = lambda y: y.unflatten(-1, (self.heads, -1)).transpose(1, 2)
        y = nn.functional.scaled_dot_product_attention(split(self.q_proj(x[:, :1])), split(self.k_proj(x)), split(self.v_proj(x)))
        return self.c_proj(y.transpose(1, 2).flatten(2))[:, 0]


class ResNet(nn.Module):
    def __init__(self, side, width, stages, out):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, width // 2, 3, 2, 1, bias=False), nn.BatchNorm2d(width // 2)
        self.conv2, self.bn2 = nn.Conv2d(width // 2, width // 2, 3, padding=1, bias=False), nn.BatchNorm2d(width // 2)
        self.conv3, self.bn3 = nn.Conv2d(width // 2, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        channels = width
        for index, count in enumerate(stages):
            blocks = []
            for block in range(count):
                blocks.append(Bottleneck(channels, width << index, 2 if index and block == 0 else 1))
                channels = 4 * (width << index)
            setattr(self, f"layer{index + 1}", nn.Sequential(*blocks))
        self.attnpool = AttentionPool((side // 32) ** 2, channels, width * 32 // 64, out)

    def forward(self, x):
        for i in (1, 2, 3): x = torch.relu(getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(x)))
        x = nn.functional.avg_pool2d(x, 2)
        return self.attnpool(self.layer4(self.layer3(self.layer2(self.layer1(x)))))


class CLIP(nn.Module):
    def __init__(self, visual, context, vocabulary, width, layers, out):
        super().__init__()
        self.positional_embedding = nn.Parameter(torch.randn(context, width) * 0.1)
        self.text_projection = nn.Parameter(torch.randn(width, out) * width ** -0.5)
        self.logit_scale = nn.Parameter(torch.tensor(2.5))
        self.visual = visual
        self.transformer = Transformer(width, layers, width // 64)
        self.token_embedding = nn.Embedding(vocabulary, width)
        self.ln_final = nn.LayerNorm(width)
        self.register_buffer("attn_mask", torch.full((context, context), float("-inf")).triu(1), persistent=False)

    def forward(self, pixels, tokens):
        x = self.transformer(self.token_embedding(tokens) + self.positional_embedding, self.attn_mask)
        texts = self.ln_final(x)[torch.arange(x.shape[0]), tokens.argmax(-1)] @ self.text_projection
        pictures = self.visual(pixels)
        pictures, texts = (v / v.norm(dim=-1, keepdim=True) for v in (pictures, texts))
        return pictures, texts, self.logit_scale.exp() * pictures @ texts.T


tokens = torch.tensor([[57, 3, 8, 9, 20, 58, 0, 0], [57, 40, 2, 58, 0, 0, 0, 0], [57, 1, 1, 1, 5, 6, 7, 58]])


def save(name, model, side, factor=1.3):
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.3)
                module.running_var.uniform_(0.5, 1.5)
                module.running_mean.copy_(module.running_mean.half())
                module.running_var.copy_(module.running_var.half())
        strengthened(model, factor)
        pixels = nn.functional.interpolate(1.5 * torch.randn(3, 3, 4, 4), size=side) + 0.2 * torch.randn(3, 3, side, side)
        pictures, texts, logits = model(pixels, tokens)
    assert (logits[0] - logits[1]).abs().max() > 0.05, f"{name}: pictures hardly differ"
    print(name, logits.softmax(1))
    state = {f"model.{k}": v.half().contiguous() if v.is_floating_point() else v for k, v in model.state_dict().items()}
    save_file(state | {"pixels": pixels, "tokens": tokens.float(), "pictures": pictures, "texts": texts, "logits": logits},
              OUT / f"{name}.safetensors")
    return pixels, (pictures, texts, logits)


vit = CLIP(ViT(16, 8, 64, 1, 1, 20), 8, 60, 64, 1, 20).eval()
pixels, (pictures, texts, logits) = save("openai_vit", vit, 16)
save("openai_resnet", CLIP(ResNet(64, 4, [1, 2, 1, 1], 20), 8, 60, 64, 1, 20).eval(), 64, 2.0)

# The transformer here is transformers': the same weights under its names give the same vectors.
shape = dict(hidden_size=64, intermediate_size=256, num_attention_heads=1)
check = CLIPModel(CLIPConfig(
    text_config=dict(shape, num_hidden_layers=1, vocab_size=60, max_position_embeddings=8, eos_token_id=2),
    vision_config=dict(shape, num_hidden_layers=1, image_size=16, patch_size=8), projection_dim=20)).eval()
state, moved = vit.state_dict(), {}
for half, prefix, layers in [("text_model", "", 1), ("vision_model", "visual.", 1)]:
    for i in range(layers):
        block, own = f"{prefix}transformer.resblocks.{i}", f"{half}.encoder.layers.{i}"
        for kind in ("weight", "bias"):
            for n, part in zip("qkv", state[f"{block}.attn.in_proj_{kind}"].chunk(3)): moved[f"{own}.self_attn.{n}_proj.{kind}"] = part
            for theirs, ours in [("attn.out_proj", "self_attn.out_proj"), ("ln_1", "layer_norm1"), ("ln_2", "layer_norm2"),
                                 ("mlp.c_fc", "mlp.fc1"), ("mlp.c_proj", "mlp.fc2")]:
                moved[f"{own}.{ours}.{kind}"] = state[f"{block}.{theirs}.{kind}"]
for theirs, ours in [("token_embedding", "text_model.embeddings.token_embedding"), ("ln_final", "text_model.final_layer_norm"),
                     ("visual.conv1", "vision_model.embeddings.patch_embedding"), ("visual.ln_pre", "vision_model.pre_layrnorm"),
                     ("visual.ln_post", "vision_model.post_layernorm")]:
    for kind in ("weight", "bias"):
        if f"{theirs}.{kind}" in state: moved[f"{ours}.{kind}"] = state[f"{theirs}.{kind}"]
moved |= {"text_model.embeddings.position_embedding.weight": state["positional_embedding"], "logit_scale": state["logit_scale"],
          "vision_model.embeddings.position_embedding.weight": state["visual.positional_embedding"],
          "vision_model.embeddings.class_embedding": state["visual.class_embedding"],
          "text_projection.weight": state["text_projection"].T, "visual_projection.weight": state["visual.proj"].T}
print(check.load_state_dict(moved, strict=False))
with torch.no_grad(): found = check(input_ids=tokens, pixel_values=pixels)
for ours, theirs in [(pictures, found.image_embeds), (texts, found.text_embeds), (logits, found.logits_per_image)]:
    assert torch.allclose(ours, theirs, atol=2e-5), (ours - theirs).abs().max()

small = CLIP(ViT(16, 8, 64, 1, 1, 20), 8, 60, 64, 1, 20).eval().half().float()
small.register_buffer("input_resolution", torch.tensor(16)), small.register_buffer("context_length", torch.tensor(8))
with torch.no_grad(): expected = small(pixels, tokens)
save_file({"pixels": pixels, "tokens": tokens.float(), "pictures": expected[0], "texts": expected[1], "logits": expected[2]},
          OUT / "openai_scripted.safetensors")
torch.jit.trace(copy.deepcopy(small).half(), (pixels.half(), tokens), check_trace=False).save(str(OUT / "openai_scripted.pt"))
print(sum(f.stat().st_size for f in OUT.rglob("*") if f.is_file()), "bytes")
