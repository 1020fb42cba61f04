"""The classes of a rule: names and colours of its class channels."""

from __future__ import annotations

import colorsys
import unicodedata
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import numpy.typing as npt
from annotated_types import Ge, Le
from torch import Tensor

from swarm_nca.arguments import shown
from swarm_nca.bounds import check
from swarm_nca.rules.readout import NOTHING, WHITE, Array, Color, Readout

#: Ten colours that readers with colour blindness can also tell apart. Every two of them, and each
#: of them and black or white, differ by ΔE ≥ 16 (CIEDE2000) in normal vision and in simulated
#: protanopia, deuteranopia and tritanopia (Machado et al. 2009). Found by simulated annealing.
TEN_COLORS: tuple[Color, ...] = (
    (189, 36, 24),
    (96, 100, 91),
    (99, 184, 181),
    (194, 255, 58),
    (243, 207, 173),
    (169, 142, 120),
    (157, 139, 255),
    (126, 52, 206),
    (78, 127, 142),
    (153, 177, 27),
)

#: The colours of the published demo (Randazzo et al. 2020), by which rule files name the default
#: colours: files and hashes of earlier rules stay as they are and show `TEN_COLORS`.
DEMO_COLORS: tuple[Color, ...] = (
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


#: The largest number of classes of a rule, and of characters in a class name.
MOST_CLASSES, LONGEST_NAME = 256, 100

#: A component of a colour.
_Part = Annotated[int, Ge(0), Le(255)]

#: Unicode categories that a line of text must not contain: control and format characters,
#: surrogates, line and paragraph separators.
_UNWRITTEN = ("Cc", "Cf", "Cs", "Zl", "Zp")

#: Allowed format characters: they join or separate letters and emoji.
_JOINERS = "\u200c\u200d"


@dataclass(frozen=True)
class Classes(Readout):
    """Names and colours of the classes, in the order of the class channels (the last channels).

    A name is one line of text of at most `LONGEST_NAME` characters; a colour is three whole numbers
    from 0 to 255.

    Raises:
        ValueError: fewer than two or more than `MOST_CLASSES` classes, a repeated or invalid name,
            an invalid colour, or different numbers of names and colours.
    """

    kind: ClassVar[str] = "classes"
    title: ClassVar[str] = "Classes"
    _blank: ClassVar[float] = NOTHING

    names: tuple[str, ...]
    colors: tuple[Color, ...]

    def __post_init__(self) -> None:
        for what in ("names", "colors"):
            if not isinstance(getattr(self, what), tuple | list):
                raise ValueError(
                    f"{what} of classes must be a list, got {shown(getattr(self, what))}"
                )
        object.__setattr__(self, "names", tuple(self.names))
        if len(self.names) < 2:
            raise ValueError(f"a rule needs at least two classes, got {self.names!r}")
        if len(self.names) > MOST_CLASSES:
            raise ValueError(f"a rule has at most {MOST_CLASSES} classes, got {len(self.names):,}")
        for name in self.names:
            _check_name(name)
        if len(set(self.names)) < len(self.names):
            raise ValueError(f"class names must be different, got {shown(list(self.names))}")
        if len(self.colors) != len(self.names):
            raise ValueError(
                f"{len(self.names)} classes need as many colours, got {len(self.colors)}"
            )
        object.__setattr__(self, "colors", tuple(_color(color) for color in self.colors))

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def named(cls, *names: str) -> Classes:
        """Classes with default colours: up to ten of `TEN_COLORS`, else evenly spread hues."""
        if len(names) <= len(TEN_COLORS):
            return cls(tuple(names), TEN_COLORS[: len(names)])
        return cls(tuple(names), tuple(_hue(i, len(names)) for i in range(len(names))))

    def channels(self, total: int) -> slice:
        """The last channels, one per class."""
        return slice(total - len(self), total)

    def shown(self, state: Array, above: float) -> npt.NDArray[np.int64]:
        """The class of the largest class channel if that channel exceeds `above`, else -1."""
        # NumPy, because torch's threads slow down such small arrays.
        scores = state[:, self.channels(state.shape[1])]
        label = scores.argmax(axis=1)
        best = np.take_along_axis(scores, label[:, None], axis=1)[:, 0]
        return np.where(best > above, label, NOTHING)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of all classes."""
        return self.names

    def rgb(self, state: Array, above: float, paper: Color = WHITE) -> npt.NDArray[np.uint8]:
        """The colour of the shown class; black for silent cells."""
        palette = np.array([*self.colors, (0, 0, 0)], np.uint8)
        return palette[self.shown(state, above)]

    def values(self, state: Tensor) -> Tensor:
        """int64 labels: the largest class channel."""
        return state[:, self.channels(state.shape[1])].argmax(dim=1)

    def caption(self, counts: Array) -> str:
        """The most frequent answer: `all say 7`, `35 % say 7`, or `silent`."""
        winner, cells = int(counts[:-1].argmax()), int(counts.sum())
        most = int(counts[winner])
        if not most:
            return self.silent
        share = "all" if most == cells else f"{100 * most / cells:.0f} %"
        return f"{share} say {self.names[winner]}"

    def to_json(self) -> dict[str, Any]:
        """Plain data for `from_json`; default colours are written as `DEMO_COLORS`."""
        default = self.colors == TEN_COLORS[: len(self)]
        colors = DEMO_COLORS[: len(self)] if default else self.colors
        return {"names": list(self.names), "colors": [list(color) for color in colors]}

    @classmethod
    def from_json(cls, data: Any) -> Classes:
        """Classes from `to_json`'s data; `DEMO_COLORS` stand for the default colours.

        Raises:
            ValueError: other data, or invalid classes.
        """
        if not isinstance(data, dict) or data.keys() != {"names", "colors"}:
            raise ValueError(f"classes must be a mapping of names and colors, got {shown(data)}")
        read = cls(data["names"], data["colors"])
        default = read.colors == DEMO_COLORS[: len(read)]
        return cls(read.names, TEN_COLORS[: len(read)]) if default else read


def _check_name(name: object) -> None:
    if not isinstance(name, str):
        raise ValueError(f"a class name must be text, got {shown(name)}")
    if len(name) > LONGEST_NAME:
        raise ValueError(
            f"a class name has at most {LONGEST_NAME} characters, got {len(name):,}: {shown(name)}"
        )
    kinds = [unicodedata.category(letter) for letter in name if letter not in _JOINERS]
    if any(kind in _UNWRITTEN for kind in kinds):
        raise ValueError(
            "a class name must be one line of text without control characters or surrogates, got "
            f"{shown(name)}"
        )
    if all(kind[0] in "ZM" for kind in kinds):
        raise ValueError(f"a class name needs a letter, digit or sign, got {shown(name)}")


def _color(color: Any) -> Color:
    if not isinstance(color, tuple | list) or len(color) != 3:
        raise ValueError(f"a colour is three numbers from 0 to 255, got {shown(color)}")
    try:
        red, green, blue = (check("a part", part, _Part) for part in color)
    except ValueError:
        raise ValueError(
            f"a colour is three whole numbers from 0 to 255, got {shown(color)}"
        ) from None
    return red, green, blue


def _hue(i: int, count: int) -> Color:
    # Brightness alternates, so that similar hues also differ in print.
    red, green, blue = colorsys.hsv_to_rgb(i / count, 0.75, 0.95 if i % 2 else 0.65)
    return round(255 * red), round(255 * green), round(255 * blue)


DIGITS = Classes.named(*"0123456789")
