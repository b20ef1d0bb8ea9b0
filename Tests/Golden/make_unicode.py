"""Writes Sources/TextTokenizer/Unicode/UnicodeTableData.swift: the Unicode properties that tokenizers 0.23.3 uses.

It mixes three versions of Unicode (its regular expressions, its lower-casing and its normalisation), and Swift's own
tables change with the system, so the properties are asked of tokenizers itself, code point by code point. What it cannot
be asked for directly (the combining class and the pairs of a composition) comes from Python's unicodedata (14.0), less what
tokenizers does not know; that the two agree is checked here.

Run in this folder: python make_unicode.py
"""
import base64
import unicodedata

from tokenizers import Regex, normalizers, pre_tokenizers

POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
PATTERN = r"""<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"""
split = pre_tokenizers.Split(Regex(PATTERN), behavior="removed", invert=True).pre_tokenize_str
compose = normalizers.NFC().normalize_str
lower = normalizers.Lowercase().normalize_str

out = bytearray()


def put(value):
    """A number of any sign: zigzag, then seven bits a byte, the lowest first."""
    value = value * 2 if value >= 0 else -value * 2 - 1
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)


def ranges(points):
    result = []
    for c in points:
        if result and result[-1][1] == c - 1:
            result[-1][1] = c
        else:
            result.append([c, c])
    return result


def kind(c):
    pieces = len(split(chr(c) * 2))
    if pieces == 0:
        return "space"
    if pieces == 2:
        return "number"
    return "letter" if len(split("a%sa" % chr(c))) == 1 else "other"


kinds = {c: kind(c) for c in POINTS}
spaces = [c for c in POINTS if kinds[c] == "space"]
collapse = normalizers.Replace(Regex(r"\s+"), " ").normalize_str
assert spaces == [c for c in POINTS if collapse("a%sb" % chr(c)) == "a b"]
for name in ("letter", "number", "space"):
    runs = ranges(c for c in POINTS if kinds[c] == name)
    put(len(runs))
    end = 0
    for first, last in runs:
        put(first - end)
        put(last - first)
        end = last

# Lower case: runs of code points with one stride and one distance. U+0130 alone becomes two and stands in the code.
lowered = {c: lower(chr(c)) for c in POINTS if lower(chr(c)) != chr(c)}
assert [c for c, text in lowered.items() if len(text) > 1] == [0x130] and lowered.pop(0x130) == "i\u0307"
runs = []
for c, text in lowered.items():
    distance = ord(text) - c
    if runs:
        first, count, stride, same = runs[-1]
        step = c - (first + (count - 1) * stride)
        if same == distance and (count == 1 and step <= 2 or step == stride):
            runs[-1] = (first, count + 1, step, same)
            continue
    runs.append((c, 1, 1, distance))
put(len(runs))
start = 0
for first, count, stride, distance in runs:
    for value in (first - start, count, stride, distance):
        put(value)
    start = first

# Combining classes: a mark moves behind U+0334 (class 1) or before U+0345 (class 240) exactly where it has one.
marks = [c for c in POINTS
         if compose(chr(c) + "\u0334") == "\u0334" + chr(c) or compose("\u0345" + chr(c)) == chr(c) + "\u0345"]
marks = sorted(set(marks) | {c for c in POINTS if unicodedata.combining(chr(c)) in (1, 240) and c < 0x800})
classes = {c: unicodedata.combining(chr(c)) for c in marks}
assert all(classes.values())
sample = {value: chr(c) for c, value in reversed(classes.items())}
for c, value in classes.items():
    for other, mark in sample.items():
        for text in ("q" + chr(c) + mark, "q" + mark + chr(c)):
            assert compose(text) == unicodedata.normalize("NFC", text), (c, other)
runs = []
for c, value in classes.items():
    if runs and runs[-1][0] + runs[-1][1] == c and runs[-1][2] == value:
        runs[-1][1] += 1
    else:
        runs.append([c, 1, value])
put(len(runs))
start = 0
for first, count, value in runs:
    for number in (first - start, count, value):
        put(number)
    start = first

# Canonical decompositions, one step each: 0 a single, 1 a pair that composes again, 2 a pair that does not.
pairs = []
for c in POINTS:
    parts = unicodedata.decomposition(chr(c)).split()
    if parts and parts[0][0] != "<":
        parts = [int(part, 16) for part in parts]
        text = "".join(map(chr, parts))
        if compose(text) == text and unicodedata.normalize("NFC", text) == chr(c):
            print("tokenizers does not compose U+%04X" % c)
            continue
        assert compose(text) == unicodedata.normalize("NFC", text)
        pairs.append((c, parts, len(parts) - 1 if compose(chr(c)) == chr(c) or len(parts) == 1 else 2))
put(len(pairs))
start = before = 0
for c, parts, form in pairs:
    put(c - start)
    put(form)
    put(parts[0] - before)
    if form:
        put(parts[1])
    start, before = c, parts[0]

text = base64.b64encode(bytes(out)).decode()
lines = [text[i:i + 94] for i in range(0, len(text), 94)]
with open("../../Sources/TextTokenizer/Unicode/UnicodeTableData.swift", "w") as file:
    file.write("/// Made by Tests/Golden/make_unicode.py, which says what it holds and where it is from.\n"
               "enum UnicodeTableData {\n  static let base64 = \"\"\"\n    "
               + "\n    ".join(lines) + "\n    \"\"\"\n}\n")
print(len(out), "bytes", len(lines), "lines;", {k: list(kinds.values()).count(k) for k in set(kinds.values())},
      len(lowered), "lowered", len(classes), "marks", len(pairs), "decompositions")
