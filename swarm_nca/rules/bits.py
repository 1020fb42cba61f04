"""The settings that `Quantized` has besides those of learned rules, and their checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from annotated_types import Ge, Le

from swarm_nca.arguments import shown
from swarm_nca.bounds import check
from swarm_nca.rules.dyadic import Directions
from swarm_nca.rules.filters import FILTERS
from swarm_nca.suggestion import did_you_mean

Heard = Literal["slots"] | Directions
Scales = Literal["none", "mean", "output", "both"]

_HEARD = ("slots", *get_args(Directions))

#: Filters whose scale may be the mean of their latents.
_SIGNS = ("ste_sign", "approx_sign", "swish_sign")

_Reach = Annotated[float, Ge(1e-6), Le(1e6)]


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
        object.__setattr__(self, "filters", _kinds(self.filters, layers))
        if self.scales == "mean" and (others := set(self.filters) - {*_SIGNS, "float"}):
            raise ValueError(
                f"scales: mean is for {', '.join(_SIGNS)}, got {', '.join(sorted(others))}"
            )
        if self.hearing != "slots" and slots != 9:
            raise ValueError(
                f"hearing {self.hearing!r} filters a 3×3 patch: it needs 9 slots, got {slots}"
            )


def _one_of(name: str, value: Any, known: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in known:
        hint = did_you_mean(value, known) if isinstance(value, str) else ""
        raise ValueError(f"{name} must be one of {', '.join(known)}, got {shown(value)}{hint}")
    return value


def _kinds(given: Any, layers: int) -> tuple[str, ...]:
    kinds = (given,) * layers if isinstance(given, str) else given
    if not isinstance(kinds, tuple | list) or len(kinds) != layers:
        raise ValueError(
            f"filters is one kind, or one for each of the {layers} layers, got {shown(given)}"
        )
    return tuple(_one_of("filters", kind, ("float", *FILTERS)) for kind in kinds)
