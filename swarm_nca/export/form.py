"""A rule as plain data: the numbers with which any program can compute its step on pictures.

A rule has one of two forms. `layers`: sums over the nine neighbour slots (the filters), then
matrix products with ReLU between them, whose result is added to the state. `table`: the index
Σ weight[slot] · bit[slot] selects the next bit. `form_of` refuses every other rule.

Letters: C state channels, S stimulus values (0 or 9), P filters, K = 9 neighbour slots.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from swarm_nca.export.kind import Precision
from swarm_nca.rules import Bit, Classes, Layer, Life, Mlp, Quantized, Readout, Rgba, Rule
from swarm_nca.topologies.grid import NEIGHBORHOODS

#: The neighbour slots of a picture, row by row; a cell's own slot is number 4.
SLOTS, OWN = 9, 4

#: The read-outs that an export can show.
_READOUTS: tuple[type[Readout], ...] = (Classes, Rgba, Bit)


@dataclass(frozen=True, eq=False)
class Form:
    """The arithmetic of a rule.

    Attributes:
        sizes: the lengths of the vectors between the layers, from the first layer's input to C;
            empty for a table.
        filters: [P][K], how much of each slot's message goes into each sum; None where every slot
            stands for itself (P = K).
        weights: for each layer its weight [in, out] and its bias [out], float32.
        table: the weights of the slots and the next bit for each index; None for layers.
    """

    sizes: tuple[int, ...] = ()
    filters: list[list[float]] | None = None
    weights: list[npt.NDArray[np.float32]] = field(default_factory=list)
    table: dict[str, list[int]] | None = None

    def packed(self, precision: Precision) -> str:
        """All weights in order, little-endian, as base64.

        Raises:
            ValueError: a weight beyond the range of float16.
        """
        if not self.weights:
            return ""
        flat = np.concatenate([weight.reshape(-1) for weight in self.weights])
        with np.errstate(over="ignore"):
            numbers = flat.astype("<f2" if precision == "float16" else "<f4")
        if not np.isfinite(numbers).all():
            largest = float(np.abs(flat).max())
            raise ValueError(
                f"the largest weight, {largest:.3g}, is beyond the range of float16: use float32"
            )
        return base64.b64encode(numbers.tobytes()).decode()


def form_of(rule: Rule) -> Form:
    """The form of a rule.

    Raises:
        ValueError: a rule of another family than those of `_FORMS`, for other slots or stimulus
            than pictures have, or with a read-out that no export shows.
    """
    make = _FORMS.get(type(rule))
    if make is None:
        raise ValueError(
            f"rules of kind {rule.kind!r} cannot be exported; exported kinds are "
            f"{', '.join(family.kind for family in _FORMS)}"
        )
    if rule.slots != SLOTS or rule.stimulus_size not in (0, SLOTS):
        raise ValueError(
            f"an export runs on pictures, with {SLOTS} slots and 0 or {SLOTS} stimulus values; "
            f"this rule has {rule.slots} slots and {rule.stimulus_size} stimulus values"
        )
    if not isinstance(rule.readout, _READOUTS):
        raise ValueError(
            f"an export shows the read-outs {', '.join(one.kind for one in _READOUTS)}; "
            f"this rule has {rule.readout.kind!r}"
        )
    return make(rule)


def settings_of(rule: Rule) -> dict[str, Any]:
    """Everything besides the form that a program needs to run a rule and to show its cells."""
    read = rule.readout.channels(rule.channels)
    habitat = rule.habitat
    return {
        "channels": rule.channels,
        "senses": habitat.senses and rule.stimulus_size == SLOTS,
        "mortal": isinstance(rule, Mlp) and rule.mortal,
        "aliveAbove": rule.alive_above,
        "sprout": None if habitat.sprout is None else list(habitat.sprout),
        "hears": [list(slots) for slots in NEIGHBORHOODS[rule.neighborhood]],
        "neighborhood": rule.neighborhood,
        "fireRate": rule.fire_rate,
        "noise": rule.noise,
        "readout": {
            "kind": rule.readout.kind,
            "title": rule.readout.title,
            "names": list(rule.readout.names),
            "colors": [list(color) for color in rule.readout.colors],
            "silent": rule.readout.silent,
            "first": read.start,
            "shownAbove": rule.shown_above,
            "channelNames": list(rule.readout.channel_names),
        },
    }


def check_precision(precision: Precision, what: str) -> None:
    """Raise a ValueError unless the precision is float32."""
    if precision != "float32":
        raise ValueError(f"the {what} file holds float32 weights, not {precision}: use float32")


def float32_layers(rule: Rule, precision: Precision, what: str) -> list[Layer]:
    """The layers of a rule on the CPU, without gradients, for a file that holds float32 weights.

    Args:
        what: the kind of file, for messages.

    Raises:
        ValueError: another precision, a rule without layers, or one that replaces the state.
    """
    check_precision(precision, what)
    if rule.update != "add":
        raise ValueError(
            f"the {what} file adds to the state, and rules of kind {rule.kind!r} replace it"
        )
    _check_inputs(rule)
    layers = rule.layers()
    if layers is None:
        raise ValueError(
            f"the {what} file is made from a rule's layers, and {rule.kind!r} has none"
        )
    return [Layer(*(part.detach().float().cpu() for part in layer)) for layer in layers]


def _check_inputs(rule: Rule) -> None:
    if isinstance(rule, Quantized) and rule.quantizes_inputs:
        raise ValueError(
            "rules with quantized inputs have no layers of floats: export them to C, or set "
            "rule.inputs: float"
        )


def _mlp(rule: Rule) -> Form:
    _check_inputs(rule)
    filtered = rule.filtered()
    layers = rule.layers() if filtered is None else filtered.layers
    if layers is None:
        raise ValueError(f"rules of kind {rule.kind!r} give no layers to export")
    filters = None if filtered is None else filtered.filters.T.tolist()
    inputs = [layer.weight.shape[0] for layer in layers]
    return Form((*inputs, rule.channels), filters, _arrays(layers))


def _arrays(layers: Sequence[Layer]) -> list[npt.NDArray[np.float32]]:
    return [np.asarray(one.detach().cpu().numpy(), np.float32) for layer in layers for one in layer]


def _life(rule: Rule) -> Form:
    """Index 9 · own + living neighbours."""
    if not isinstance(rule, Life):
        raise TypeError(f"a rule of Life is expected, got {type(rule).__name__}")
    slots = [9 if slot == OWN else 1 for slot in range(SLOTS)]
    birth, survival = (part[1:] for part in rule.rule.split("/"))
    following = [int(str(count) in counts) for counts in (birth, survival) for count in range(9)]
    return Form(table={"slots": slots, "next": following})


#: The families that can be exported, and how.
_FORMS: dict[type[Rule], Callable[[Rule], Form]] = {
    Mlp: _mlp,
    Quantized: _mlp,
    Life: _life,
}
