"""Writes tokens/: texts with the ids of transformers' CLIPTokenizer (transformers 5.24.0, tokenizers 0.23.3).

random.jsonl.gz    40 prompts, all canonical decompositions, 10,000 random strings of all planes; the full vocabulary
blocks.tsv         for each 4,096 code points a hash of the ids of a text with every one of them (every 64th in the planes
                   that have no characters): the first code point, the number of ids, FNV-1a over them as 32 bits each
small_new/         a tokenizer.json as transformers 5 writes it, of a small vocabulary, with added tokens
small_old/         vocab.json, merges.txt and the configurations of older folders: pads with "!", added_tokens.json
small_*/ids.jsonl  texts with the ids of the folder

Run in this folder: python make_tokens.py FOLDER, where FOLDER has CLIP's vocab.json and merges.txt.
"""
import gzip
import json
import os
import random
import shutil
import sys
import tempfile
import unicodedata

from transformers import CLIPTokenizer

random.seed(20261124)
source = sys.argv[1]
os.makedirs("tokens", exist_ok=True)


def rows(tokenizer, texts):
    return "".join(json.dumps({"text": text, "ids": tokenizer(text).input_ids}, separators=(",", ":")) + "\n"
                   for text in texts)


def load(names, folder=source):
    """A tokenizer of copies of these files alone: from_pretrained takes whatever else stands in a folder."""
    copy = tempfile.mkdtemp()
    for name in names:
        shutil.copyfile(os.path.join(folder, name), os.path.join(copy, name))
    return CLIPTokenizer.from_pretrained(copy)


prompts = """a photo of an astronaut riding a horse on mars
A cinematic shot of a baby racoon wearing an intricate italian priest robe.
portrait of a 80s synthwave woman, trending on artstation, 8k, octane render, f/1.8 -- v 4
don't won't I'm you're we've she'll he'd it's 'S 'LL o'clock rock'n'roll ''s
masterpiece, best quality, (highly detailed:1.2), [blurry], 1girl, <lora:name:0.8>
café café naïve Ångström Ǆ ǅ ß ẞ İstanbul ΣΊΣΥΦΟΣ ﬁ
https://example.com/a_b-c?d=e&f=g#h user@example.com $1,234.56 50% #tag @name
日本語のテスト 中文字符 한국어 ไทย हिन्दी עברית العربية
1234567890 ¹²³ ½ Ⅷ ٣٤٥ ५६७ ① 𝟘𝟙 〇
👩‍👩‍👧‍👦 👍🏽 🏳️‍🌈 🇩🇪 ❤️ ☺ ©®™ 🤷🏿‍♂️
tabs\tand\nlines\r\n\x0b\x0c\x85 \u2028 \u3000 end\u200b\ufeff\u00ad
<|startoftext|>a<|endoftext|> b <|STARTOFTEXT|> <|EndOfText|>!!<|endoftext|
    leading and trailing spaces   """.split("\n")[:12] + [
    "", " ", "\n", "a", "!", "'", "'s", "<", "<|", "|>", "\0", "a\0b", "x" * 200, "ab" * 150, "!" * 300, "é" * 80, "😀" * 60,
    "supercalifragilisticexpialidocious" * 8, "a" * 77 + " " + "b " * 90, "..." * 40, "\u0301", "e\u0301\u0323", "한글" * 20,
    "각", "\ud7ff\ue000", "\U0010ffff\ufffe", "ＡＢＣ１２３", "mixedCASE MiXeD"]

points = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
by_category = {}
for c in points:
    by_category.setdefault(unicodedata.category(chr(c)), []).append(c)
assigned = [c for key, group in by_category.items() if key not in ("Cn", "Co") for c in group]
decomposed = [unicodedata.normalize("NFD", chr(c)) for c in assigned if unicodedata.decomposition(chr(c))[:1] not in ("", "<")]
marks = by_category["Mn"] + by_category["Mc"] + by_category["Me"]
numbers = by_category["Nd"] + by_category["Nl"] + by_category["No"]
spaces = by_category["Zs"] + by_category["Zl"] + by_category["Zp"] + [9, 10, 11, 12, 13, 0x85]
cased = by_category["Lu"] + by_category["Lt"] + by_category["Ll"]
words = " ".join(prompts[:7]).split() + ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'", "<|startoftext|>", "<|endoftext|>",
                                         "<|STARTOFTEXT|>", "<|", "|>", "<|endoftext", "'S", "'LL", "’s", "ſ"]
jamo = list(range(0x1100, 0x1113)) + list(range(0x1161, 0x1176)) + list(range(0x11A7, 0x11C3)) + [0xAC00, 0xAC1C, 0xD788]
emoji = list(range(0x1F300, 0x1F6D8)) + list(range(0x1F900, 0x1FA70)) + [0x2764, 0x2600, 0x231A]


