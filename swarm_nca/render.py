"""Pictures of worlds as arrays of pixels, made from the state alone.

Each world has two views: its grey picture, dark on white, and its cells' decisions in class
colours, silent cells black (as in the demo of Randazzo et al. 2020). A silent cell shows no class;
whether it is undecided depends on the rule's own threshold. Pixels are enlarged by whole numbers,
so that cells stay crisp squares; nodes of a graph are dots at their positions.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from swarm_nca.world import World

#: uint8 [height, width, 3], red, green and blue.
Rgb: TypeAlias = npt.NDArray[np.uint8]

#: A cell whose class channels are all at or below this value is silent and drawn black.
SHOWN_ABOVE = 0.01
SILENT = "silent"

#: Maximum number of worlds in one portrait; more would be too small.
_SHOWN = 64


def decided(
    world: World, index: int | None = 0, shown_above: float = SHOWN_ABOVE
) -> npt.NDArray[np.int64]:
    """int64 [n], the label of each cell of one world (see `Readout.names`), −1 for silent.

    Args:
        index: of the world in the batch; None for the cells of all worlds, in their order.
    """
    rows = slice(None) if index is None else world.rows_of(index)
    state = world.state[rows].detach().cpu().numpy()
    return world.readout.shown(state, shown_above)


def tally(world: World, index: int = 0, shown_above: float = SHOWN_ABOVE) -> npt.NDArray[np.int64]:
    """int64 [classes + 1], the number of cells of one world per class; silent cells last."""
    label = decided(world, index, shown_above)
    classes = len(world.readout.names)
    return np.bincount(np.where(label < 0, classes, label), minlength=classes + 1)


def decisions_rgb(
    world: World,
    index: int = 0,
    *,
    scale: int = 1,
    shown_above: float = SHOWN_ABOVE,
) -> Rgb:
    """One world's decisions, uint8 [H·scale, W·scale, 3], on white.

    Args:
        index: of the world in the batch.
        scale: pixels per cell, 1 or more.
        shown_above: a cell is silent unless a class channel exceeds this.
    """
    state = world.state[world.rows_of(index)].detach().cpu().numpy()
    colors = world.readout.rgb(state, shown_above)
    return cells_rgb(world, colors, index, scale=scale)


def inked(world: World) -> bool:
    """Whether a world has a picture or stimulus to show beside its decisions.

    False if every pixel is a cell.
    """
    return not world.space.pictured or world.canvas.habitat.sprout is None


def grey_rgb(world: World, index: int = 0, *, scale: int = 1) -> Rgb:
    """One world's grey picture, dark on white, uint8 [H·scale, W·scale, 3].

    For a graph, each node's mean stimulus.
    """
    if world.space.pictured:
        return enlarged(_ink(world.picture(index)), scale)
    sensed = world.stimulus[world.rows_of(index)].mean(dim=1, keepdim=True).nan_to_num(0.0)
    return cells_rgb(world, _ink(sensed)[:, 0], index, scale=scale)


def cells_rgb(
    world: World, colors: Rgb, index: int = 0, *, scale: int = 1, behind: Rgb | int = 255
) -> Rgb:
    """One world's cells in given colours, uint8 [H·scale, W·scale, 3].

    Args:
        colors: uint8 [n, 3], one per alive cell of that world, in the order of its rows.
        behind: colour of pixels without a cell: a grey of 0 to 255, or uint8 [H, W, 3].
    """
    if not world.space.pictured:
        return _dots(world, index, colors, scale, behind)
    picture = np.empty((*extent(world, index), 3), np.uint8)
    picture[:] = behind
    first = int(world.space.sizes[:index].sum())
    site = (world.address[world.rows_of(index)] - first).cpu().numpy()
    picture.reshape(-1, 3)[site] = colors
    return enlarged(picture, scale)


def enlarged(rgb: Rgb, scale: int) -> Rgb:
    """Every pixel enlarged to `scale` × `scale` pixels."""
    return rgb if scale == 1 else rgb.repeat(scale, axis=1).repeat(scale, axis=0)


def sheet(tiles: Sequence[Rgb], columns: int, gap: int) -> Rgb:
    """Pictures on one white sheet, row by row, each centred in a place of the largest size."""
    height = max((tile.shape[0] for tile in tiles), default=1)
    width = max((tile.shape[1] for tile in tiles), default=1)
    columns = max(1, min(columns, len(tiles)))
    rows = max(1, -(-len(tiles) // columns))
    paper = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        top = row * (height + gap) + (height - tile.shape[0]) // 2
        left = column * (width + gap) + (width - tile.shape[1]) // 2
        paper[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    return paper


def portrait(world: World, *, scale: int | None = None) -> Rgb:
    """Grey and decisions of every world side by side; several worlds in a grid, at most 64.

    If every pixel is a cell, only the decisions.

    Args:
        scale: pixels per cell; a size for notebooks when None.
    """
    shown = range(min(len(world), _SHOWN))
    columns = math.ceil(math.sqrt(len(shown) / 2)) if len(shown) > 2 else 1
    if scale is None:
        side = max((max(extent(world, index)) for index in shown), default=1)
        scale = max(1, min(10, 840 // (2 * columns * side)))
    views = (grey_rgb, decisions_rgb) if inked(world) else (decisions_rgb,)
    pairs = [sheet([view(world, i, scale=scale) for view in views], 2, 2 * scale) for i in shown]
    return sheet(pairs, columns, 4 * scale)


def render_png(world: World) -> bytes:
    """The portrait as a PNG file, for notebooks."""
    return png(portrait(world))


def png(rgb: Rgb) -> bytes:
    """A picture as a PNG file."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "png")
    return file.getvalue()


