"""Settings of learned rules and their bounds.

Only this module checks settings, whether they come from Python, a file or a checkpoint. The check
happens before memory is allocated for weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Annotated, Any

from annotated_types import Ge, Le, Lt

from swarm_nca.arguments import shown
from swarm_nca.bounds import NonNegative, Share, check
from swarm_nca.rules.readout import Readout, Rgba
from swarm_nca.rules.readouts import readout_of
from swarm_nca.rules.weight_sharing import Hearing, filters_of, shared_rows
from swarm_nca.suggestion import did_you_mean

#: The largest finite float32: thresholds are compared with float32 states.
_FLOAT32 = float(2**128 - 2**104)
_Threshold = Annotated[float, Ge(-_FLOAT32), Le(_FLOAT32)]

#: The largest number of hidden layers.
LAYERS = 5

#: Bounds of the settings that are numbers.
BOUNDS: Mapping[str, Any] = {
    "free_channels": Annotated[int, Ge(1), Le(1_024)],
    "hidden": tuple[Annotated[int, Ge(1), Le(16_384)], ...],
    "slots": Annotated[int, Ge(1), Le(1_024)],
    "stimulus_size": Annotated[int, Ge(0), Le(4_096)],
    "fire_rate": Share,
    "noise": NonNegative,
    "alive_above": Annotated[float, Ge(0.0), Lt(1.0)],
    "angle": Annotated[float, Ge(-360.0), Le(360.0)],
    "undecided_below": _Threshold,
    "shown_above": _Threshold,
}

#: Channels of a state.
Channels = Annotated[int, Ge(1), Le(2_048)]

#: The neighbourhoods of pixels that a rule can name; `topologies.grid` defines them.
NEIGHBORHOODS = ("moore", "von_neumann", "hexagonal", "triangular")

#: The largest number of values in the messages to one cell: slots times channels.
MOST_HEARD = 16_384

#: The largest number of values in all weights, in the form that cells use: 64 MiB in float32.
MOST_WEIGHTS = 1 << 24

#: The largest number of channels with noise: the row length of the table of normal deviates.
NOISY_CHANNELS = 256


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of an `Mlp`; see there for their meaning.

    Raises:
        ValueError: a setting out of bounds, or settings that together make the rule too large.
    """

    classes: Readout
    free_channels: int
    hidden: tuple[int, ...]
    slots: int
    stimulus_size: int
    hearing: Hearing = "slots"
    mortal: bool = False
    angle: float = 0.0
    neighborhood: str = "moore"
    fire_rate: float
    noise: float
    alive_above: float
    undecided_below: float
    shown_above: float

    def __post_init__(self) -> None:
        if not isinstance(self.classes, Readout):
            raise ValueError(
                "classes must be Classes, such as Classes.named('a', 'b'), or another read-out, "
                f"such as Rgba(), got {shown(self.classes)}"
            )
        if not isinstance(self.hidden, tuple | list) or not 1 <= len(self.hidden) <= LAYERS:
            raise ValueError(
                f"hidden is one to {LAYERS} sizes, one for each hidden layer, got "
                f"{shown(self.hidden)}"
            )
        for name, bound in BOUNDS.items():
            object.__setattr__(self, name, check(name, getattr(self, name), bound))
        if not isinstance(self.mortal, bool):
            raise ValueError(f"mortal must be true or false, got {shown(self.mortal)}")
        if self.mortal and not isinstance(self.classes, Rgba):
            raise ValueError("mortal cells need an alpha channel: use the read-out Rgba()")
        if self.neighborhood not in NEIGHBORHOODS:
            raise ValueError(
                f"neighborhood must be one of {', '.join(NEIGHBORHOODS)}, got "
                f"{shown(self.neighborhood)}"
            )
        if self.angle and self.hearing != "sobel":
            raise ValueError(f"angle turns Sobel filters: use it with sobel, not {self.hearing!r}")
        self._check_together()

    def _check_together(self) -> None:
        channels, sizes = self.channels, self.hidden
        heard = self.slots * channels
        if heard > MOST_HEARD:
            raise ValueError(
                f"a cell hears at most {MOST_HEARD:,} numbers, got {self.slots:,} slots of "
                f"{channels:,} channels: take fewer slots or free_channels"
            )
        if self.noise and channels > NOISY_CHANNELS:
            raise ValueError(
                f"noise serves at most {NOISY_CHANNELS} channels, free ones and one per class, got "
                f"{channels:,}: take fewer free_channels"
            )
        weights = (self.stimulus_size + heard) * sizes[0] + sizes[-1] * channels
        weights += sum(rows * columns for rows, columns in pairwise(sizes))
        if weights > MOST_WEIGHTS:
            raise ValueError(
                f"its weights would be {weights:,} numbers, at most {MOST_WEIGHTS:,} are allowed: "
                "take smaller hidden, fewer slots or free_channels"
            )
        if self.hearing == "sobel":
            filters_of(self.slots)
        else:
            shared_rows(self.hearing, self.slots, channels, self.stimulus_size)

    @property
    def channels(self) -> int:
        """C: free channels plus channels of the read-out."""
        return self.free_channels + self.classes.width(MOST_HEARD)

    def of_rule(self) -> dict[str, Any]:
        """The settings that every rule has, as arguments of `Rule`."""
        names = (
            "channels",
            "slots",
            "stimulus_size",
            "fire_rate",
            "noise",
            "alive_above",
            "undecided_below",
            "shown_above",
            "neighborhood",
        )
        return {name: getattr(self, name) for name in names}

    def arguments(self) -> dict[str, Any]:
        """The settings as arguments of `Mlp`."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_json(cls, data: Any) -> Settings:
        """Settings from the result of `Mlp.settings`.

        Raises:
            ValueError: an unknown setting, a missing setting, or a setting out of bounds.
        """
        if not isinstance(data, dict):
            raise ValueError(f"settings must be a mapping, got {shown(data)}")
        known = [field.name for field in fields(cls)]
        for key in data:
            if key not in known:
                raise ValueError(f"unknown setting {shown(key)}{did_you_mean(key, known)}")
        for key in known:
            # Older files lack the settings that were added later.
            if key not in data and key not in ("hearing", "mortal", "angle", "neighborhood"):
                raise ValueError(f"the setting '{key}' is missing")
        return cls(**data | {"classes": readout_of(data["classes"])})


def check_rates(fire_rate: float, noise: float) -> None:
    """Raise a ValueError unless fire rate and noise are within bounds."""
    check("fire_rate", fire_rate, BOUNDS["fire_rate"])
    check("noise", noise, BOUNDS["noise"])