def zwj():
    parts = [chr(random.choice(emoji)) + random.choice(["", "\ufe0f", chr(random.randrange(0x1F3FB, 0x1F400))])
             for _ in range(random.randrange(1, 4))]
    return "\u200d".join(parts)


def one(pool):
    return lambda: chr(random.choice(pool))


makers = [
    lambda: random.choice(words), lambda: random.choice(words), one(assigned), one(cased), one(marks), one(numbers),
    one(spaces), one(by_category["Cc"]), one(by_category["Cf"]), one(jamo), zwj, lambda: random.choice(decomposed),
    lambda: chr(random.choice([0xD7FF, 0xE000, 0xFFFD, 0xFFFE, 0xFFFF, 0x10000, 0x10FFFF, 0x3FFFF, 0x40000])),
    lambda: chr(random.randrange(0x10000, 0x110000)), one(points),
    lambda: chr(random.randrange(0x20, 0x7F)), lambda: chr(random.randrange(0x20, 0x250)),
    lambda: chr(random.choice(marks)) + chr(random.choice(marks)) + chr(random.choice(marks)), lambda: " "]
strings = []
while len(strings) < 10000:
    some = random.sample(makers, random.randrange(1, 6))
    strings.append("".join(random.choice(some)() for _ in range(random.randrange(1, 15))))

full = load(["vocab.json", "merges.txt"])
assert full("a photo").input_ids == [49406, 320, 1125, 49407]
with open("tokens/random.jsonl.gz", "wb") as file:
    with gzip.GzipFile(fileobj=file, mode="wb", mtime=0, filename="") as packed:
        packed.write(rows(full, prompts + [" ".join(decomposed)] + strings).encode())


def fingerprint(ids):
    value = 0xCBF29CE484222325
    for byte in b"".join(i.to_bytes(4, "little") for i in ids):
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


with open("tokens/blocks.tsv", "w") as file:
    for first in range(0, 0x110000, 0x1000):
        step = 1 if first >> 16 in (0, 1, 2, 3, 14) else 64
        block = [chr(c) for c in range(first, first + 0x1000, step) if not 0xD800 <= c < 0xE000]
        ids = full("".join("a%sa%s%s\u0301\u0323 " % (c, c, c) for c in block)).input_ids[1:-1]
        file.write("%x\t%d\t%016x\n" % (first, len(ids), fingerprint(ids)))

# A small vocabulary: the bytes, the first merges, the markers.
with open(os.path.join(source, "vocab.json")) as file:
    vocabulary = json.load(file)
with open(os.path.join(source, "merges.txt")) as file:
    merges = file.read().split("\n")[:301]
kept = sorted(vocabulary, key=vocabulary.get)[:512 + 300] + ["<|startoftext|>", "<|endoftext|>"]
kept.remove("z")  # an unknown byte
kept = {token: index for index, token in enumerate(kept)}
merges = merges[:1] + [line for line in merges[1:] if "z" not in line]
os.makedirs("tokens/small_old", exist_ok=True)


def write(path, value):
    with open("tokens/small_old/" + path, "w") as file:
        json.dump(value, file, ensure_ascii=False)


marker = {"lstrip": False, "normalized": True, "rstrip": False, "single_word": False}
write("vocab.json", kept)
with open("tokens/small_old/merges.txt", "w") as file:
    file.write("\n".join(merges) + "\n")
write("special_tokens_map.json", {
    "bos_token": {"content": "<|startoftext|>", **marker}, "eos_token": {"content": "<|endoftext|>", **marker},
    "pad_token": "!", "unk_token": {"content": "<|endoftext|>", **marker}})
write("tokenizer_config.json", {"model_max_length": 77, "pad_token": "<|endoftext|>", "tokenizer_class": "CLIPTokenizer"})
write("added_tokens.json", {"<cat-toy>": len(kept), "<Cat-Toy>_1": len(kept) + 1})
texts = [p for p in prompts if len(p) < 120] + [
    "a <cat-toy> on a table", "<CAT-TOY><cat-toy>_1s", "hello! wow!!! ! <|STARTOFTEXT|>", "sks dog, asksb", "z zoo puzzle",
    "x<a>  b y", "<a>\nB"] + strings[:40]
old = load(["vocab.json", "merges.txt", "special_tokens_map.json", "tokenizer_config.json", "added_tokens.json"],
           "tokens/small_old")
with open("tokens/small_old/ids.jsonl", "w") as file:
    file.write(rows(old, texts))
padded = old("hello", padding="max_length", max_length=10).input_ids
print("small_old pads", padded)

new = load(["vocab.json", "merges.txt"], "tokens/small_old")
new.add_tokens(["<Cat-Toy>", "sks", "<a> b"])
new.save_pretrained("tokens/small_new")
again = load(["tokenizer.json", "tokenizer_config.json"], "tokens/small_new")
with open("tokens/small_new/ids.jsonl", "w") as file:
    file.write(rows(again, texts))
