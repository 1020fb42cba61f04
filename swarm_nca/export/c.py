"""A rule in C99: one source file and one header, for machines without an operating system.

The file needs no library, allocates no memory and keeps no state: weights are constants, and one
function computes the change of a cell from its stimulus and messages. The caller owns the states,
decides which cells fire, and adds noise if it wants any.

Letters: C state channels, K neighbour slots, S stimulus values.
"""

from __future__ import annotations

import re

import torch

from swarm_nca.export import c_bits, c_whole
from swarm_nca.export.form import SLOTS, check_precision, float32_layers
from swarm_nca.export.kind import Precision
from swarm_nca.rules import Classes, Mlp, Quantized, Rule
from swarm_nca.topologies.grid import NEIGHBORHOODS

#: Numbers on one line of a table of weights.
_ACROSS = 6


def source(rule: Rule, name: str, *, precision: Precision = "float32") -> bytes:
    """The `.c` file of a rule; ASCII, but for the name of its header.

    Args:
        rule: one that is made of layers and adds to the state.
        name: the header is `NAME.h`; functions begin with `identifier(name)`.
        precision: float32.

    Raises:
        ValueError: a rule without layers, or one that replaces the state; another precision.
    """
    prefix = identifier(name)
    packed = isinstance(rule, Quantized)
    if isinstance(rule, Quantized) and rule.quantizes_inputs:
        check_precision(precision, "C")
        body, constants, scratch = c_whole.body(rule, prefix, _number)
    elif isinstance(rule, Quantized):
        check_precision(precision, "C")
        body, constants, scratch = c_bits.body(rule, prefix, _number)
    else:
        layers = float32_layers(rule, precision, "C")
        widths = [len(layer.bias) for layer in layers]
        body = [
            "\n".join(
                _table(f"weight_{n}", layer.weight) + _table(f"bias_{n}", layer.bias)
                for n, layer in enumerate(layers)
            ),
            _ADD,
            *_change(rule, prefix, widths),
        ]
        constants = 4 * sum(layer.weight.numel() + layer.bias.numel() for layer in layers)
        scratch = 4 * sum(widths[:-1])
    lines = [
        f"/* {prefix}: a swarm_nca rule of kind {rule.kind}, hash {rule.hash()[:12]}.",
        f"   Constants: {constants} bytes. Scratch on the stack: {scratch} bytes, and some words.",
        "   No allocation, no library, no state between calls. */",
        "",
        *(["#include <stdint.h>"] if packed else []),
        f'#include "{name}.h"',
        "",
        *body,
    ]
    if isinstance(rule.readout, Classes):
        lines += _decide(rule, rule.readout, prefix)
    return "\n".join([*lines, ""]).encode()


def header(rule: Rule, name: str, *, precision: Precision = "float32") -> bytes:
    """The `.h` file of a rule; see `source`."""
    if isinstance(rule, Quantized):
        check_precision(precision, "C")
    else:
        float32_layers(rule, precision, "C")
    prefix, upper = identifier(name), identifier(name).upper()
    lines = [
        f"/* {prefix}: one cell of a swarm. See the source file for the memory it needs.",
        "   A slot is a neighbour's place, on pictures row by row from the upper left; slot 4 is",
        "   the cell itself. A missing neighbour, or a lost message, is all zeros.",
        *_neighborhood(rule),
        "   */",
        f"#ifndef SWARM_NCA_{upper}_H",
        f"#define SWARM_NCA_{upper}_H",
        "",
        f"#define {upper}_CHANNELS {rule.channels}",
        f"#define {upper}_SLOTS {rule.slots}",
        f"#define {upper}_STIMULUS {rule.stimulus_size}",
        f"#define {upper}_FIRE_RATE {rule.fire_rate:.9g}",
        f"#define {upper}_NOISE {rule.noise:.9g}",
        "",
        "/* The change of the state of a cell that fires: add it to the state.",
        f"   stimulus [{rule.stimulus_size}], messages [{rule.slots}][{rule.channels}] one slot",
        f"   after another, change [{rule.channels}]. */",
        f"void {prefix}_change(const float *stimulus, const float *messages, float *change);",
    ]
    if isinstance(rule, Mlp) and rule.mortal:
        lines += [
            "",
            f"#define {upper}_ALIVE_ABOVE {_number(rule.alive_above)}",
            "/* Cells are born and die: a cell lives if channel 3 of any of its messages is above",
            "   this. Only cells that live act. After a step, set the states of those cells to 0",
            "   that did not live before it, or do not live after it. */",
        ]
    if isinstance(rule.readout, Classes):
        lines += [
            "",
            f"#define {upper}_CLASSES {len(rule.readout.names)}",
            f"extern const char *const {prefix}_class_names[{upper}_CLASSES];",
            "",
            f"/* The class that a cell with this state [{rule.channels}] says; -1: undecided. */",
            f"int {prefix}_decide(const float *state);",
        ]
    return "\n".join([*lines, "", "#endif", ""]).encode()


