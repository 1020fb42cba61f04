"""Faults of single cells: they fall silent, freeze, get stuck, lie, or die.

The fault stays with the cell through every edit of the picture until `heal` ends it. What it does
to the neighbours is computed by the engine; see `world.faults`.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor

from swarm_nca.bounds import Positive, Share
from swarm_nca.images.pictures import class_number
from swarm_nca.perturbations.area import Area
from swarm_nca.perturbations.perturbation import Perturbation
from swarm_nca.randomness import Stream, check_seed, words
from swarm_nca.world import World
from swarm_nca.world.faults import ANY, Fault, flagged, healed, with_fault


@dataclass(frozen=True, kw_only=True)
class CellChoice(Perturbation):
    """A change of some cells, chosen by number or by place.

    Attributes:
        share: the share of the cells of each world, in [0, 1], drawn at random from the seed, the
            world and its step; each kind draws others.
        cells: the cells in a shape.
        CHOICE: the number of the kind's own draw.
        ALL: whether it changes all cells without `share` and `cells`.
    """

    CHOICE: ClassVar[int]
    ALL: ClassVar[bool] = False

    share: Share | None = None
    cells: Area | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        given = [choice for choice in (self.share, self.cells) if choice is not None]
        if len(given) != 1 and not (self.ALL and not given):
            raise ValueError(
                f"{self.kind!r} needs either share or cells, such as share: 0.1, or cells: "
                "{shape: disc, center: [14, 14], radius: 4}"
            )

    def rows(self, alone: World, seed: int) -> Tensor:
        """int64 [n], the chosen rows of a single world, ascending."""
        if self.cells is not None:
            sites = self.cells.sites(alone).to(alone.state.device)
            return torch.isin(alone.site, sites).nonzero().view(-1)
        if self.share is None:
            return torch.arange(alone.cells, device=alone.state.device)
        stream = Stream.CHOICE + self.CHOICE
        drawn = words(check_seed(seed), alone.key, alone.site, alone.step, stream)[0]
        count = round(self.share * alone.cells)
        return drawn.argsort(stable=True)[:count].sort().values

    def __call__(self, world: World, seed: int = 0) -> World:
        """The worlds with some cells changed; see `Perturbation.__call__`."""
        return self.one_by_one(world, lambda alone, _: self.of(alone, self.rows(alone, seed)))

    @abstractmethod
    def of(self, alone: World, rows: Tensor) -> World:
        """A single world with these rows changed."""

    def what(self, before: World, after: World) -> str:
        """How many cells."""
        if self.cells is not None:
            return self.cells.caption
        return "all cells" if self.share is None else f"{self.share:.0%} of the cells"


@dataclass(frozen=True, kw_only=True)
class Silence(CellChoice):
    """Cells stop sending: their neighbours hear zeros from them."""

    CHOICE: ClassVar[int] = 0
    kind: Literal["silence"] = field(default="silence", repr=False)

    def of(self, alone: World, rows: Tensor) -> World:
        """See `CellChoice.of`."""
        return with_fault(alone, rows, Fault.SILENT)


@dataclass(frozen=True, kw_only=True)
class Freeze(CellChoice):
    """Cells stop firing; their neighbours still hear their states."""

    CHOICE: ClassVar[int] = 1
    kind: Literal["freeze"] = field(default="freeze", repr=False)

    def of(self, alone: World, rows: Tensor) -> World:
        """See `CellChoice.of`."""
        return with_fault(alone, rows, Fault.FROZEN)


@dataclass(frozen=True, kw_only=True)
class Stuck(CellChoice):
    """Cells repeat their message of this moment; their states still change."""

    CHOICE: ClassVar[int] = 2
    kind: Literal["stuck"] = field(default="stuck", repr=False)

    def of(self, alone: World, rows: Tensor) -> World:
        """See `CellChoice.of`."""
        return with_fault(alone, rows, Fault.STUCK, alone.state[rows].detach())


@dataclass(frozen=True, kw_only=True)
class Liar(CellChoice):
    """Cells send false messages (Byzantine faults).

    Attributes:
        label: the class that they claim, by number or name: they send their state of this moment
            with 1 in the channel of this class and 0 in those of the others. When None they send
            normal deviates, new in every step.
        strength: standard deviation of the deviates, above 0.
    """

    CHOICE: ClassVar[int] = 3
    kind: Literal["liar"] = field(default="liar", repr=False)
    label: int | str | None = None
    strength: Positive = 1.0

    def of(self, alone: World, rows: Tensor) -> World:
        """See `CellChoice.of`."""
        says = alone.state[rows].detach().clone()
        if self.label is None:
            return with_fault(alone, rows, Fault.LYING, torch.full_like(says, self.strength))
        channels = alone.classes.channels(says.shape[1])
        says[:, channels] = 0.0
        says[:, channels][:, class_number(self.label, alone.readout.class_names)] = 1.0
        return with_fault(alone, rows, Fault.STUCK, says)


@dataclass(frozen=True, kw_only=True)
class Kill(CellChoice):
    """Cells die: their pixels are erased, or their nodes removed."""

    CHOICE: ClassVar[int] = 4
    kind: Literal["kill"] = field(default="kill", repr=False)

    def of(self, alone: World, rows: Tensor) -> World:
        """See `CellChoice.of`."""
        return alone.erase(alone.site[rows])


@dataclass(frozen=True, kw_only=True)
class Heal(CellChoice):
    """Ends the faults of cells; of all cells without `share` and `cells`."""

    CHOICE: ClassVar[int] = 5
    ALL: ClassVar[bool] = True
    kind: Literal["heal"] = field(default="heal", repr=False)

    def of(self, alone: World, rows: Tensor) -> World:
        """See `CellChoice.of`."""
        return healed(alone, rows)

    def what(self, before: World, after: World) -> str:
        """How many cells had a fault before and after."""
        counts = []
        for world in (before, after):
            faulty = flagged(world, ANY)
            counts.append(0 if faulty is None else int(faulty.sum()))
        return f"{counts[0]} → {counts[1]} faulty cells"
