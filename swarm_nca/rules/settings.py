"""Settings of a rule: all that makes it besides its weights, each within its bounds.

They are checked here and nowhere else, whether they come from Python, from a file or from a
checkpoint, and before memory is taken for weights.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from swarm_nca.rules.bounds import Real, Whole, shown
from swarm_nca.rules.classes import Classes
from swarm_nca.rules.hearing import Hearing, shared_rows
from swarm_nca.suggestion import did_you_mean

#: The largest finite float32: thresholds are compared with states of that precision.
_FLOAT32 = float(2**128 - 2**104)
_THRESHOLD = Real(-_FLOAT32, _FLOAT32, "must be finite and fit into float32")

#: Both entries of `hidden`.
HIDDEN = Whole(1, 16_384)

#: What each setting that is one number may be.
BOUNDS: dict[str, Whole | Real] = {
    "free_channels": Whole(1, 1_024),
    "slots": Whole(1, 1_024),
    "stimulus_size": Whole(1, 4_096),
    "fire_rate": Real(0.0, 1.0, "must lie between 0 and 1"),
    "noise": Real(
        0.0,
        1e6,
        "is a standard deviation, 0 or more",
        too_high="is a standard deviation of at most 1,000,000",
    ),
    "alive_above": Real(0.0, 1.0, "must lie in [0, 1)", excluded=True),
    "undecided_below": _THRESHOLD,
    "shown_above": _THRESHOLD,
}

#: Numbers that one cell hears at most: slots times channels.
MOST_HEARD = 16_384

#: Numbers in all weights together, as cells use them: 64 MiB in float32.
MOST_WEIGHTS = 1 << 24

#: Channels that noise can serve: rows of the table of normal deviates are no longer.
NOISY_CHANNELS = 256


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a `Rule`, which says what each of them means.

    Raises:
        ValueError: a setting outside its bounds, or settings that make too large a rule together.
    """

    classes: Classes
    free_channels: int
    hidden: tuple[int, int]
    slots: int
    stimulus_size: int
    hearing: Hearing = "slots"
    fire_rate: float
    noise: float
    alive_above: float
    undecided_below: float
    shown_above: float

    def __post_init__(self) -> None:
        if not isinstance(self.classes, Classes):
            raise ValueError(
                "classes are given as Classes, as Classes.named('a', 'b') makes them, got "
                f"{shown(self.classes)}"
            )
        for name, bound in BOUNDS.items():
            object.__setattr__(self, name, bound.checked(name, getattr(self, name)))
        if not isinstance(self.hidden, tuple | list) or len(self.hidden) != 2:
            raise ValueError(
                f"hidden is two sizes, one for each hidden layer, got {shown(self.hidden)}"
            )
        sizes = (HIDDEN.checked(f"hidden_{i}", size) for i, size in enumerate(self.hidden, 1))
        object.__setattr__(self, "hidden", tuple(sizes))
        self._check_together()

    def _check_together(self) -> None:
        channels, (first, second) = self.channels, self.hidden
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
        weights = (self.stimulus_size + heard + second) * first + second * channels
        if weights > MOST_WEIGHTS:
            raise ValueError(
                f"its weights would be {weights:,} numbers, at most {MOST_WEIGHTS:,} are allowed: "
                "take smaller hidden, fewer slots or free_channels"
            )
        shared_rows(self.hearing, self.slots, channels, self.stimulus_size)

    @property
    def channels(self) -> int:
        """C: free channels, then one per class."""
        return self.free_channels + len(self.classes)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each weight that such a rule learns, by name."""
        rows = shared_rows(self.hearing, self.slots, self.channels, self.stimulus_size)
        first, second = self.hidden
        return {
            "perception": (int(rows.max()) + 1, first),
            "perception_bias": (first,),
            "middle": (first, second),
            "middle_bias": (second,),
            "output": (second, self.channels),
            "output_bias": (self.channels,),
        }

    def arguments(self) -> dict[str, Any]:
        """The settings as `Rule` takes them."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @classmethod
    def from_json(cls, data: Any) -> Settings:
        """Settings from what `Rule.settings` returned.

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
            # Rules that hear all slots apart do not say so, as those of before there was a choice.
            if key not in data and key != "hearing":
                raise ValueError(f"the setting '{key}' is missing")
        return cls(**data | {"classes": Classes.from_json(data["classes"])})


def check_rates(fire_rate: float, noise: float) -> None:
    """A ValueError, unless cells can fire at this rate and with this noise."""
    BOUNDS["fire_rate"].checked("fire_rate", fire_rate)
    BOUNDS["noise"].checked("noise", noise)
