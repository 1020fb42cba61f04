"""The settings that `Quantized` has besides those of learned rules, and their checks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from annotated_types import Ge, Le

from swarm_nca.arguments import shown
from swarm_nca.bounds import check
from swarm_nca.rules.codebook import MOST_VALUES
from swarm_nca.rules.dyadic import Directions
from swarm_nca.rules.filters import FILTERS
from swarm_nca.rules.inputs import INPUTS
from swarm_nca.suggestion import did_you_mean

Heard = Literal["slots"] | Directions
Scales = Literal["none", "mean", "output", "both"]

_HEARD = ("slots", *get_args(Directions))

#: Filters whose scale may be the mean of their latents.
_SIGNS = ("ste_sign", "approx_sign", "swish_sign")

_Reach = Annotated[float, Ge(1e-6), Le(1e6)]
_Planes = Annotated[int, Ge(1), Le(8)]


@dataclass(frozen=True)
class Bits:
    """See `Quantized` for the meaning of each setting.

    Raises:
        ValueError: a setting out of bounds.
    """

    hearing: Heard
    filters: Any
    scales: Scales
    bias: bool
    reach: float
    planes: Any = 1
    inputs: Any = "float"

    def __post_init__(self) -> None:
        _one_of("hearing", self.hearing, _HEARD)
        _one_of("scales", self.scales, get_args(Scales))
        if not isinstance(self.bias, bool):
            raise ValueError(f"bias must be true or false, got {shown(self.bias)}")
        object.__setattr__(self, "reach", check("reach", self.reach, _Reach))

    def check_for(self, layers: int, slots: int) -> None:
        """Give every layer its kind of filters, and check the settings together.

        Raises:
            ValueError: settings that do not fit a rule of so many layers and slots.
        """
        for name, known in (("filters", FILTERS), ("inputs", INPUTS)):
            kinds = _for_all(name, getattr(self, name), str, layers)
            known_kinds = ("float", *known)
            object.__setattr__(
                self, name, tuple(_one_of(name, kind, known_kinds) for kind in kinds)
            )
        planes = _for_all("planes", self.planes, int, layers)
        object.__setattr__(self, "planes", planes)
        for kind, count in zip(self.filters, planes, strict=True):
            _check_planes(kind, count)
        if self.scales == "mean" and (others := set(self.filters) - {*_SIGNS, "float"}):
            raise ValueError(
                f"scales: mean is for {', '.join(_SIGNS)}, got {', '.join(sorted(others))}"
            )
        if max(self.planes) > 1 and self.scales in ("none", "mean"):
            raise ValueError(
                f"filters of several planes need scales: output or both, not {self.scales}"
            )
        if self.hearing != "slots" and slots != 9:
            raise ValueError(
                f"hearing {self.hearing!r} filters a 3×3 patch: it needs 9 slots, got {slots}"
            )


def most_planes(kind: str) -> int:
    """The largest number of planes of a kind of filters."""
    return 1 if kind == "float" else int(math.log(MOST_VALUES, FILTERS[kind].codes_in_use) + 1e-9)


def _one_of(name: str, value: Any, known: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in known:
        hint = did_you_mean(value, known) if isinstance(value, str) else ""
        raise ValueError(f"{name} must be one of {', '.join(known)}, got {shown(value)}{hint}")
    return value


def _for_all(name: str, given: Any, kind: type, layers: int) -> tuple[Any, ...]:
    """One value for each layer."""
    values = (given,) * layers if isinstance(given, kind) else given
    if not isinstance(values, tuple | list) or len(values) != layers:
        raise ValueError(
            f"{name} is one value for all layers, or one for each of the {layers} layers, got "
            f"{shown(given)}"
        )
    return tuple(values)


def _check_planes(kind: str, planes: Any) -> None:
    check("planes", planes, _Planes)
    most = most_planes(kind)
    if planes > most:
        raise ValueError(
            f"planes of {kind} filters are at most {most}, so that a weight has at most "
            f"{MOST_VALUES} values, got {planes}"
        )
