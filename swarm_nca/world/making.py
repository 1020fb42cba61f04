"""Makes worlds: checks pictures, graphs, labels and keys, and arranges them as rows."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from swarm_nca.arguments import check_tensor, dense, is_tensor, shown
from swarm_nca.randomness import Stream, check_seed, normal_rows, words
from swarm_nca.rules import Classes, Readout, Rule
from swarm_nca.spaces import GraphSpace, PixelSpace
from swarm_nca.suggestion import did_you_mean
from swarm_nca.topologies import Grid, Topology
from swarm_nca.topologies.places import places_of

if TYPE_CHECKING:
    import networkx as nx

    from swarm_nca.world.record import World

#: A batch of grey pictures in [0, 1]: an array [B, H, W], or a sequence of [H, W].
PictureBatch = np.ndarray[Any, Any] | Tensor | Sequence[np.ndarray[Any, Any] | Tensor]

STARTS = ("zeros", "random")


def canvas_of(images: PictureBatch, rule: Rule, grid: Grid) -> PixelSpace:
    """Pictures as the space for cells of this rule."""
    if rule.slots != 9 or rule.stimulus_size not in (0, 9):
        raise ValueError(
            f"pictures need a rule with 9 slots and 9 stimulus values (or none), this one has "
            f"{rule.slots} and {rule.stimulus_size}; build its world with World.from_graph"
        )
    grey, height, width = flat(images, torch.zeros((), dtype=rule.dtype, device=rule.device))
    return PixelSpace(grey, height, width, grid, rule.habitat)


def network_of(graph: nx.Graph[Hashable] | Topology, rule: Rule, stimulus: Any) -> GraphSpace:
    """A graph as the space for cells of this rule."""
    places = None
    if isinstance(graph, Topology):
        topology = graph
    else:
        # Slots that only the rule has stay silent.
        _check_slots(graph.graph.get("slots", rule.slots), rule)
        topology = Topology.from_networkx(graph, rule.slots)
        places = places_of(graph)
    _check_slots(topology.slots, rule)
    if topology.slots < rule.slots:
        silent = topology.neighbors.new_full(
            (len(topology), rule.slots - topology.slots), len(topology)
        )
        topology = replace(topology, neighbors=torch.cat([topology.neighbors, silent], dim=1))
    shape = (len(topology), rule.stimulus_size)
    sensed = torch.zeros(shape) if stimulus is None else _copied("stimulus", stimulus)
    if tuple(sensed.shape) != shape:
        raise ValueError(f"stimulus must have the shape {shape}, got {tuple(sensed.shape)}")
    if not bool(torch.isfinite(sensed).all()):
        raise ValueError("stimulus holds values that are not finite (NaN or infinity)")
    if places is None:
        places = torch.arange(len(topology), dtype=torch.float32)[:, None]
    return GraphSpace.over(topology, sensed, places).to(rule.device, rule.dtype)


def _check_slots(slots: Any, rule: Rule) -> None:
    if isinstance(slots, int) and slots > rule.slots:
        raise ValueError(
            f"the graph has {slots} slots, but this rule has {rule.slots}: train a rule with "
            f"slots={slots}, or number them again with "
            f"swarm_nca.topologies.number_slots(graph, slots={rule.slots})"
        )


def flat(images: PictureBatch, like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures as one flat list of grey, their heights and their widths.

    Raises:
        ValueError: a picture that is not two-dimensional, or grey that is not in [0, 1].
    """
    if isinstance(images, Tensor | np.ndarray) and images.ndim == 3:
        batch = _copied("images", images)
        grey, shapes = batch.reshape(-1), [tuple(batch.shape[1:])] * len(batch)
    else:
        pictures = [_copied("pictures", image) for image in one_by_one(images)]
        for picture in pictures:
            if picture.ndim != 2:
                raise ValueError(
                    f"pictures are [H, W] each, or one array [B, H, W]; got one of shape "
                    f"{list(picture.shape)}"
                )
        grey = torch.cat([p.reshape(-1) for p in pictures]) if pictures else torch.zeros(0)
        shapes = [tuple(picture.shape) for picture in pictures]
    grey = grey.to(device=like.device, dtype=like.dtype)
    if grey.numel() and not (float(grey.min()) >= 0.0 and float(grey.max()) <= 1.0):
        raise ValueError(
            f"grey must lie in [0, 1], got {float(grey.min())} to {float(grey.max())}; divide "
            "8-bit pictures by 255"
        )
    height, width = torch.tensor(shapes, dtype=torch.int64).reshape(-1, 2).unbind(1)
    return grey, height.to(like.device), width.to(like.device)


def amounts(values: Any, address: Tensor, like: Tensor, low: float, high: float) -> Tensor:
    """One number, or one for each of the addresses [n], in the dtype of `like`.

    Raises:
        ValueError: another count, or a number outside [low, high].
    """
    given = torch.from_numpy(dense("numbers", values)).to(like)
    if given.ndim and given.shape != address.shape:
        raise ValueError(
            f"give one number, or one for each of the {len(address)} sites; got {given.numel()}"
        )
    if not bool(((given >= low) & (given <= high)).all()):
        raise ValueError(f"numbers must lie between {low:g} and {high:g}, got {given.tolist()}")
    return given


