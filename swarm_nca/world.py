"""Everything that is true at one moment, of one world or of a batch of them.

A batch is the disjoint union of its worlds: the rows of one follow those of another, dead pixels are no
rows. The record is frozen; a step, a stroke or a selection returns a new one.

Letters: B worlds, N rows (living cells) of all of them, K neighbour slots, C state channels, S stimulus
values, D coordinates.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from swarm_nca.grounds import Canvas, Ground, Network, join_tables, spread
from swarm_nca.links import Links
from swarm_nca.randomness import Stream, check_seed, normal_rows, words
from swarm_nca.rules import Classes, Rule
from swarm_nca.topologies import Grid, Topology

if TYPE_CHECKING:
    import networkx as nx

#: Anything that is a batch of grey pictures in [0, 1]: an array [B, H, W], or a sequence of [H, W].
PictureBatch = np.ndarray[Any, Any] | Tensor | Sequence[np.ndarray[Any, Any] | Tensor]


def _per_row() -> Any:
    # What a cell holds moves with the cell: `_moved` carries every field that is marked so.
    return field(metadata={"per": "row"})


@dataclass(frozen=True, eq=False)
class World:
    """B worlds at one moment.

    Attributes:
        state: [N, C], what each cell holds, and tells its neighbours.
        key: int64 [B], the worlds' names in every random draw; kept for life.
        step: int64 [B], steps taken.
        label: int64 [B], the class each world should agree on, −1 if unknown.
        ground: the pictures or graphs the worlds stand on.
        links: what happens to messages on their way.
        classes: how the class channels (the last ones) are read.
        address: int64 [N], where each row lives on the ground, ascending.
        neighbors: int64 [N, K], the row heard in each slot, N for nobody.
        stimulus: [N, S], what each row senses.
    """

    state: Tensor = _per_row()
    key: Tensor
    step: Tensor
    label: Tensor
    ground: Ground
    links: Links
    classes: Classes
    # Derived from the ground, by `_settled` and `_resettled` alone.
    address: Tensor
    neighbors: Tensor
    stimulus: Tensor

    # ------------------------------------------------------------------ making

    @classmethod
    def from_images(
        cls,
        images: PictureBatch,
        rule: Rule,
        *,
        labels: Iterable[int] | None = None,
        keys: Iterable[int] | None = None,
        grid: Grid = Grid(),  # noqa: B008  (frozen)
        links: Links = Links(),  # noqa: B008  (frozen)
        start: str = "zeros",
        seed: int = 0,
    ) -> World:
        """Worlds whose cells are the living pixels of pictures.

        Args:
            images: grey values in [0, 1], [B, H, W], or a list of [H, W] of any sizes.
            rule: gives channels, classes, the alive threshold and the dtype.
            labels: the class of each picture, −1 unknown.
            keys: the worlds' names in random draws; 0, 1, … when None.
            grid: how pixels hear each other.
            links: what happens to messages.
            start: `zeros`, or `random` (standard normal, drawn from `seed`).
            seed: only for a random start.

        Raises:
            ValueError: grey outside [0, 1] or not finite, a picture that is not two-dimensional, a
                label the rule does not have, counts that differ, or an unknown start.
        """
        weight = next(rule.parameters())
        if rule.slots != 9 or rule.stimulus_size != 9:
            raise ValueError(
                f"pictures need a rule with 9 slots and 9 stimulus values, this one has "
                f"{rule.slots} and {rule.stimulus_size}; give its graph with World.from_graph"
            )
        grey, height, width = _flat(images, weight)
        canvas = Canvas(grey, height, width, grid, rule.alive_above)
        return cls._new(canvas, rule, labels, keys, links, start, seed)

    @classmethod
    def from_graph(
        cls,
        graph: nx.Graph[Hashable] | Topology,
        rule: Rule,
        *,
        stimulus: Any = None,
        label: int = -1,
        key: int = 0,
        links: Links = Links(),  # noqa: B008  (frozen)
        start: str = "zeros",
        seed: int = 0,
    ) -> World:
        """One world whose cells are the nodes of a graph, in the graph's node order.

        Args:
            graph: edges u → v ("u hears v") with an attribute `slot`; see `Topology.from_networkx`.
                A node attribute `pos` gives its coordinates.
            stimulus: what each node senses, [N, S]; zeros when None.

        Raises:
            ValueError: slots that clash or are missing, more slots than the rule has, or a stimulus
                of another shape.
        """
        weight = next(rule.parameters())
        if isinstance(graph, Topology):
            topology, places = graph, None
        else:
            topology = Topology.from_networkx(graph, rule.slots)
            places = [graph.nodes[name].get("pos") for name in topology.names]
        if topology.slots != rule.slots:
            raise ValueError(f"the graph has {topology.slots} slots, the rule {rule.slots}")
        nodes = len(topology)
        shape = (nodes, rule.stimulus_size)
        sensed = torch.zeros(shape) if stimulus is None else torch.as_tensor(stimulus)
        if tuple(sensed.shape) != shape:
            raise ValueError(f"stimulus must have the shape {shape}, got {tuple(sensed.shape)}")
        if places and all(place is not None for place in places):
            coordinates = torch.tensor([[float(x) for x in place] for place in places])
        else:
            coordinates = torch.arange(nodes, dtype=torch.float32)[:, None]
        ground = Network.over(topology, sensed.to(weight.dtype), coordinates)
        ground = ground.to(weight.device, weight.dtype)
        return cls._new(ground, rule, [label], [key], links, start, seed)

    @classmethod
    def _new(
        cls,
        ground: Ground,
        rule: Rule,
        labels: Iterable[int] | None,
        keys: Iterable[int] | None,
        links: Links,
        start: str,
        seed: int,
    ) -> World:
        worlds, device = len(ground.sizes), ground.sizes.device
        label = _per_world(labels, worlds, -1, "labels", device)
        key = _per_world(keys, worlds, None, "keys", device)
        if len(label) and not -1 <= int(label.min()) <= int(label.max()) < len(rule.classes):
            raise ValueError(
                f"labels must lie between 0 and {len(rule.classes) - 1} (or be −1 for unknown), got "
                f"{sorted(set(label.tolist()))}"
            )
        if len(key) and not 0 <= int(key.min()) <= int(key.max()) < 1 << 32:
            raise ValueError("keys must lie between 0 and 2^32 - 1")
        weight = next(rule.parameters())
        world = cls(
            state=weight.new_zeros(0, rule.channels),
            key=key,
            step=torch.zeros_like(key),
            label=label,
            ground=ground,
            links=links,
            classes=rule.classes,
            **_settled(ground),
        )
        return world.restarted(start, seed)

    def restarted(self, start: str = "zeros", seed: int = 0) -> World:
        """The same worlds with the states they started from; steps taken stay counted.

        Args:
            start: `zeros`, or `random` (standard normal, drawn from seed, key, site and step).
        """
        channels = self.state.shape[1]
        if start == "zeros":
            return self.with_state(self.state.new_zeros(len(self.address), channels))
        if start == "random":
            row_key, row_step = self.key[self.world_of], self.step[self.world_of]
            seed = check_seed(seed)
            drawn = words(seed, row_key, self.site, row_step, Stream.START)[0] >> 12
            return self.with_state(normal_rows(drawn, channels, self.state.dtype))
        raise ValueError(f"start must be 'zeros' or 'random', got {start!r}")

    # ----------------------------------------------------------------- asking

    def __len__(self) -> int:
        """B, the number of worlds."""
        return len(self.key)

    @property
    def cells(self) -> int:
        """N, the living cells of all worlds."""
        return len(self.address)

    @property
    def world_of(self) -> Tensor:
        """int64 [N], the world each row belongs to."""
        places = self.ground.sizes.cumsum(0)
        return torch.searchsorted(places, self.address, right=True)

    @property
    def counts(self) -> Tensor:
        """int64 [B], living cells of each world."""
        ends = self.ground.sizes.cumsum(0)
        return torch.searchsorted(self.address, ends).diff(prepend=ends.new_zeros(1))

    @property
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
        """[N, classes], the class channels."""
        return self.state[:, self.state.shape[1] - len(self.classes) :]

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
        if not isinstance(self.ground, Canvas):
            raise ValueError("this world stands on a graph, it has no picture")
        return self.ground

    # --------------------------------------------------------------- changing

    def with_state(self, state: Tensor, steps: int = 0) -> World:
        """The same worlds holding another state [N, C], some steps later."""
        return replace(self, state=state, step=self.step + steps if steps else self.step)

    def relabeled(self, label: Sequence[int] | Tensor) -> World:
        """The same worlds with other labels [B]."""
        fresh = torch.as_tensor(label, dtype=torch.int64, device=self.label.device)
        return replace(self, label=fresh.reshape(self.label.shape))

    def repictured(self, images: PictureBatch, labels: Iterable[int] | None = None) -> World:
        """The same worlds on new pictures: cells alive before and after keep all they hold.

        Args:
            images: one picture per world, each of its world's present size.
            labels: their classes; unknown when None.

        Raises:
            ValueError: counts or sizes that differ.
        """
        canvas = self.canvas
        grey, height, width = _flat(images, canvas.grey)
        if not (torch.equal(height, canvas.height) and torch.equal(width, canvas.width)):
            raise ValueError(
                f"a new picture must have its world's size, {_sizes(canvas.height, canvas.width)}; "
                f"got {_sizes(height, width)}"
            )
        label = _per_world(labels, len(self), -1, "labels", self.label.device)
        return replace(self._standing_on(replace(canvas, grey=grey)), label=label)

    def draw(self, site: Tensor, grey: Tensor | float, world: int = 0) -> World:
        """Add grey to some pixels of one world; what sums up past the threshold comes alive.

        Args:
            site: int64 [n], pixel numbers, each at most once.
            grey: [n] or one number, added; the sum is kept within [0, 1].
        """
        address, before = self._pixels(site, world)
        return self._painted(address, (before + grey).clamp(0.0, 1.0))

    def erase(self, site: Tensor, share: Tensor | float = 1.0, world: int = 0) -> World:
        """Take away a share of the grey of some pixels of one world; on a graph, remove nodes.

        Args:
            site: int64 [n], pixel or node numbers, each at most once.
            share: [n] or one number in [0, 1]; 1 leaves white.
        """
        if isinstance(self.ground, Network):
            return self._standing_on(self.ground.with_alive(self._address(site, world), False))
        address, before = self._pixels(site, world)
        return self._painted(address, before * (1.0 - share))

    def _pixels(self, site: Tensor, world: int) -> tuple[Tensor, Tensor]:
        address = self._address(site, world)
        return address, self.canvas.grey[address]

    def _address(self, site: Tensor, world: int) -> Tensor:
        size = int(self.ground.sizes[world])
        site = torch.as_tensor(site, dtype=torch.int64, device=self.address.device)
        if len(site) and not 0 <= int(site.min()) <= int(site.max()) < size:
            raise ValueError(f"sites of this world run from 0 to {size - 1}, got {site.tolist()}")
        return site + int(self.ground.sizes[:world].sum())

    def _painted(self, address: Tensor, grey: Tensor) -> World:
        # Local: only rows near the brush are looked at anew, all others are copied as they are.
        canvas = self.canvas
        fresh = canvas.painted(address, grey)
        near = fresh.around(address)
        near = near[fresh.grey[near] > fresh.alive_above]
        lived = canvas.grey[address] > canvas.alive_above
        lives = grey > canvas.alive_above
        born, died = address[lives & ~lived].sort().values, address[lived & ~lives]
        keep = torch.ones_like(self.address, dtype=torch.bool)
        keep[torch.searchsorted(self.address, died)] = False
        kept = keep.nonzero().view(-1)
        rows, where = _merged(self.address[kept], born)
        source = torch.full_like(rows, self.cells)
        source[where] = kept
        # Old row numbers → new ones; the dead become nobody.
        renumbered = torch.full((self.cells + 1,), len(rows), device=rows.device)
        renumbered[kept] = where
        found, stimulus = fresh.look(near)
        at = torch.searchsorted(rows, near)
        moved = self._moved(source, neighbors=len(self.neighbors), stimulus=0.0)
        neighbors = renumbered[moved["neighbors"]]
        neighbors[at] = _rows_at(rows, found)
        moved["stimulus"][at] = stimulus
        return replace(
            self, ground=fresh, address=rows, **{**moved, "neighbors": neighbors}
        )

    def _standing_on(self, ground: Ground) -> World:
        settled = _settled(ground)
        now = settled["address"]
        source = _rows_at(self.address, now)
        return replace(self, ground=ground, **settled, **self._moved(source))

    def _moved(self, source: Tensor, **others: Any) -> dict[str, Tensor]:
        """Every per-row field (and `others`, with what newborn rows hold) taken from old rows.

        `source` [N'] holds old row numbers, N for a newborn row, which starts with zeros.
        """
        survives = source < self.cells
        old, new = source[survives], survives.nonzero().view(-1)
        newborn = {f.name: 0 for f in fields(self) if f.metadata.get("per") == "row"} | others
        moved = {}
        for name, blank in newborn.items():
            value = getattr(self, name)
            if value is not None:
                fresh = value.new_full((len(source), *value.shape[1:]), blank)
                moved[name] = fresh.index_copy_(0, new, value[old])
        return moved

    # ------------------------------------------------------- taking, joining

    def select(self, worlds: Sequence[int] | Tensor | int) -> World:
        """Some of the worlds, in the order given; each stays what it was.

        Raises:
            IndexError: a number that no world has.
        """
        chosen = torch.as_tensor(worlds, dtype=torch.int64, device=self.key.device).reshape(-1)
        chosen = torch.where(chosen < 0, chosen + len(self), chosen)
        if len(chosen) and not 0 <= int(chosen.min()) <= int(chosen.max()) < len(self):
            raise IndexError(f"there are {len(self)} worlds, got {chosen.tolist()}")
        counts = self.counts
        source = spread(chosen, counts)
        ground = self.ground.take(chosen)
        first = torch.cat([counts.new_zeros(1), counts[chosen].cumsum(0)])[:-1]
        shift = first - (counts.cumsum(0) - counts)[chosen]
        row_shift = shift.repeat_interleave(counts[chosen])
        heard = self.neighbors[source]
        return replace(
            self,
            key=self.key[chosen],
            step=self.step[chosen],
            label=self.label[chosen],
            ground=ground,
            address=ground.alive(),
            neighbors=torch.where(heard == self.cells, len(source), heard + row_shift[:, None]),
            stimulus=self.stimulus[source],
            **self._moved(source),
        )

    def __getitem__(self, world: int) -> World:
        return self.select(world)

    def split(self) -> list[World]:
        """Each world on its own."""
        return [self.select(world) for world in range(len(self))]

    def by_key(self, keys: Sequence[int] | int) -> World:
        """The worlds with these keys, in that order.

        Raises:
            KeyError: a key that no world, or more than one, has.
        """
        wanted = [keys] if isinstance(keys, int) else list(keys)
        have = self.key.tolist()
        for key in wanted:
            if have.count(key) != 1:
                raise KeyError(f"{have.count(key)} worlds have the key {key}")
        return self.select([have.index(key) for key in wanted])

    @staticmethod
    def join(worlds: Sequence[World]) -> World:
        """Several worlds, or batches of them, as one batch.

        Raises:
            ValueError: none, or worlds of another kind: classes, channels, links or grid.
        """
        if not worlds:
            raise ValueError("join needs at least one world")
        first = worlds[0]
        for world in worlds[1:]:
            if type(world.ground) is not type(first.ground):
                raise ValueError("worlds on pictures and on graphs cannot share a batch")
            if (world.classes, world.links) != (first.classes, first.links):
                raise ValueError("worlds of one batch need the same classes and links")
        ground = first.ground.joined([world.ground for world in worlds[1:]])
        together = {
            f.name: torch.cat([getattr(world, f.name) for world in worlds])
            for f in fields(first)
            if f.metadata.get("per") == "row" or f.name in ("key", "step", "label", "stimulus")
        }
        neighbors = join_tables([world.neighbors for world in worlds])
        return replace(
            first, ground=ground, address=ground.alive(), neighbors=neighbors, **together
        )

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> World:
        """The same worlds on a device, their numbers in a dtype."""
        target = torch.device(device) if device is not None else self.state.device
        kind = dtype or self.state.dtype
        ground = self.ground.to(target, kind)
        moved = {
            f.name: value.to(target, kind) if value.is_floating_point() else value.to(target)
            for f in fields(self)
            if isinstance(value := getattr(self, f.name), Tensor)
        }
        return replace(self, ground=ground, **moved)

    def _repr_png_(self) -> bytes:
        from swarm_nca.portrait import portrait_png

        return portrait_png(self)


def _settled(ground: Ground) -> dict[str, Tensor]:
    """Rows, index table and stimulus as a ground has them now."""
    address = ground.alive()
    heard, stimulus = ground.look(address)
    places = int(ground.sizes.sum())
    row_at = torch.full((places + 1,), len(address), device=address.device)
    row_at[address] = torch.arange(len(address), device=address.device)
    return {"address": address, "neighbors": row_at[heard], "stimulus": stimulus}


def _rows_at(address: Tensor, wanted: Tensor) -> Tensor:
    """The rows that live at wanted addresses, any shape; the number of rows where nobody does."""
    rows = torch.searchsorted(address, wanted)
    padded = torch.cat([address, address.new_full((1,), -1)])
    return torch.where(padded[rows] == wanted, rows, len(address))


def _merged(kept: Tensor, born: Tensor) -> tuple[Tensor, Tensor]:
    """Two ascending lists as one, and where the first one's entries have come to stand."""
    where = torch.arange(len(kept), device=kept.device) + torch.searchsorted(born, kept)
    merged = kept.new_empty(len(kept) + len(born))
    merged[where] = kept
    merged[torch.arange(len(born), device=kept.device) + torch.searchsorted(kept, born)] = born
    return merged, where


def _flat(images: PictureBatch, like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures as one flat list of grey, their heights and their widths."""
    if isinstance(images, Tensor | np.ndarray) and images.ndim == 3:
        batch = torch.as_tensor(images)
        grey, shapes = batch.reshape(-1), [tuple(batch.shape[1:])] * len(batch)
    else:
        pictures = [torch.as_tensor(image) for image in images]
        for picture in pictures:
            if picture.ndim != 2:
                raise ValueError(
                    f"pictures are [H, W] each, or one array [B, H, W]; got one of shape "
                    f"{list(picture.shape)}"
                )
        flat = [picture.reshape(-1) for picture in pictures]
        grey, shapes = (torch.cat(flat) if flat else torch.zeros(0)), [p.shape for p in pictures]
    grey = grey.to(device=like.device, dtype=like.dtype)
    if grey.numel() and not (float(grey.min()) >= 0.0 and float(grey.max()) <= 1.0):
        raise ValueError(
            f"grey must lie in [0, 1], got {float(grey.min())} to {float(grey.max())}; divide "
            "8-bit pictures by 255"
        )
    height, width = torch.tensor(shapes, dtype=torch.int64).reshape(-1, 2).unbind(1)
    return grey, height.to(like.device), width.to(like.device)


def _per_world(
    values: Iterable[int] | None, worlds: int, blank: int | None, name: str, device: torch.device
) -> Tensor:
    if values is None:
        fill = torch.arange(worlds) if blank is None else torch.full((worlds,), blank)
        return fill.to(device)
    given = torch.as_tensor(np.asarray(list(values), dtype=np.int64))
    if len(given) != worlds:
        raise ValueError(f"{worlds} worlds need as many {name}, got {len(given)}")
    return given.to(device)


def _sizes(height: Tensor, width: Tensor) -> str:
    pairs = sorted(set(zip(height.tolist(), width.tolist(), strict=True)))
    return ", ".join(f"{rows} × {columns}" for rows, columns in pairs)
