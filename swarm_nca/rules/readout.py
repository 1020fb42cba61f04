"""Read-outs: how the state of a cell is read, as a class, a colour, a bit, or plain numbers.

A rule has one read-out. Metrics, pictures, reports and the viewer depend on the read-out only, not
on the class of the rule. To add one, write a subclass and a line in `readouts.READOUTS`.

Letters: n cells, C state channels, H×W pixels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
from torch import Tensor

from swarm_nca.arguments import shown

if TYPE_CHECKING:
    from swarm_nca.world import World

Color = tuple[int, int, int]
Array = npt.NDArray[Any]

#: Value of `Readout.shown` for silent cells.
NOTHING = -1

WHITE: Color = (255, 255, 255)


class Readout(ABC):
    """What cells show, and in which channels.

    Attributes:
        kind: name in files.
        title: name on pages and buttons.
        names: what a cell can show, one name per entry in counts and legends.
        colors: the colours of the names.
        silent: name of cells that show none of them.
    """

    kind: ClassVar[str]
    title: ClassVar[str] = "State"
    silent: ClassVar[str] = "silent"
    names: tuple[str, ...]
    colors: tuple[Color, ...]

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes that labels of worlds refer to; empty for read-outs without classes."""
        return ()

    @property
    def channel_names(self) -> tuple[str, ...]:
        """The names of the channels that are read, in order."""
        return self.names

    @property
    def channel_colors(self) -> tuple[Color, ...]:
        """The bar colours of the channels that are read."""
        return self.colors

    def channel_name(self, number: int, total: int) -> str:
        """The name of a channel of `total`; empty if it is not read."""
        read = self.channels(total)
        return self.channel_names[number - read.start] if read.start <= number < read.stop else ""

    @abstractmethod
    def channels(self, total: int) -> slice:
        """The channels that are read, of `total` state channels."""

    @abstractmethod
    def shown(self, state: Array, above: float) -> npt.NDArray[np.int64]:
        """int64 [n]: the index in `names` that each cell [n, C] shows; −1 for none.

        Args:
            above: a class channel must exceed this for a cell to show a class.
        """

    @abstractmethod
    def rgb(self, state: Array, above: float, paper: Color = WHITE) -> npt.NDArray[np.uint8]:
        """uint8 [n, 3]: the colour of each cell [n, C], on a background of colour `paper`."""

    @abstractmethod
    def values(self, state: Tensor) -> Tensor:
        """[n, …]: values of the cells [n, C]: int64 label, bool, RGBA in [0, 1], or numbers."""

    def width(self, total: int) -> int:
        """The number of channels that are read."""
        return len(range(total)[self.channels(total)])

    def image(self, world: World, index: int = 0) -> Array:
        """[H, W, …]: the values of one world of a batch, as a picture.

        int64 labels of classes (−1 where no cell lives), bool for a bit, float RGBA in [0, 1].

        Raises:
            ValueError: a world on a graph.
        """
        shape = world.picture(index).shape
        alone = world.select(index)
        values = self.values(alone.state.detach()).cpu().numpy()
        blank = np.full((shape[0] * shape[1], *values.shape[1:]), self._blank, values.dtype)
        blank[alone.site.cpu().numpy()] = values
        return blank.reshape(*shape, *values.shape[1:])

    _blank: ClassVar[float] = 0

    def caption(self, counts: Array) -> str:
        """A short summary of what a world shows.

        Args:
            counts: int64 [names + 1], number of cells per name, then number of silent cells.
        """
        return f"{int(counts[:-1].sum()):,} alive"

    def to_json(self) -> dict[str, Any]:
        """Plain data: the kind and settings of this read-out."""
        return {"kind": self.kind}

    @classmethod
    def from_json(cls, data: Any) -> Readout:
        """The read-out from the data of `to_json`.

        Raises:
            ValueError: other data.
        """
        if data.keys() != {"kind"}:
            raise ValueError(f"the read-out {cls.kind!r} takes no settings, got {shown(data)}")
        return cls()


