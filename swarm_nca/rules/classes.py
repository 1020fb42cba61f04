"""What cells can decide to be: the class channels' names and colours, a part of every rule."""

from __future__ import annotations

import colorsys
import unicodedata
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from torch import Tensor

from swarm_nca.rules.bounds import Whole, shown
from swarm_nca.rules.readout import NOTHING, WHITE, Array, Color, Readout

#: Ten colours, one per digit, as the published demo shows them (Randazzo et al. 2020).
TEN_COLORS: tuple[Color, ...] = (
    (128, 0, 0),
    (230, 25, 75),
    (70, 240, 240),
    (210, 245, 60),
    (250, 190, 190),
    (170, 110, 40),
    (170, 255, 195),
    (165, 163, 159),
    (0, 128, 128),
    (128, 128, 0),
)


#: Classes that a rule tells apart at most, and characters of a class's name.
MOST_CLASSES, LONGEST_NAME = 256, 100

#: Parts of a colour.
_PART = Whole(0, 255)

#: Kinds of characters (Unicode's general categories) that cannot stand in a line of text: controls,
#: marks of format, surrogates, and ends of lines and paragraphs.
_UNWRITTEN = ("Cc", "Cf", "Cs", "Zl", "Zp")

#: Marks of format that letters and pictures are joined and kept apart with.
_JOINERS = "\u200c\u200d"


@dataclass(frozen=True)
class Classes(Readout):
    """Names and colours of the classes, in the order of the class channels, the last ones.

    Names are single lines of text, at most `LONGEST_NAME` characters; a colour is three whole
    numbers from 0 to 255.

    Raises:
        ValueError: fewer than two classes or more than `MOST_CLASSES`, a name given twice or one
            that cannot be written, no such colours, or counts that differ.
    """

    kind: ClassVar[str] = "classes"
    title: ClassVar[str] = "Classes"
    _blank: ClassVar[float] = NOTHING

    names: tuple[str, ...]
    colors: tuple[Color, ...]

    def __post_init__(self) -> None:
        for what in ("names", "colors"):
            if not isinstance(getattr(self, what), tuple | list):
                raise ValueError(f"{what} of classes are a list, got {shown(getattr(self, what))}")
        object.__setattr__(self, "names", tuple(self.names))
        if len(self.names) < 2:
            raise ValueError(f"a rule decides between at least two classes, got {self.names!r}")
        if len(self.names) > MOST_CLASSES:
            raise ValueError(
                f"a rule decides between at most {MOST_CLASSES} classes, got {len(self.names):,}"
            )
        for name in self.names:
            _check_name(name)
        if len(set(self.names)) < len(self.names):
            raise ValueError(f"every class needs its own name, got {shown(list(self.names))}")
        if len(self.colors) != len(self.names):
            raise ValueError(
                f"{len(self.names)} classes need as many colours, got {len(self.colors)}"
            )
        object.__setattr__(self, "colors", tuple(_color(color) for color in self.colors))

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def named(cls, *names: str) -> Classes:
        """Classes with colours chosen for them: the ten of the demo, or evenly spread hues."""
        if len(names) <= len(TEN_COLORS):
            return cls(tuple(names), TEN_COLORS[: len(names)])
        return cls(tuple(names), tuple(_hue(i, len(names)) for i in range(len(names))))

    def channels(self, total: int) -> slice:
        """The last ones, one per class."""
        return slice(total - len(self), total)

    def shown(self, state: Array, above: float) -> npt.NDArray[np.int64]:
        """The class of the largest class channel, where it exceeds `above`."""
        # NumPy: on so few numbers torch's threads cost more than they bring.
        scores = state[:, self.channels(state.shape[1])]
        label = scores.argmax(axis=1)
        best = np.take_along_axis(scores, label[:, None], axis=1)[:, 0]
        return np.where(best > above, label, NOTHING)

    @property
    def class_names(self) -> tuple[str, ...]:
        """All of them."""
        return self.names

    def rgb(self, state: Array, above: float, paper: Color = WHITE) -> npt.NDArray[np.uint8]:
        """The colour of the class shown, black where none is."""
        palette = np.array([*self.colors, (0, 0, 0)], np.uint8)
        return palette[self.shown(state, above)]

    def values(self, state: Tensor) -> Tensor:
        """int64 labels: the largest class channel."""
        return state[:, self.channels(state.shape[1])].argmax(dim=1)

    def caption(self, counts: Array) -> str:
        """What most cells say: `all say 7`, `35 % say 7`, or `silent`."""
        winner, cells = int(counts[:-1].argmax()), int(counts.sum())
        most = int(counts[winner])
        if not most:
            return self.silent
        share = "all" if most == cells else f"{100 * most / cells:.0f} %"
        return f"{share} say {self.names[winner]}"

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back."""
        return {"names": list(self.names), "colors": [list(color) for color in self.colors]}

    @classmethod
    def from_json(cls, data: Any) -> Classes:
        """Classes from `to_json`'s data.

        Raises:
            ValueError: other data, or classes that cannot be.
        """
        if not isinstance(data, dict) or data.keys() != {"names", "colors"}:
            raise ValueError(f"classes are a mapping of names and colors, got {shown(data)}")
        return cls(data["names"], data["colors"])


def _check_name(name: object) -> None:
    if not isinstance(name, str):
        raise ValueError(f"a class's name is text, got {shown(name)}")
    if len(name) > LONGEST_NAME:
        raise ValueError(
            f"a class's name has at most {LONGEST_NAME} characters, got {len(name):,}: "
            f"{shown(name)}"
        )
    kinds = [unicodedata.category(one) for one in name if one not in _JOINERS]
    if any(kind in _UNWRITTEN for kind in kinds):
        raise ValueError(
            "a class's name is one line of text without control characters or surrogates, got "
            f"{shown(name)}"
        )
    if all(kind[0] in "ZM" for kind in kinds):
        raise ValueError(f"a class's name needs a letter, digit or sign, got {shown(name)}")


def _color(color: Any) -> Color:
    if not isinstance(color, tuple | list) or len(color) != 3:
        raise ValueError(f"a colour is three numbers from 0 to 255, got {shown(color)}")
    try:
        red, green, blue = (_PART.checked("a part", part) for part in color)
    except ValueError:
        raise ValueError(
            f"a colour is three whole numbers from 0 to 255, got {shown(color)}"
        ) from None
    return red, green, blue


def _hue(i: int, count: int) -> Color:
    # Brightness alternates, so that neighbours in hue differ in print too.
    red, green, blue = colorsys.hsv_to_rgb(i / count, 0.75, 0.95 if i % 2 else 0.65)
    return round(255 * red), round(255 * green), round(255 * blue)


DIGITS = Classes.named(*"0123456789")
