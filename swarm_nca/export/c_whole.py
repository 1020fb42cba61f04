"""A rule quantized throughout, in C99: bits are counted, and floats come last.

Inputs become whole numbers, one bit plane after another, in words of 32 bits. A product of whole
numbers is then a sum of counts of common bits; see `rules.whole_numbers` for the formula. Only the
scale of each output, its bias, and the ranges of inputs are floats.

Letters: I inputs and O outputs of a layer, P planes, W words of 32 bits for I bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from swarm_nca.export.c_bits import FROM_HALF, numbers, table
from swarm_nca.rules import FILTERS, Quantized
from swarm_nca.rules.inputs import INPUTS
from swarm_nca.rules.whole_numbers import check_whole

_WORD = 32

#: Bit counting without a library or a special instruction.
_COUNT = """
static int count(uint32_t word)
{
    word -= word >> 1 & 0x55555555u;
    word = (word & 0x33333333u) + (word >> 2 & 0x33333333u);
    word = (word + (word >> 4)) & 0x0f0f0f0fu;
    return (int)(word * 0x01010101u >> 24);
}

/* The sum of products of two rows of codes: of some bits each, in planes of so many words. */
static int32_t product(const uint32_t *left, int left_bits, const uint32_t *right, int right_bits,
                       int words)
{
    int32_t sum = 0;
    int m, n, w;
    for (m = 0; m < left_bits; m++) {
        for (n = 0; n < right_bits; n++) {
            int both = 0;
            for (w = 0; w < words; w++) {
                both += count(left[m * words + w] & right[n * words + w]);
            }
            sum += (int32_t)both << (m + n);
        }
    }
    return sum;
}

/* Puts a code at place i of bit planes of so many words. */
static void put(int code, int i, int bits, int words, uint32_t *plane)
{
    int b;
    for (b = 0; b < bits; b++) {
        plane[b * words + i / 32] |= (uint32_t)(code >> b & 1) << (i % 32);
    }
}
"""


class _Part(NamedTuple):
    """Inputs of a layer with one range.

    Fields:
        name: of its tables.
        values: the C expression of input i.
        size: I.
        first: its first row in the layer's weights.
    """

    name: str
    values: str
    size: int
    first: int

    @property
    def words(self) -> int:
        """W."""
        return -(-self.size // _WORD)


def body(
    rule: Quantized, prefix: str, number: Callable[[float], str]
) -> tuple[list[str], int, int]:
    """Tables and the function of the change; as `c_bits.body`.

    Raises:
        ValueError: a rule that is not quantized throughout, or with sums beyond 32 bits.
    """
    check_whole(rule)
    lines, constants, widths = [], 0, [*rule.hidden, rule.channels]
    stored = rule.stored()
    for n, name in enumerate(rule.names):
        for part in _parts(rule, n, widths):
            weights, sums = _packed(rule, n, part)
            lines.append(numbers("static const uint32_t", f"{part.name}_weight", weights, 6))
            constants += 4 * len(weights)
            if INPUTS[rule.inputs[n]].whole[1]:
                lines.append(numbers("static const int32_t", f"{part.name}_sum", sums))
                constants += 4 * len(sums)
        for what in ("scale", "bias"):
            if (held := stored.get(f"{name}_{what}")) is not None:
                text, size = table(f"layer_{n}_{what}", held, number)
                lines.append(text)
                constants += size
    lines += [FROM_HALF] * (rule.bias or rule.scales != "none")
    lines.append(_COUNT)
    lines += [_reading(kind) for kind in dict.fromkeys(rule.inputs)]
    lines += _change(rule, prefix, widths, number)
    planes = [
        part.words * INPUTS[rule.inputs[n]].bits
        for n in range(len(widths))
        for part in _parts(rule, n, widths)
    ]
    return lines, constants, 4 * (sum(widths[:-1]) + max(planes))


def _parts(rule: Quantized, n: int, widths: list[int]) -> list[_Part]:
    if n:
        return [_Part(f"layer_{n}", f"hidden_{n - 1}[i]", widths[n - 1], 0)]
    heard = rule.slots * rule.channels
    messages = _Part("messages", "messages[i]", heard, rule.stimulus_size)
    if not rule.stimulus_size:
        return [messages]
    return [_Part("stimulus", "stimulus[i]", rule.stimulus_size, 0), messages]


def _packed(rule: Quantized, n: int, part: _Part) -> tuple[list[str], list[str]]:
    """Bit planes [O, P, bits, W] of a part's weights, and the sums of their codes [O, P]."""
    filters = FILTERS[rule.filters[n]]
    codes = rule.codes(rule.names[n])
    rows = codes[:, part.first : part.first + part.size].permute(2, 0, 1).numpy()
    bits = rows[:, :, None] >> np.arange(filters.bits)[:, None] & 1
    padded = np.pad(bits, [(0, 0)] * 3 + [(0, part.words * _WORD - part.size)])
    packed = np.packbits(padded.astype(np.uint8), axis=-1, bitorder="little")
    words = np.ascontiguousarray(packed).view("<u4")
    sums = rows.sum(-1).reshape(-1)
    return [f"{word}u" for word in words.reshape(-1).tolist()], [str(s) for s in sums.tolist()]


