"""A quantized rule in C99: filters stay packed in their bits, and scales are 16-bit floats.

The weights of an input are unpacked while they are added: a weight is an odd integer (−1 or 1 for
one bit), or −1, 0 or 1. Inputs are scaled once before and sums once after, so that a layer takes
additions of small multiples, and one product for each input and output.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from swarm_nca.rules import FILTERS, Quantized
from swarm_nca.rules.filters import pack

#: Numbers on one line of a table.
_ACROSS = 16

#: Up to so many bits the products of an input with every code are computed first.
_LOOKED_UP = 4

#: Direction filters in sixteenths.
_SIXTEENTH = 16


def body(
    rule: Quantized, prefix: str, number: Callable[[float], str]
) -> tuple[list[str], int, int]:
    """Tables and the function of the change.

    Args:
        rule: the rule.
        prefix: of the names of functions.
        number: a float32 as a C constant.

    Returns:
        lines of C, and the bytes of constants and of the scratch on the stack.
    """
    lines, constants = [], 0
    stored = rule.stored()
    for n, (name, kind) in enumerate(zip(rule.names, rule.filters, strict=True)):
        for what in ("", "_gain", "_scale", "_bias"):
            tensor = stored.get(f"{name}{what}")
            if tensor is None:
                continue
            label = f"layer_{n}{what or '_weight'}"
            if not what and kind != "float":
                tensor = _rows_of_bytes(rule, name, kind)
            text, size = table(label, tensor, number)
            lines.append(text)
            constants += size
    fixed = rule.filtered()
    if fixed is not None:
        weights = (fixed.filters * _SIXTEENTH).round().int().T.flatten().tolist()
        lines.append(numbers("static const signed char", "directions", [str(w) for w in weights]))
        constants += len(weights)
    kinds = set(rule.filters)
    lines += [FROM_HALF] * (rule.bias or (rule.scales != "none" and kinds != {"float"}))
    lines += [_adding(bits) for bits in sorted({FILTERS[one].bits for one in kinds - {"float"}})]
    lines += [_ROW] * ("float" in kinds)
    widths = [*rule.hidden, rule.channels]
    lines += _change(rule, prefix, widths)
    padded = [width + -width % 8 for width in widths]
    return lines, constants, 4 * (sum(padded) + _longest_plane(rule, padded))


#: A C function. Exact for all finite numbers, also for those below the normal range.
FROM_HALF = """
static float from_half(uint16_t half)
{
    union { uint32_t bits; float number; } magnitude;
    magnitude.bits = (uint32_t)(half & 0x7fff) << 13;
    magnitude.number *= 5.192296858534828e33f; /* 2 to the power of 112 */
    return half & 0x8000 ? -magnitude.number : magnitude.number;
}
"""


def _adding(bits: int) -> str:
    """A function that adds the weights of one input to the sums of all outputs, eight at a time."""
    most = (1 << bits) - 1
    whole = "uint32_t" if bits <= 4 else "uint64_t"
    parts = [f"({whole})row[{n}] << {8 * n}" if n else "row[0]" for n in range(bits)]
    word = " | ".join(parts)
    if bits <= _LOOKED_UP:
        begin = [
            f"    float level[{most + 1}];",
            "    int code;",
            f"    for (code = 0; code <= {most}; code++) {{",
            "        level[code] = value * (float)(times * code - minus);",
            "    }",
        ]
        term = "level[word >> {shift} & {most}u]"
    else:
        begin = []
        term = "value * (float)(times * (int)(word >> {shift} & {most}u) - minus)"
    added = (term.format(shift=bits * n, most=most) for n in range(8))
    lines = [
        "",
        "/* Adds value * (times * code - minus) for each output. */",
        f"static void add_{bits}_bits(float value, const unsigned char *row, int times, int minus,",
        "                       int groups, float *output)",
        "{",
        *begin,
        f"    for (; groups > 0; groups--, row += {bits}, output += 8) {{",
        f"        const {whole} word = {word};",
        *(f"        output[{n}] += {one};" for n, one in enumerate(added)),
        "    }",
        "}",
    ]
    return "\n".join(lines)


_ROW = """
static void add_row(float value, const float *row, int outputs, float *output)
{
    int o;
    for (o = 0; o < outputs; o++) {
        output[o] += value * row[o];
    }
}
"""


def _rows_of_bytes(rule: Quantized, name: str, kind: str) -> torch.Tensor:
    """The codes of a layer, each input's filled up to a multiple of eight outputs."""
    codes = rule.codes(name).flatten(0, 1)
    filled = torch.nn.functional.pad(codes, (0, -codes.shape[1] % 8))
    return pack(filled, FILTERS[kind].bits)