@dataclass(frozen=True)
class Rgba(Readout):
    """Red, green, blue (premultiplied) and alpha in the first four channels, in [0, 1]."""

    kind: ClassVar[str] = "rgba"
    title: ClassVar[str] = "RGBA"
    silent: ClassVar[str] = "dead"
    names = ("alive",)
    colors = ((60, 60, 60),)

    #: A cell is alive if its own alpha exceeds this, as published (Mordvintsev et al. 2020).
    ALIVE_ABOVE: ClassVar[float] = 0.1

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Red, green, blue and alpha."""
        return "red", "green", "blue", "alpha"

    @property
    def channel_colors(self) -> tuple[Color, ...]:
        """Red, green, blue, and grey for alpha."""
        return (204, 51, 51), (46, 145, 70), (48, 92, 204), (110, 110, 110)

    def channels(self, total: int) -> slice:
        """The first four channels."""
        return slice(0, 4)

    def shown(self, state: Array, above: float) -> npt.NDArray[np.int64]:
        """0 if alpha exceeds 0.1, else -1."""
        return np.where(state[:, 3] > self.ALIVE_ABOVE, 0, NOTHING)

    def rgb(self, state: Array, above: float, paper: Color = WHITE) -> npt.NDArray[np.uint8]:
        """The premultiplied colour over the paper."""
        alpha = np.clip(np.nan_to_num(state[:, 3:4]), 0.0, 1.0)
        behind = (1.0 - alpha) * (np.array(paper, np.float32) / 255.0)
        color = np.clip(behind + np.nan_to_num(state[:, :3]), 0.0, 1.0)
        rgb: npt.NDArray[np.uint8] = (255.0 * color + 0.5).astype(np.uint8)
        return rgb

    def values(self, state: Tensor) -> Tensor:
        """RGBA in [0, 1], premultiplied."""
        return state[:, :4].clamp(0.0, 1.0)


@dataclass(frozen=True)
class Bit(Readout):
    """One channel, the last: a cell is on if it exceeds ½."""

    kind: ClassVar[str] = "bit"
    title: ClassVar[str] = "Bits"
    silent: ClassVar[str] = "off"
    names = ("on",)
    colors = ((40, 40, 48),)

    def channels(self, total: int) -> slice:
        """The last channel."""
        return slice(total - 1, total)

    def shown(self, state: Array, above: float) -> npt.NDArray[np.int64]:
        """0 if the bit is set, else -1."""
        return np.where(state[:, -1] > 0.5, 0, NOTHING)

    def rgb(self, state: Array, above: float, paper: Color = WHITE) -> npt.NDArray[np.uint8]:
        """Dark for set bits (light on dark paper), the paper for others."""
        red, green, blue = self.colors[0]
        on = self.colors[0] if sum(paper) > 382 else (255 - red, 255 - green, 255 - blue)
        ink: npt.NDArray[np.uint8] = np.array([paper, on], np.uint8)[
            (state[:, -1] > 0.5).astype(np.int64)
        ]
        return ink

    def values(self, state: Tensor) -> Tensor:
        """bool, whether the bit is set."""
        return state[:, -1] > 0.5

    def caption(self, counts: Array) -> str:
        """The number of cells that are on."""
        return f"{int(counts[0]):,} on"


@dataclass(frozen=True)
class Field(Readout):
    """Plain numbers: the last channels, one per name.

    Raises:
        ValueError: no name, or a repeated name.
    """

    kind: ClassVar[str] = "field"
    title: ClassVar[str] = "Field"
    field_names: tuple[str, ...] = ("value",)
    names = ("cell",)
    colors = ((60, 60, 60),)

    def __post_init__(self) -> None:
        if not self.field_names or len(set(self.field_names)) < len(self.field_names):
            raise ValueError(f"a field needs names, each given once, got {self.field_names!r}")

    def channels(self, total: int) -> slice:
        """The last channels, one per name."""
        return slice(total - len(self.field_names), total)

    def shown(self, state: Array, above: float) -> npt.NDArray[np.int64]:
        """0 for every cell."""
        return np.zeros(len(state), np.int64)

    @property
    def channel_names(self) -> tuple[str, ...]:
        """The names of the field."""
        return self.field_names

    @property
    def channel_colors(self) -> tuple[Color, ...]:
        """The same colour for all channels."""
        return self.colors * len(self.field_names)

    def rgb(self, state: Array, above: float, paper: Color = WHITE) -> npt.NDArray[np.uint8]:
        """Grey: white at 0 and below, dark at 1 and above, from the first named channel."""
        value = np.clip(np.nan_to_num(state[:, self.channels(state.shape[1]).start]), 0.0, 1.0)
        return np.repeat((255.0 - 215.0 * value).astype(np.uint8)[:, None], 3, axis=1)

    def values(self, state: Tensor) -> Tensor:
        """The named channels, unchanged."""
        return state[:, self.channels(state.shape[1])]

    def caption(self, counts: Array) -> str:
        """The number of cells."""
        return f"{int(counts.sum()):,} cells"

    def to_json(self) -> dict[str, Any]:
        """The kind and the names."""
        return {"kind": self.kind, "names": list(self.field_names)}

    @classmethod
    def from_json(cls, data: Any) -> Field:
        """A field from the data of `to_json`.

        Raises:
            ValueError: other data.
        """
        names = data.get("names")
        if data.keys() != {"kind", "names"} or not isinstance(names, list):
            raise ValueError(f"the read-out 'field' needs a list of names, got {shown(data)}")
        return cls(tuple(str(name) for name in names))