def _neighborhood(rule: Rule) -> list[str]:
    """The slots with a neighbour, in words, where these are not all nine."""
    even, odd = NEIGHBORHOODS[rule.neighborhood]
    if rule.slots != SLOTS or rule.neighborhood == "moore":
        return []
    slots = " ".join(map(str, even))
    if odd != even:
        slots += " where row + column is even, " + " ".join(map(str, odd)) + " where it is odd"
    shift = "; odd rows lie half a pixel to the right" if rule.neighborhood == "hexagonal" else ""
    return [f"   The grid is {rule.neighborhood}{shift}. Neighbours are in slots", f"   {slots}."]


def identifier(name: str) -> str:
    """A name as C takes it: letters, digits and underscores, no digit first."""
    plain = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return plain if plain[:1].isalpha() else f"rule_{plain}"


#: Adds weight[input] * input for every input that is not 0: half of all hidden units are.
_ADD = """
static void add(const float *input, int inputs, const float *weight, int outputs, float *output)
{
    int i, o;
    for (i = 0; i < inputs; i++) {
        const float value = input[i];
        const float *row = weight + (long)i * outputs;
        if (value == 0.0f) {
            continue;
        }
        for (o = 0; o < outputs; o++) {
            output[o] += value * row[o];
        }
    }
}

static void begin(const float *bias, int outputs, float *output)
{
    int o;
    for (o = 0; o < outputs; o++) {
        output[o] = bias[o];
    }
}

static void rectify(int units, float *unit)
{
    int u;
    for (u = 0; u < units; u++) {
        if (unit[u] < 0.0f) {
            unit[u] = 0.0f;
        }
    }
}
"""


def _change(rule: Rule, prefix: str, widths: list[int]) -> list[str]:
    heard = rule.slots * rule.channels
    last = len(widths) - 1
    units = [f"hidden_{n}" for n in range(last)] + ["change"]
    lines = [
        f"void {prefix}_change(const float *stimulus, const float *messages, float *change)",
        "{",
        *(f"    float {units[n]}[{widths[n]}];" for n in range(last)),
        f"    begin(bias_0, {widths[0]}, {units[0]});",
    ]
    if rule.stimulus_size:
        lines.append(f"    add(stimulus, {rule.stimulus_size}, weight_0, {widths[0]}, {units[0]});")
    else:
        lines.append("    (void)stimulus;")
    offset = rule.stimulus_size * widths[0]
    lines.append(f"    add(messages, {heard}, weight_0 + {offset}, {widths[0]}, {units[0]});")
    for n in range(1, len(widths)):
        before, now = units[n - 1], units[n]
        lines += [
            f"    rectify({widths[n - 1]}, {before});",
            f"    begin(bias_{n}, {widths[n]}, {now});",
            f"    add({before}, {widths[n - 1]}, weight_{n}, {widths[n]}, {now});",
        ]
    return [*lines, "}"]


def _decide(rule: Rule, readout: Classes, prefix: str) -> list[str]:
    first, names = readout.channels(rule.channels).start, readout.names
    quoted = ", ".join(_quoted(name) for name in names)
    return [
        "",
        f"const char *const {prefix}_class_names[{len(names)}] = {{{quoted}}};",
        "",
        f"int {prefix}_decide(const float *state)",
        "{",
        f"    const float *votes = state + {first};",
        "    int n, best = 0;",
        f"    for (n = 1; n < {len(names)}; n++) {{",
        "        if (votes[n] > votes[best]) {",
        "            best = n;",
        "        }",
        "    }",
        f"    return votes[best] >= {_number(rule.undecided_below)} ? best : -1;",
        "}",
        "",
    ]


def _table(name: str, values: torch.Tensor) -> str:
    numbers = [_number(value) for value in values.reshape(-1).tolist()]
    rows = (", ".join(numbers[n : n + _ACROSS]) for n in range(0, len(numbers), _ACROSS))
    body = ",\n    ".join(rows)
    return f"static const float {name}[{len(numbers)}] = {{\n    {body}\n}};\n"


def _number(value: float) -> str:
    """A float32 as a C constant, exact when it is read again."""
    return f"{value:.8e}f"


def _quoted(text: str) -> str:
    """A string constant in ASCII; other characters as the bytes of UTF-8 in octal."""
    return (
        '"'
        + "".join(
            chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?' else f"\\{byte:03o}"
            for byte in text.encode()
        )
        + '"'
    )