def _reading(kind: str) -> str:
    """A C function: an input divided by its range → its code."""
    inputs = INPUTS[kind]
    most, unsigned = 2**inputs.bits - 1, inputs.first == 0.0
    if not inputs.ranged and kind != "dorefa":
        above = {"ste_heaviside": "x > 0.0f", "ste_tern": "(x >= 0.05f) + (x > -0.05f)"}
        code = [f"    return {above.get(kind, 'x >= 0.0f')};"]
    else:
        low = "0.0f" if unsigned else "-1.0f"
        code = [
            f"    x = x > {low} ? x : {low};",
            "    x = x < 1.0f ? x : 1.0f;",
        ]
        if unsigned:  # halves round to even
            code += [
                f"    x *= {most}.0f;",
                "    code = (int)(x + 0.5f);",
                "    return code - (code & 1 && (float)code - x == 0.5f);",
            ]
            code.insert(0, "    int code;")
        else:
            code.append(f"    return (int)({most}.0f * (x + 1.0f) / 2.0f + 0.5f);")
    return "\n".join([f"static int read_{kind}(float x)", "{", *code, "}", ""])


def _change(
    rule: Quantized, prefix: str, widths: list[int], number: Callable[[float], str]
) -> list[str]:
    lines = [
        f"void {prefix}_change(const float *stimulus, const float *messages, float *change)",
        "{",
        *(f"    float hidden_{n}[{width}];" for n, width in enumerate(widths[:-1])),
        "    int i, o, p;",
    ]
    if not rule.stimulus_size:
        lines.append("    (void)stimulus;")
    for n, width in enumerate(widths):
        unit = f"hidden_{n}" if n < len(widths) - 1 else "change"
        bias = f"from_half(layer_{n}_bias[o])" if rule.bias else "0.0f"
        lines += [f"    for (o = 0; o < {width}; o++) {{", f"        {unit}[o] = {bias};", "    }"]
        for place, part in enumerate(_parts(rule, n, widths)):
            reach = rule.reach_of(n, place)
            lines += _added(rule, n, part, unit, width, reach, number)
    return [*lines, "}"]


def _added(
    rule: Quantized,
    n: int,
    part: _Part,
    unit: str,
    width: int,
    reach: torch.Tensor | None,
    number: Callable[[float], str],
) -> list[str]:
    """A block that adds the products of a part's inputs to the units of layer n."""
    filters, inputs, planes = FILTERS[rule.filters[n]], INPUTS[rule.inputs[n]], rule.planes[n]
    (a, b, d), (big_a, big_b, big_d) = filters.whole, inputs.whole
    size, words, bits = part.size, part.words, inputs.bits
    if size * (a << filters.bits) * (big_a << bits) >= 2**31:
        raise ValueError(
            f"{size:,} inputs of layer {n + 1} overflow sums of 32 bits: use fewer bits or inputs"
        )
    given = f"({part.values} > 0.0f ? {part.values} : 0.0f)" if n else part.values
    given = given if reach is None else f"{given} / {number(float(reach))}"
    factor = float(1.0 if reach is None else reach) / (d * big_d)
    scale = "" if rule.scales == "none" else f" * from_half(layer_{n}_scale[p * {width} + o])"
    weights = f"{part.name}_weight + (long)(o * {planes} + p) * {filters.bits * words}"
    return [
        "    {",
        f"        uint32_t plane[{bits * words}] = {{0}};",
        "        int32_t sum = 0;",
        f"        for (i = 0; i < {size}; i++) {{",
        f"            const int code = read_{rule.inputs[n]}({given});",
        f"            put(code, i, {bits}, {words}, plane);",
        "            sum += code;",
        "        }",
        f"        for (o = 0; o < {width}; o++) {{",
        f"            for (p = 0; p < {planes}; p++) {{",
        f"                const int32_t whole = {a * big_a} * product(",
        f"                    {weights}, {filters.bits},",
        f"                    plane, {bits}, {words})",
        *(
            [f"                    - {a * big_b} * {part.name}_sum[o * {planes} + p]"]
            if big_b
            else []
        ),
        f"                    - {b * big_a} * sum + {size * b * big_b};",
        f"                {unit}[o] += (float)whole * {number(factor)}{scale};",
        "            }",
        "        }",
        "    }",
    ]