def _change(rule: Quantized, prefix: str, widths: list[int]) -> list[str]:
    units = [f"hidden_{n}" for n in range(len(widths) - 1)] + ["sum"]
    padded = [width + -width % 8 for width in widths]
    lines = [
        f"void {prefix}_change(const float *stimulus, const float *messages, float *change)",
        "{",
        *(f"    float {unit}[{length}];" for unit, length in zip(units, padded, strict=True)),
        "    int i, o;" if rule.hearing == "slots" else "    int i, o, k, p;",
    ]
    if longest := _longest_plane(rule, padded):
        lines += [f"    float plane[{longest}];", "    int q;"]
    if not rule.stimulus_size:
        lines.append("    (void)stimulus;")
    for n, (kind, width) in enumerate(zip(rule.filters, widths, strict=True)):
        lines += _zeroed(units[n], padded[n])
        whole = rule.planes[n] > 1
        sums = "plane" if whole else units[n]
        if n:
            added = _inputs(rule, n, widths[n - 1], f"{units[n - 1]}[i]", "i", sums, width)
        else:
            added = _heard(rule, sums, width)
        if whole:
            added = [
                f"    for (q = 0; q < {rule.planes[n]}; q++) {{",
                *("    " + line for line in [*_zeroed("plane", padded[n]), *added]),
                f"        for (o = 0; o < {width}; o++) {{",
                f"            {units[n]}[o] += plane[o] * from_half("
                f"layer_{n}_scale[q * {width} + o]);",
                "        }",
                "    }",
            ]
        lines += added
        lines += _finished(rule, n, kind, units[n], width, n == len(widths) - 1)
    return [*lines, "}"]


def _zeroed(unit: str, length: int) -> list[str]:
    return [f"    for (o = 0; o < {length}; o++) {{", f"        {unit}[o] = 0.0f;", "    }"]


def _longest_plane(rule: Quantized, padded: list[int]) -> int:
    """Units of the widest layer of several planes; 0 without one."""
    widths = zip(rule.planes, padded, strict=True)
    return max((width for planes, width in widths if planes > 1), default=0)


def _heard(rule: Quantized, unit: str, width: int) -> list[str]:
    """The sums of the first layer over stimulus and messages."""
    size, channels = rule.stimulus_size, rule.channels
    lines = _inputs(rule, 0, size, "stimulus[i]", "i", unit, width) if size else []
    if rule.hearing == "slots":
        heard = rule.slots * channels
        return lines + _inputs(rule, 0, heard, "messages[i]", f"(i + {size})", unit, width)
    fixed = rule.filtered()
    sums = 0 if fixed is None else fixed.filters.shape[1]
    inner = _inputs(rule, 0, channels, "value", f"({size} + p * {channels} + i)", unit, width)
    gather = [
        "        float value = 0.0f;",
        "        for (k = 0; k < 9; k++) {",
        f"            value += (float)directions[p * 9 + k] * messages[k * {channels} + i];",
        "        }",
        f"        value /= {_SIXTEENTH}.0f;",
    ]
    inner[1:1] = gather
    return [
        *lines,
        f"    for (p = 0; p < {sums}; p++) {{",
        *("    " + one for one in inner),
        "    }",
    ]


def _inputs(
    rule: Quantized, n: int, count: int, value: str, row: str, unit: str, width: int
) -> list[str]:
    """A loop that adds the weights of `count` inputs, which begin at some row of layer n."""
    kind = rule.filters[n]
    gain = kind != "float" and rule.scales == "both"
    scaled = f"{value} * from_half(layer_{n}_gain[{row}])" if gain else value
    lines = [f"    for (i = 0; i < {count}; i++) {{"]
    if n:
        lines += [f"        if ({value} <= 0.0f) {{", "            continue;", "        }"]
    if kind == "float":
        call = f"add_row({scaled}, layer_{n}_weight + (long){row} * {width}, {width}, {unit});"
        return [*lines, f"        {call}", "    }"]
    if rule.planes[n] > 1:
        row = f"(q * {len(rule.get_parameter(rule.names[n])) // rule.planes[n]} + {row})"
    bits, groups = FILTERS[kind].bits, (width + 7) // 8
    times, minus, _ = FILTERS[kind].whole
    return [
        *lines,
        f"        add_{bits}_bits({scaled},",
        f"            layer_{n}_weight + (long){row} * {groups * bits},",
        f"            {times}, {minus}, {groups}, {unit});",
        "    }",
    ]


def _finished(rule: Quantized, n: int, kind: str, unit: str, width: int, last: bool) -> list[str]:
    """Scale and bias of each output."""
    terms = f"{unit}[o]"
    if kind != "float":
        over = FILTERS[kind].whole[2]
        if rule.scales != "none" and rule.planes[n] == 1:
            terms += f" * from_half(layer_{n}_scale[o])"
        terms += f" / {over}.0f" if over != 1 else ""
    if rule.bias:
        terms += f" + from_half(layer_{n}_bias[o])"
    into = "change" if last else unit
    if terms == f"{into}[o]":
        return []
    return [f"    for (o = 0; o < {width}; o++) {{", f"        {into}[o] = {terms};", "    }"]


def table(name: str, tensor: torch.Tensor, number: Callable[[float], str]) -> tuple[str, int]:
    """A table in C, and its bytes."""
    flat = tensor.detach().cpu().reshape(-1)
    if flat.dtype == torch.uint8:
        values = [str(int(value)) for value in flat]
        return numbers("static const unsigned char", name, values), len(values)
    if flat.dtype == torch.float16:
        words = flat.numpy().view(np.uint16).tolist()
        return numbers("static const uint16_t", name, [str(word) for word in words]), 2 * len(flat)
    values = [number(value) for value in flat.tolist()]
    return numbers("static const float", name, values, 6), 4 * len(values)


def numbers(kind: str, name: str, values: list[str], across: int = _ACROSS) -> str:
    """An array in C with its values."""
    rows = (", ".join(values[n : n + across]) for n in range(0, len(values), across))
    body = ",\n    ".join(rows)
    return f"{kind} {name}[{len(values)}] = {{\n    {body}\n}};\n"
