"""Everything that is true at one moment, of one world or of a batch of them.

A batch is the disjoint union of its worlds: the rows of one follow those of another, dead pixels
are no rows. The record is frozen; a step, a stroke or a selection returns a new one.

Letters: B worlds, N rows (living cells) of all of them, K neighbour slots, C state channels, S
stimulus values, D coordinates.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from swarm_nca.grounds import Canvas, Ground
from swarm_nca.links import Links
from swarm_nca.rules import Classes, Readout, Rule, check_rates
from swarm_nca.topologies import Grid, Topology
from swarm_nca.world import batches, editing, fields, making, rows

if TYPE_CHECKING:
    import networkx as nx

_GRID, _LINKS = Grid(), Links()


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class World:
    """B worlds at one moment.

    Attributes:
        state: [N, C], what each cell holds, and tells its neighbours.
        key: int64 [B], the worlds' names in every random draw; kept for life.
        step: int64 [B], steps taken.
        label: int64 [B], the class each world should agree on, −1 if unknown.
        ground: the pictures or graphs the worlds stand on.
        links: what happens to messages on their way.
        fire_rate: the share of cells that act in a step here; None: the rule's own.
        noise: the standard deviation of what is added to every change here; None: the rule's own.
        readout: how states are read: classes, colours, bits.
        cell_fields: further fields, [N, …] each, that move with the cells; see `with_cells`.
        world_fields: further fields, [B, …] each, that move with the worlds.
        address: int64 [N], where each row lives on the ground, ascending.
        neighbors: int64 [N, K], the row heard in each slot, N for nobody.
        stimulus: [N, S], what each row senses.

    Raises:
        ValueError: a fire rate or noise out of range.
    """

    #: What the worlds of a batch must agree on to be joined; see `fields`.
    SHARED: ClassVar = fields.SHARED

    state: Tensor
    key: Tensor
    step: Tensor
    label: Tensor
    ground: Ground
    links: Links
    fire_rate: float | None = None
    noise: float | None = None
    readout: Readout
    cell_fields: Mapping[str, Tensor] = field(default_factory=dict)
    world_fields: Mapping[str, Tensor] = field(default_factory=dict)
    # Derived from the ground; nobody edits them by hand.
    address: Tensor
    neighbors: Tensor
    stimulus: Tensor

    def __post_init__(self) -> None:
        check_rates(self.fire_rate or 0.0, self.noise or 0.0)

    @classmethod
    def from_images(
        cls,
        images: making.PictureBatch,
        rule: Rule,
        *,
        labels: Iterable[int] | Tensor | None = None,
        keys: Iterable[int] | Tensor | None = None,
        grid: Grid = _GRID,
        links: Links = _LINKS,
        fire_rate: float | None = None,
        noise: float | None = None,
        start: str = "zeros",
        seed: int = 0,
    ) -> World:
        """Worlds whose cells are the living pixels of pictures.

        Args:
            images: grey values in [0, 1], [B, H, W], or a list of [H, W] of any sizes.
            rule: gives channels, classes, the alive threshold, device and dtype.
            labels: the class of each picture, −1 for unknown.
            keys: the worlds' names in random draws; 0, 1, … when None.
            grid: how pixels hear each other.
            links: what happens to messages.
            fire_rate, noise: instead of the rule's own, in these worlds.
            start: `zeros`, or `random` (standard normal).
            seed: of a random start.

        Raises:
            ValueError: grey outside [0, 1] or not finite, a picture that is not two-dimensional, a
                label the rule does not have, counts that differ, an unknown start, a rate out of
                range, or a rule that is not made for pictures.
        """
        canvas = making.canvas_of(images, rule, grid)
        world = cls._on(canvas, rule, labels, keys, links, fire_rate, noise)
        return world.restarted(start, seed)

    @classmethod
    def from_graph(
        cls,
        graph: nx.Graph[Hashable] | Topology,
        rule: Rule,
        *,
        stimulus: Any = None,
        label: int = -1,
        key: int = 0,
        links: Links = _LINKS,
        fire_rate: float | None = None,
        noise: float | None = None,
        start: str = "zeros",
        seed: int = 0,
    ) -> World:
        """One world whose cells are the nodes of a graph, in the graph's node order.

        Args:
            graph: edges u → v ("u hears v") with an attribute `slot`; see `Topology.from_networkx`.
                The attribute `pos` gives a node's coordinates: of all nodes, or of none.
            stimulus: what each node senses, [N, S]; zeros when None.

        Raises:
            ValueError: slots that clash or are missing, another number of them than the rule's, or
                a stimulus of another shape.
        """
        network = making.network_of(graph, rule, stimulus)
        world = cls._on(network, rule, [label], [key], links, fire_rate, noise)
        return world.restarted(start, seed)

    @classmethod
    def _on(
        cls,
        ground: Ground,
        rule: Rule,
        labels: Iterable[int] | Tensor | None,
        keys: Iterable[int] | Tensor | None,
        links: Links,
        fire_rate: float | None,
        noise: float | None,
    ) -> World:
        worlds, device = len(ground.sizes), ground.sizes.device
        settled = rows.settled(ground)
        return cls(
            state=settled["stimulus"].new_zeros(len(settled["address"]), rule.channels),
            key=making.keys_of(keys, worlds, device),
            step=torch.zeros(worlds, dtype=torch.int64, device=device),
            label=making.labels_of(labels, worlds, making.labels_in(rule.readout), device),
            ground=ground,
            links=links,
            fire_rate=fire_rate,
            noise=noise,
            readout=rule.readout,
            **settled,
        )

    def __len__(self) -> int:
        """B, the number of worlds."""
        return len(self.key)

    @property
    def cells(self) -> int:
        """N, the living cells of all worlds."""
        return len(self.address)

    @cached_property
    def world_of(self) -> Tensor:
        """int64 [N], the world each row belongs to."""
        places = self.ground.sizes.cumsum(0)
        return torch.searchsorted(places, self.address, right=True)

    @cached_property
    def counts(self) -> Tensor:
        """int64 [B], living cells of each world."""
        ends = self.ground.sizes.cumsum(0)
        return torch.searchsorted(self.address, ends).diff(prepend=ends.new_zeros(1))

    @cached_property
    def site(self) -> Tensor:
        """int64 [N], each cell's name within its world: row-major pixel, or node number."""
        places = self.ground.sizes
        return self.address - (places.cumsum(0) - places)[self.world_of]

    @property
    def position(self) -> Tensor:
        """[N, D], where each cell is: (row, column) of a pixel, or a node's coordinates."""
        return self.ground.position(self.address)

    @property
    def logits(self) -> Tensor:
        """[N, classes], the channels that the read-out reads: one per class."""
        return self.state[:, self.readout.channels(self.state.shape[1])]

    @property
    def classes(self) -> Classes:
        """What cells decide between.

        Raises:
            ValueError: worlds whose read-out is not classes.
        """
        if not isinstance(self.readout, Classes):
            raise ValueError(f"this world has no classes: its read-out is {self.readout.kind!r}")
        return self.readout

    def rows_of(self, world: int) -> slice:
        """The rows of one world."""
        first = int(self.ground.sizes[:world].sum())
        bounds = self.address.new_tensor([first, first + int(self.ground.sizes[world])])
        start, end = torch.searchsorted(self.address, bounds).tolist()
        return slice(start, end)

    def largest(self, values: Tensor) -> Tensor:
        """[N], for each cell the largest of values [N] among the cells it hears and itself."""
        lattice = self.ground.lattice()
        if lattice is not None and lattice.moore and not lattice.torus:
            # Along columns, then along rows: a tenth of the time of torch's pooling.
            board = values.view(lattice.worlds, lattice.height, lattice.width)
            wide = functional.pad(board, (1, 1, 1, 1), value=-math.inf)
            tall = torch.maximum(torch.maximum(wide[:, :-2], wide[:, 2:]), wide[:, 1:-1])
            pooled = torch.maximum(tall[..., :-2], tall[..., 2:]).maximum(tall[..., 1:-1])
            return pooled.reshape(-1)
        padded = torch.cat([values, values.new_full((1,), -math.inf)])
        heard = padded[self.neighbors].amax(dim=1)
        return torch.maximum(heard, values)

    def with_cells(self, **values: Tensor) -> World:
        """The same worlds with further per-cell fields [N, …], which move with their cells.

        Raises:
            ValueError: a value with another number of rows than there are cells.
        """
        return replace(self, cell_fields=dict(self.cell_fields) | _rows(values, self.cells))

    def with_worlds(self, **values: Tensor) -> World:
        """The same worlds with further per-world fields [B, …].

        Raises:
            ValueError: a value with another number of entries than there are worlds.
        """
        return replace(self, world_fields=dict(self.world_fields) | _rows(values, len(self)))

    def packed(self) -> dict[str, Tensor]:
        """All fields as tensors by name: what keyframes, pools and files keep of a world."""
        return fields.packed(self)

    def unpacked(self, tensors: Mapping[str, Tensor]) -> World:
        """The world that `packed` took apart; kind of ground and shared settings are this one's."""
        return fields.unpacked(self, tensors)

    @property
    def topology(self) -> Topology:
        """Who hears whom among the living, with their names: (row, column) or the graph's own.

        In a batch of several worlds each name is led by the world's number.
        """
        every = self.ground.names()
        names: list[Hashable] = [every[address] for address in self.address.tolist()]
        if len(self) > 1:
            names = [(w, n) for w, n in zip(self.world_of.tolist(), names, strict=True)]
        return Topology(self.neighbors.cpu(), tuple(names))

    def picture(self, world: int = 0) -> Tensor:
        """[H, W], the grey picture of one world.

        Raises:
            ValueError: a world that stands on a graph.
        """
        return self.canvas.picture(range(len(self))[world])

    @property
    def canvas(self) -> Canvas:
        """The ground, where it is pictures.

        Raises:
            ValueError: worlds that stand on graphs.
        """
        return self.ground.as_canvas()

    def with_state(self, state: Tensor, steps: int = 0) -> World:
        """The same worlds holding another state [N, C], some steps later."""
        return replace(self, state=state, step=self.step + steps if steps else self.step)

    def restarted(self, start: str = "zeros", seed: int = 0) -> World:
        """The same worlds holding what they would start with; steps taken stay counted."""
        return self.with_state(making.starting_state(self, self.state.shape[1], start, seed))

    def relabeled(self, labels: Iterable[int] | Tensor | None) -> World:
        """The same worlds with other labels [B], −1 for unknown."""
        classes, device = making.labels_in(self.readout), self.label.device
        return replace(self, label=making.labels_of(labels, len(self), classes, device))

    def repictured(
        self, images: making.PictureBatch, labels: Iterable[int] | Tensor | None = None
    ) -> World:
        """The same worlds on new pictures: cells alive before and after keep all they hold.

        Args:
            images: one picture for each world, of the world's present size.
            labels: their classes; unknown when None.

        Raises:
            ValueError: counts or sizes that differ.
        """
        canvas = self.canvas
        grey, height, width = making.flat(images, canvas.grey)
        if len(height) != len(self):
            raise ValueError(f"{len(self)} worlds need as many pictures, got {len(height)}")
        if not (torch.equal(height, canvas.height) and torch.equal(width, canvas.width)):
            raise ValueError(
                f"a new picture must have its world's size, {_sizes(canvas.height, canvas.width)}; "
                f"got {_sizes(height, width)}"
            )
        moved = editing.standing_on(self, replace(canvas, grey=grey)).relabeled(labels)
        return moved.restarted() if canvas.habitat.sprout else moved

    def draw(self, site: Tensor, grey: Tensor | float, world: int = 0) -> World:
        """Add grey to some pixels of one world; what sums up past the threshold comes alive.

        Args:
            site: int64 [n], pixel numbers, each at most once.
            grey: [n] or one number in [−1, 1], added; the sum is kept within [0, 1].

        Raises:
            ValueError: sites or grey that are not as above, or a world that stands on a graph.
        """
        address, present = self._address(site, world), self.canvas.grey
        added = making.amounts(grey, address, present, -1.0, 1.0)
        if self.canvas.habitat.sprout is not None:
            return self._sprouted(address, added)
        summed = (present[address] + added).clamp(0.0, 1.0)
        return editing.painted(self, self.canvas, address, summed)

    def erase(self, site: Tensor, share: Tensor | float = 1.0, world: int = 0) -> World:
        """Take away a share of the grey of some pixels of one world; on a graph, remove nodes.

        Args:
            site: int64 [n], pixel or node numbers, each at most once.
            share: [n] or one number in [0, 1]; 1 leaves white. On a graph any share above 0
                removes.

        Raises:
            ValueError: sites or shares that are not as above.
        """
        address = self._address(site, world)
        taken = making.amounts(share, address, self.stimulus, 0.0, 1.0)
        if not self.ground.pictured:
            gone = address[taken.expand(len(address)) > 0]
            return editing.standing_on(self, self.ground.without(gone))
        if self.canvas.habitat.sprout is not None:
            return self._sprouted(address, -taken)
        left = self.canvas.grey[address] * (1.0 - taken)
        return editing.painted(self, self.canvas, address, left)

    def _sprouted(self, address: Tensor, added: Tensor) -> World:
        """Where every pixel is a cell: a stroke of ½ or more brings alive, one of −½ kills."""
        added = added.expand(len(address))
        sprout = self.state.new_tensor(self.canvas.habitat.sprout)
        state = self.state.clone()
        state[torch.searchsorted(self.address, address[added >= 0.5])] = sprout
        state[torch.searchsorted(self.address, address[added <= -0.5])] = 0.0
        return self.with_state(state)

    def _address(self, site: Tensor, world: int) -> Tensor:
        size = int(self.ground.sizes[world])
        given = torch.as_tensor(site, device=self.address.device).reshape(-1)
        site = given.to(torch.int64)
        if not torch.equal(site.to(given.dtype), given):
            raise ValueError(f"sites are whole numbers, got {given.tolist()}")
        if len(set(site.tolist())) < len(site):
            raise ValueError(f"each site may be given once, got {site.tolist()}")
        if len(site) and not 0 <= int(site.min()) <= int(site.max()) < size:
            raise ValueError(f"sites of this world run from 0 to {size - 1}, got {site.tolist()}")
        return site + int(self.ground.sizes[:world].sum())

    def select(self, worlds: Sequence[int] | Tensor | int) -> World:
        """Some of the worlds, in the order given; each stays what it was.

        Args:
            worlds: their numbers, from the end where negative, or a mask: bool [B].

        Raises:
            IndexError: a number that no world has, or a mask of another length.
        """
        return batches.select(self, worlds)

    def __getitem__(self, world: int | slice) -> World:
        return self.select(list(range(len(self))[world]) if isinstance(world, slice) else world)

    def split(self) -> list[World]:
        """Each world on its own."""
        return [self.select(world) for world in range(len(self))]

    def by_key(self, keys: Sequence[int] | Tensor | int) -> World:
        """The worlds with these keys, in that order.

        Raises:
            KeyError: a key that no world, or more than one, has.
        """
        wanted = torch.as_tensor(keys).reshape(-1).tolist()
        have = self.key.tolist()
        for key in wanted:
            if have.count(key) != 1:
                raise KeyError(f"{have.count(key)} worlds have the key {key}")
        return self.select([have.index(key) for key in wanted])

    @staticmethod
    def join(worlds: Sequence[World]) -> World:
        """Several worlds, or batches of them, as one batch.

        Raises:
            ValueError: none, or worlds of another kind: ground, grid, or what a batch shares.
        """
        return batches.join(worlds)

    def to(
        self, device: torch.device | str | None = None, dtype: torch.dtype | None = None
    ) -> World:
        """The same worlds on a device, their numbers in a dtype; what is None stays."""
        place = torch.device(device) if device is not None else self.state.device
        return batches.to(self, place, dtype or self.state.dtype)

    def __repr__(self) -> str:
        ground = self.ground.kind
        steps = sorted(set(self.step.tolist()))
        at = f"step {steps[0]}" if len(steps) == 1 else f"steps {steps}"
        return f"World({len(self)} on a {ground}, {list(self.state.shape)} cells × channels, {at})"

    def _repr_png_(self) -> bytes:
        from swarm_nca.portrait import portrait_png

        return portrait_png(self)


def _sizes(height: Tensor, width: Tensor) -> str:
    pairs = sorted(set(zip(height.tolist(), width.tolist(), strict=True)))
    return ", ".join(f"{rows} × {columns}" for rows, columns in pairs)


def _rows(values: Mapping[str, Tensor], count: int) -> dict[str, Tensor]:
    for name, value in values.items():
        if len(value) != count or name in fields.FIELDS:
            raise ValueError(
                f"the field {name!r} needs {count} rows and a name of its own, got {len(value)} "
                f"rows; {', '.join(fields.FIELDS)} are taken"
            )
    return dict(values)
