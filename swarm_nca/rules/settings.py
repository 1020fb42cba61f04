"""Settings of learned rules: all that makes one besides its weights, each within its bounds.

They are checked here and nowhere else, whether they come from Python, from a file or from a
checkpoint, and before memory is taken for weights.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

from swarm_nca.rules.bounds import Real, Whole, shown
from swarm_nca.rules.readout import Readout, Rgba
from swarm_nca.rules.readouts import readout_of
from swarm_nca.rules.weight_sharing import Hearing, filters_of, shared_rows
from swarm_nca.suggestion import did_you_mean

#: The largest finite float32: thresholds are compared with states of that precision.
_FLOAT32 = float(2**128 - 2**104)
_THRESHOLD = Real(-_FLOAT32, _FLOAT32, "must be finite and fit into float32")

#: Each entry of `hidden`, and how many there may be.
HIDDEN, LAYERS = Whole(1, 16_384), 5

#: What each setting that is one number may be.
BOUNDS: dict[str, Whole | Real] = {
    "free_channels": Whole(1, 1_024),
    "slots": Whole(1, 1_024),
    "stimulus_size": Whole(0, 4_096),
    "fire_rate": Real(0.0, 1.0, "must lie between 0 and 1"),
    "noise": Real(
        0.0,
        1e6,
        "is a standard deviation, 0 or more",
        too_high="is a standard deviation of at most 1,000,000",
    ),
    "alive_above": Real(0.0, 1.0, "must lie in [0, 1)", excluded=True),
    "angle": Real(-360.0, 360.0, "is a turn in degrees, from -360 to 360"),
    "undecided_below": _THRESHOLD,
    "shown_above": _THRESHOLD,
}

#: The channels of a state.
CHANNELS = Whole(1, 2_048)

#: Numbers that one cell hears at most: slots times channels.
MOST_HEARD = 16_384

#: Numbers in all weights together, as cells use them: 64 MiB in float32.
MOST_WEIGHTS = 1 << 24

#: Channels that noise can serve: rows of the table of normal deviates are no longer.
NOISY_CHANNELS = 256


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of an `Mlp`, which says what each of them means.

    Raises:
        ValueError: a setting outside its bounds, or settings that make too large a rule together.
    """

    classes: Readout
    free_channels: int
    hidden: tuple[int, ...]
    slots: int
    stimulus_size: int
    hearing: Hearing = "slots"
    mortal: bool = False
    angle: float = 0.0
    fire_rate: float
    noise: float
    alive_above: float
    undecided_below: float
    shown_above: float

    def __post_init__(self) -> None:
        if not isinstance(self.classes, Readout):
            raise ValueError(
                "classes are given as Classes, as Classes.named('a', 'b') makes them, or as "
                f"another read-out such as Rgba(), got {shown(self.classes)}"
            )
        for name, bound in BOUNDS.items():
            object.__setattr__(self, name, bound.checked(name, getattr(self, name)))
        if not isinstance(self.hidden, tuple | list) or not 1 <= len(self.hidden) <= LAYERS:
            raise ValueError(
                f"hidden is one to {LAYERS} sizes, one for each hidden layer, got "
                f"{shown(self.hidden)}"
            )
        if not isinstance(self.mortal, bool):
            raise ValueError(f"mortal is true or false, got {shown(self.mortal)}")
        if self.mortal and not isinstance(self.classes, Rgba):
            raise ValueError("mortal cells live by their alpha channel: take the read-out Rgba()")
        if self.angle and self.hearing != "sobel":
            raise ValueError(f"angle turns Sobel filters: it goes with sobel, not {self.hearing!r}")
        sizes = (HIDDEN.checked(f"hidden_{i}", size) for i, size in enumerate(self.hidden, 1))
        object.__setattr__(self, "hidden", tuple(sizes))
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
        weights += sum(one * next_one for one, next_one in pairwise(sizes))
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
        """C: free channels, and those of the read-out."""
        return self.free_channels + self.classes.width(MOST_HEARD)

    def arguments(self) -> dict[str, Any]:
        """The settings as `Mlp` takes them."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @classmethod
    def from_json(cls, data: Any) -> Settings:
        """Settings from what `Mlp.settings` returned.

        Raises:
            ValueError: settings that no rule has, a setting missing, or one outside its bounds.
        """
        if not isinstance(data, dict):
            raise ValueError(f"settings are a mapping, got {shown(data)}")
        known = [one.name for one in fields(cls)]
        for key in data:
            if key not in known:
                raise ValueError(f"there is no setting {shown(key)}{did_you_mean(key, known)}")
        for key in known:
            # What rules had not before goes without saying.
            if key not in data and key not in ("hearing", "mortal", "angle"):
                raise ValueError(f"the setting '{key}' is missing")
        return cls(**data | {"classes": readout_of(data["classes"])})


def check_rates(fire_rate: float, noise: float) -> None:
    """A ValueError, unless cells can fire at this rate and with this noise."""
    BOUNDS["fire_rate"].checked("fire_rate", fire_rate)
    BOUNDS["noise"].checked("noise", noise)
