"""The record of one world, or of a batch of worlds, at one moment.

A batch is the disjoint union of its worlds: rows are cells, one world after another; dead pixels
have no rows. The record is frozen; steps, strokes and selections return a new record.

Letters: B worlds, N rows (living cells) of all of them, K slots, C channels, S stimulus values.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from swarm_nca.arguments import whole
from swarm_nca.links import Links
from swarm_nca.randomness import MOST_STEPS
from swarm_nca.rules import Classes, Readout, Rule, check_rates
from swarm_nca.spaces import PixelSpace, Space
from swarm_nca.topologies import Grid, Topology
from swarm_nca.world import batches, editing, fields, making, rows

if TYPE_CHECKING:
    import networkx as nx

_LINKS = Links()


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class World:
    """B worlds at one moment.

    Attributes:
        state: [N, C], the state of each cell, which is also its message to its neighbours.
        key: int64 [B], identifies each world in random draws; it never changes.
        step: int64 [B], steps taken.
        label: int64 [B], the class that the cells should agree on, −1 if unknown.
        space: the pictures or graphs of the worlds.
        links: how messages are lost.
        fire_rate: share of cells that fire in a step in these worlds; None: the rule's.
        noise: standard deviation of the noise in these worlds; None: the rule's.
        readout: how states are read: classes, colours, bits.
        guests: further rules, which cells obey by the field `rule`; see `fields.RULE`.
        cell_fields: further fields, [N, …] each, that move with the cells; see `with_cells`.
        world_fields: further fields, [B, …] each, that move with the worlds.
        address: int64 [N], the address of each row in the space, ascending.
        neighbors: int64 [N, K], the row whose message arrives in each slot; N if there is none.
        stimulus: [N, S], the stimulus of each row.

    Raises:
        ValueError: a fire rate or noise out of range.
    """

    #: The fields that must be equal for worlds to be joined; see `fields`.
    SHARED: ClassVar = fields.SHARED

    state: Tensor
    key: Tensor
    step: Tensor
    label: Tensor
    space: Space
    links: Links
    fire_rate: float | None = None
    noise: float | None = None
    readout: Readout
    guests: tuple[Rule, ...] = ()
    cell_fields: Mapping[str, Tensor] = field(default_factory=dict)
    world_fields: Mapping[str, Tensor] = field(default_factory=dict)
    # Derived from the space.
    address: Tensor
    neighbors: Tensor
    stimulus: Tensor

    def __post_init__(self) -> None:
        rates = (self.fire_rate, self.noise)
        check_rates(*(0.0 if rate is None else rate for rate in rates))

    @classmethod
    def from_images(
        cls,
        images: making.PictureBatch,
        rule: Rule,
        *,
        labels: Iterable[int] | Tensor | None = None,
        keys: Iterable[int] | Tensor | None = None,
        grid: Grid | None = None,
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
            keys: identify the worlds in random draws; 0, 1, … when None.
            grid: the neighbourhood of pixels; the rule's when None.
            links: how messages are lost.
            fire_rate, noise: replace those of the rule in these worlds.
            start: `zeros`, or `random` (standard normal).
            seed: seed of a random start.

        Raises:
            ValueError: grey outside [0, 1] or not finite, a picture that is not two-dimensional, a
                label that the rule does not have, counts that differ, an unknown start, a rate out
                of range, or a rule that does not support pictures.
        """
        canvas = making.canvas_of(images, rule, grid or Grid(rule.neighborhood))
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
                The attribute `pos` gives the coordinates of a node, for all nodes or for none.
            stimulus: [N, S], of each node; zeros when None.

        Raises:
            ValueError: repeated or missing slots, another number of slots than the rule's, or a
                stimulus of another shape.
        """
        network = making.network_of(graph, rule, stimulus)
        world = cls._on(network, rule, [label], [key], links, fire_rate, noise)
        return world.restarted(start, seed)

    @classmethod
    def _on(
        cls,
        space: Space,
        rule: Rule,
        labels: Iterable[int] | Tensor | None,
        keys: Iterable[int] | Tensor | None,
        links: Links,
        fire_rate: float | None,
        noise: float | None,
    ) -> World:
        worlds, device = len(space.sizes), space.sizes.device
        settled = rows.settled(space)
        return cls(
            state=settled["stimulus"].new_zeros(len(settled["address"]), rule.channels),
            key=making.keys_of(keys, worlds, device),
            step=torch.zeros(worlds, dtype=torch.int64, device=device),
            label=making.labels_of(labels, worlds, making.labels_in(rule.readout), device),
            space=space,
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
        """N, the number of living cells of all worlds."""
        return len(self.address)

    @cached_property
    def world_of(self) -> Tensor:
        """int64 [N], the world of each row."""
        places = self.space.sizes.cumsum(0)
        return torch.searchsorted(places, self.address, right=True)

    @cached_property
    def counts(self) -> Tensor:
        """int64 [B], the number of living cells of each world."""
        ends = self.space.sizes.cumsum(0)
        return torch.searchsorted(self.address, ends).diff(prepend=ends.new_zeros(1))

    @cached_property
    def site(self) -> Tensor:
        """int64 [N], the place of each cell in its world: row-major pixel number or node number."""
        places = self.space.sizes
        return self.address - (places.cumsum(0) - places)[self.world_of]

    @property
    def position(self) -> Tensor:
        """[N, D], the position of each cell: (row, column) of a pixel, or coordinates of a node."""
        return self.space.position(self.address)

    @property
    def logits(self) -> Tensor:
        """[N, classes], the channels that the read-out reads, one per class."""
        return self.state[:, self.readout.channels(self.state.shape[1])]

    @property
    def classes(self) -> Classes:
        """The classes; raises a ValueError if the read-out is not `Classes`."""
        if not isinstance(self.readout, Classes):
            raise ValueError(f"this world has no classes: its read-out is {self.readout.kind!r}")
        return self.readout

    def rows_of(self, world: int) -> slice:
        """The rows of one world."""
        first = int(self.space.sizes[:world].sum())
        bounds = self.address.new_tensor([first, first + int(self.space.sizes[world])])
        start, end = torch.searchsorted(self.address, bounds).tolist()
        return slice(start, end)

    def largest(self, values: Tensor) -> Tensor:
        """[N], for each cell the largest of values [N] among its neighbours and itself."""
        return rows.largest(self, values)

    def with_cells(self, **values: Tensor) -> World:
        """The same worlds with further fields [N, …], which move with the cells."""
        given = fields.checked(values, self.cells)
        return replace(self, cell_fields={**self.cell_fields, **given})

    def with_worlds(self, **values: Tensor) -> World:
        """The same worlds with further fields [B, …], which move with the worlds."""
        given = fields.checked(values, len(self))
        return replace(self, world_fields={**self.world_fields, **given})

    def packed(self) -> dict[str, Tensor]:
        """All fields as tensors by name, as keyframes, pools and files store them."""
        return fields.packed(self)

    def unpacked(self, tensors: Mapping[str, Tensor]) -> World:
        """The world from the tensors of `packed`; space and shared fields are as in this one."""
        return fields.unpacked(self, tensors)

    @property
    def topology(self) -> Topology:
        """The neighbours of all living cells, named by (row, column) or by the graph's nodes.

        In a batch of several worlds a name is the pair (number of the world, name in the world).
        """
        place_names = self.space.names()
        names: list[Hashable] = [place_names[address] for address in self.address.tolist()]
        if len(self) > 1:
            names = [(w, n) for w, n in zip(self.world_of.tolist(), names, strict=True)]
        return Topology(self.neighbors.cpu(), tuple(names))

    def picture(self, world: int = 0) -> Tensor:
        """[H, W], the grey picture of one world; negative numbers count from the end.

        Raises:
            ValueError: a world on a graph.
            IndexError: an unknown world.
        """
        return self.canvas.picture(batches.number(world, len(self)))

    @property
    def canvas(self) -> PixelSpace:
        """The pixel space.

        Raises:
            ValueError: worlds on graphs.
        """
        return self.space.as_pixels()

    def with_state(self, state: Tensor, steps: int = 0) -> World:
        """The same worlds with another state [N, C], `steps` ≥ 0 steps later, then no messages.

        A tensor keeps its gradients and float dtype; other arrays take that of the present state.

        Raises:
            ValueError: another shape or device than the present state's, numbers that are not
                floats, or steps that are negative or not whole.
        """
        state = making.state_like(self.state, state)
        later = whole("steps", steps, 0, MOST_STEPS)
        held = fields.without_messages(self.cell_fields) if later else self.cell_fields
        return replace(self, state=state, step=self.step + later, cell_fields=held)

    def restarted(self, start: str = "zeros", seed: int = 0) -> World:
        """The same worlds with starting states and no messages in flight; the step stays."""
        begun = self.with_state(making.starting_state(self, self.state.shape[1], start, seed))
        return replace(begun, cell_fields=fields.without_messages(self.cell_fields))

    def relabeled(self, labels: Iterable[int] | Tensor | None) -> World:
        """The same worlds with other labels [B], −1 for unknown.

        Raises:
            ValueError: another count, or a label that is neither −1 nor a class.
        """
        classes, device = making.labels_in(self.readout), self.label.device
        return replace(self, label=making.labels_of(labels, len(self), classes, device))

    def repictured(
        self, images: making.PictureBatch, labels: Iterable[int] | Tensor | None = None
    ) -> World:
        """The same worlds on new pictures; cells alive before and after keep all their fields.

        Args:
            images: one picture per world, of the world's present size.
            labels: their classes; unknown when None.

        Raises:
            ValueError: counts or sizes that differ.
        """
        return editing.repictured(self, images, labels)

    def draw(self, site: Any, grey: Tensor | float, world: int = 0) -> World:
        """Add grey to some pixels of one world; pixels above the threshold become alive.

        Args:
            site: distinct pixels: numbers [n], (row, column) pairs [n, 2], or a mask, bool [H, W].
            grey: [n] (for a mask row by row) or one number, in [−1, 1], to add; the sum is clamped
                to [0, 1].
            world: the number of the world in the batch.

        Raises:
            ValueError: invalid sites or grey, or a world on a graph.
        """
        return editing.drawn(self, site, grey, world)

    def erase(self, site: Any, share: Tensor | float = 1.0, world: int = 0) -> World:
        """Remove a share of the grey of some pixels of one world; on a graph, remove nodes.

        Args:
            site: pixels as in `draw`; on a graph node numbers [n], or a mask, bool [nodes].
            share: [n] or one number in [0, 1]; 1 makes pixels white. On a graph any share above 0
                removes the node.
            world: the number of the world in the batch.

        Raises:
            ValueError: invalid sites or shares.
        """
        return editing.erased(self, site, share, world)

    def select(self, worlds: Sequence[int] | Tensor | int) -> World:
        """Some of the worlds, unchanged, in the given order.

        Args:
            worlds: numbers, where negative ones count from the end, or a mask, bool [B].

        Raises:
            IndexError: an unknown world, or a mask of another length.
        """
        return batches.select(self, worlds)

    def __getitem__(self, world: int | slice) -> World:
        return self.select(list(range(len(self))[world]) if isinstance(world, slice) else world)

    def split(self) -> list[World]:
        """Each world as a batch of one."""
        return [self.select(world) for world in range(len(self))]

    def by_key(self, keys: Sequence[int] | Tensor | int) -> World:
        """The worlds with these keys, in the given order.

        Raises:
            KeyError: a key of no world or of several worlds.
            ValueError: keys that are not whole numbers.
        """
        return self.select(batches.numbers_of_keys(self, keys))

    @staticmethod
    def join(worlds: Sequence[World]) -> World:
        """Several worlds, or batches of them, as one batch.

        Raises:
            ValueError: no worlds, or worlds that differ in the kind of space, the grid, or a shared
                field.
        """
        return batches.join(worlds)

    def to(
        self, device: torch.device | str | None = None, dtype: torch.dtype | None = None
    ) -> World:
        """The same worlds on another device and with another float dtype; None keeps them."""
        place = torch.device(self.state.device if device is None else device)
        return batches.to(self, place, dtype or self.state.dtype)

    def __repr__(self) -> str:
        steps, shape = sorted(set(self.step.tolist())), list(self.state.shape)
        at = f"step {steps[0]}" if len(steps) == 1 else f"steps {steps}"
        return f"World({len(self)} on a {self.space.kind}, {shape} cells × channels, {at})"

    def _repr_png_(self) -> bytes:
        from swarm_nca.render import render_png

        return render_png(self)