def extent(world: World, index: int = 0) -> tuple[int, int]:
    """(rows, columns) of one world's picture in cells; for a graph, of its square."""
    return world.space.extent(index)


def _dots(world: World, index: int, colors: Rgb, scale: int, behind: Rgb | int) -> Rgb:
    from PIL import Image, ImageDraw

    side = extent(world, index)[0] * scale
    radius = max(1.0, 0.6 * scale)
    image = Image.new("RGB", (side, side), (int(np.mean(behind)),) * 3)
    draw = ImageDraw.Draw(image)
    across, down = _places(world, index)
    margin = radius + 1
    outline = (150, 150, 150) if scale > 3 else None  # a small dot has no room for one
    for x, y, color in zip(across, down, colors.tolist(), strict=True):
        middle = (margin + x * (side - 2 * margin), margin + y * (side - 2 * margin))
        draw.circle(middle, radius, fill=tuple(color), outline=outline)
    return np.asarray(image)


def _places(world: World, index: int) -> tuple[list[float], list[float]]:
    """Places of the alive nodes of one graph: across and down, both in [0, 1].

    Coordinates are x and y, y upwards, as in networkx; nodes without coordinates are laid out in
    rows.
    """
    size = int(world.space.sizes[index])
    first = int(world.space.sizes[:index].sum())
    every = torch.arange(first, first + size, device=world.address.device)
    place = world.space.position(every).to(torch.float64).cpu().numpy()
    if not size:
        return [], []
    if place.shape[1] == 1:
        width = math.ceil(math.sqrt(size))
        number = np.arange(size)
        place = np.stack([number % width, -(number // width)], axis=1).astype(np.float64)
    # All nodes set the scale, so that alive nodes do not move when others die.
    place = place[:, :2] * (1, -1)
    low, high = place.min(axis=0), place.max(axis=0)
    place = (place - (low + high) / 2) / max(float((high - low).max()), 1e-9) + 0.5
    living = (world.address[world.rows_of(index)] - first).cpu().numpy()
    return place[living, 0].tolist(), place[living, 1].tolist()


def _ink(grey: Tensor) -> npt.NDArray[np.uint8]:
    """Grey [n, m] in [0, 1] as dark on white, uint8 [n, m, 3]."""
    values: npt.NDArray[Any] = grey.detach().cpu().numpy()
    ink = (255.0 - 255.0 * np.clip(values, 0.0, 1.0) + 0.5).astype(np.uint8)
    return np.repeat(ink[:, :, None], 3, axis=2)