def labels_in(readout: Readout) -> int:
    """The number of possible labels: one per class, 0 for other read-outs."""
    return len(readout) if isinstance(readout, Classes) else 0


def state_like(present: Tensor, given: Any) -> Tensor:
    """The new state, if it has a float dtype and the shape and device of the present one.

    Raises:
        ValueError: another shape or device, or no floats.
    """
    state: Tensor = given if isinstance(given, Tensor) else _copied("state", given).to(present)
    check_tensor("state", state)
    if state.shape != present.shape:
        raise ValueError(
            f"the state of these worlds is [cells, channels] = {list(present.shape)}, got "
            f"{list(state.shape)}; use draw and erase to change the cells"
        )
    if state.device != present.device or not state.is_floating_point():
        raise ValueError(
            f"the state must hold floats on {present.device}, got {state.dtype} on "
            f"{state.device}; use state.to(world.state)"
        )
    return state


def labels_of(
    values: Iterable[int] | Tensor | None, worlds: int, classes: int, device: torch.device
) -> Tensor:
    """int64 [B], −1 for all when None.

    Raises:
        ValueError: another count, or a label that is neither −1 nor a class.
    """
    if values is None:
        return torch.full((worlds,), -1, device=device)
    label = _integers(values, worlds, "labels").to(device)
    if not classes and bool((label >= 0).any()):
        raise ValueError(
            f"this rule has no classes, so its worlds have no labels; got {label.tolist()}"
        )
    if worlds and not -1 <= int(label.min()) <= int(label.max()) < max(classes, 1):
        wrong = label[(label < -1) | (label >= classes)][0]
        raise ValueError(
            f"labels lie between 0 and {classes - 1} (or are −1 for unknown), got {int(wrong)}"
        )
    return label


def keys_of(values: Iterable[int] | Tensor | None, worlds: int, device: torch.device) -> Tensor:
    """int64 [B]; 0, 1, … when None.

    Raises:
        ValueError: another count, or a key outside [0, 2³²).
    """
    if values is None:
        return torch.arange(worlds, device=device)
    key = _integers(values, worlds, "keys").to(device)
    if worlds and not 0 <= int(key.min()) <= int(key.max()) < 1 << 32:
        raise ValueError("keys lie between 0 and 2^32 - 1")
    return key


def _integers(values: Iterable[int] | Tensor, worlds: int, name: str) -> Tensor:
    kind = f"{name} are whole numbers, one for each world (−1 for an unknown label)"
    if not isinstance(values, Iterable):
        raise ValueError(f"{kind}; got {shown(values)}")
    try:
        array = dense(name, values if hasattr(values, "__array__") else list(values))
    except ValueError as error:
        raise ValueError(f"{kind}: {error}") from error
    given = integers(name, array).reshape(-1)
    if len(given) != worlds:
        raise ValueError(f"{worlds} worlds need as many {name}, got {len(given)}")
    return given


def integers(name: str, values: Any) -> Tensor:
    """int64, a copy of whole numbers of any shape; 1.0 counts as whole.

    Raises:
        ValueError: numbers that are not whole, or other values.
    """
    given = _copied(name, values)
    number = given.to(torch.int64)
    if not torch.equal(number.to(given.dtype), given):
        raise ValueError(f"{name} are whole numbers, got {shown(given.tolist())}")
    return number


def one_by_one(images: Any) -> Iterator[Any]:
    """An iterator over the pictures of a batch or sequence.

    Raises:
        ValueError: not a batch or sequence.
    """
    if is_tensor(images):
        check_tensor("images", images)
    try:
        return iter(images)
    except TypeError as error:
        raise ValueError(
            f"images must be a list of pictures [H, W] or one array [B, H, W], got {shown(images)}"
        ) from error


def _copied(name: str, values: Any) -> Tensor:
    # Copied, so that a world does not change when a caller writes to the arrays it gave.
    return torch.tensor(dense(name, values))


def check_start(start: str) -> None:
    """Raise a ValueError unless `start` is one of `STARTS`."""
    if not isinstance(start, str) or start not in STARTS:
        hint = did_you_mean(start, STARTS)
        raise ValueError(f"start must be one of {', '.join(STARTS)}, got {shown(start)}{hint}")


def starting_state(world: World, channels: int, start: str, seed: int) -> Tensor:
    """[N, channels]: zeros, or standard normal draws from (seed, key, site, step)."""
    check_start(start)
    if start == "zeros":
        blank = world.stimulus.new_zeros(world.cells, channels)
        born = world.space.sprouting(world.address)
        return blank if born is None else torch.where(born.on[:, None], born.state, blank)
    row, seed = world.world_of, check_seed(seed)
    drawn = words(seed, world.key[row], world.site, world.step[row], Stream.START)[0] >> 12
    return normal_rows(drawn, channels, world.stimulus.dtype)
