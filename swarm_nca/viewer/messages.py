"""The view of messages: how loud each one is, drawn along the edge it travels.

A message is the sender's whole state, so its magnitude is the Euclidean norm of that state. Not of
the state's change: cells hear what a neighbour holds, not what is new about it, and once all agree
the change shows the noise alone. Between two cells run two messages; the half of their edge that
touches a cell shows the one that this cell is about to hear. What the links will lose on the way
to the next step is known beforehand, draws being counter-based, and left out.

A cell listens in eight directions and is drawn as a small square tile, half an edge in each of
them. So tiles are put together from ones painted once for every loudness; nothing is drawn edge by
edge.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from swarm_nca.randomness import Draws
from swarm_nca.render import Rgb
from swarm_nca.viewer.theme import Theme
from swarm_nca.world import World

if TYPE_CHECKING:
    from swarm_nca.viewer.overlays import Look

#: Pixels that one side of a tile has at least, at most, and that all tiles have together at most.
_LEAST, _MOST, _ALL = 3, 40, 1_000_000

#: Shades of loudness, and the magnitude in the middle of the scale.
_SHADES, MIDDLE = 32, 3.0

_ITSELF = 4

Values = npt.NDArray[np.float32]


def messages(look: Look) -> Rgb:
    """How loud everybody's messages are: darker and wider is louder, on dark paper brighter.

    Returns:
        uint8 [H·s, W·s, 3], s pixels for each cell.
    """
    height, width = look.world.picture().shape
    side = min(max(look.detail, _LEAST), _MOST)
    side = max(_LEAST, min(side, int((_ALL / max(1, look.world.cells)) ** 0.5)))
    sheet = np.empty((height * side, width * side, 3), np.uint8)
    sheet.reshape(len(sheet), -1)[:] = np.tile(np.array(look.theme.paper, np.uint8), width * side)
    if look.world.cells:
        row, column = np.divmod(look.world.site.numpy(), width)
        # A tile's line of pixels is one item: fewer and longer pieces are copied.
        line = np.dtype((np.void, 3 * side))
        lines = sheet.reshape(height, side, width, 3 * side).view(line)[..., 0]
        lines.transpose(0, 2, 1)[row, column] = _tiles(look, side).view(line)[..., 0]
    return sheet


def loudness(look: Look) -> Values:
    """float32 [N, 9], the magnitude of what each cell is about to hear in each slot.

    Nan where nothing comes: nobody lives there, the message will be lost, or it is the cell itself.
    """
    world = look.world
    heard = world.neighbors
    if world.links.drop:
        everybody = torch.arange(world.cells)
        heard = world.links.arriving(heard, everybody, _Glimpse(world, look.seed), 0)
    state = world.state.numpy()
    norms = np.append(np.sqrt(np.einsum("nc,nc->n", state, state)), np.float32(np.nan))
    loud: Values = norms[heard.numpy()]
    loud[:, _ITSELF] = np.nan
    return loud


def share_of(magnitude: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Where magnitudes from 0 up lie on the scale from 0 to 1: squashed by the arctangent."""
    place: npt.NDArray[np.float64] = np.arctan(np.asarray(magnitude) / MIDDLE) * (2 / np.pi)
    return place


def ramp(theme: Theme, share: npt.NDArray[Any]) -> Rgb:
    """uint8 [n, 3], the colours of places [n] on the scale, from close to the paper to far from it.

    Lightness runs one way, so that neither a colour-blind eye nor a grey print is misled.
    """
    stops = np.array(theme.scale, np.float64)
    place = np.clip(share, 0, 1) * (len(stops) - 1)
    parts = [np.interp(place, np.arange(len(stops)), part) for part in stops.T]
    return np.stack(parts, axis=-1).round().astype(np.uint8)


class _Glimpse(Draws):
    """The draws of a world's next step alone: none are made ahead."""

    def __init__(self, world: World, seed: int) -> None:
        row = world.world_of
        super().__init__(seed, world.key[row], world.site, world.step[row])
        self._ahead = 1


def _tiles(look: Look, side: int) -> npt.NDArray[np.uint8]:
    """uint8 [N, side, 3·side]: every cell with what it hears, a dot of its class in the middle."""
    share = np.nan_to_num(share_of(loudness(look)), nan=-1.0)
    # Shade 0 is silence.
    shade = np.where(share < 0, 0, 1 + (share * (_SHADES - 1)).round()).astype(np.int32)
    slot, painted = _stamps(side, look.theme)
    wanted = shade[:, slot]
    wanted *= side**2
    wanted += np.arange(side**2, dtype=np.int32)
    tiles = painted.reshape(-1, 3).take(wanted, axis=0)
    tiles[:, _dot(side)] = look.palette[look.decided][:, None]
    return tiles.reshape(-1, side, 3 * side)


@lru_cache(maxsize=8)
def _stamps(side: int, theme: Theme) -> tuple[npt.NDArray[np.int64], Rgb]:
    """The slot that each pixel of a tile belongs to, [side²], and uint8 [shades, side², 3]."""
    across = np.arange(side) - (side - 1) / 2
    y, x = (one.reshape(-1) for one in np.meshgrid(across, across, indexing="ij"))
    eighth = np.round(np.arctan2(y, x) / (np.pi / 4)).astype(int) % 8
    down, right = np.round(np.sin(eighth * np.pi / 4)), np.round(np.cos(eighth * np.pi / 4))
    slot = ((down + 1) * 3 + right + 1).astype(np.int64)
    length = np.hypot(down, right)
    apart = np.abs(x * down - y * right) / length
    share = np.linspace(0, 1, _SHADES)
    width = np.maximum(side * (0.05 + 0.27 * share), 1.0)
    cover = np.clip(width[:, None] / 2 - apart + 0.5, 0, 1)[:, :, None]
    paper = np.array(theme.paper, np.float64)
    lines = paper + (ramp(theme, share)[:, None] - paper) * cover
    silence = np.broadcast_to(paper, (1, side**2, 3))
    return slot, np.concatenate([silence, lines]).round().astype(np.uint8)


@lru_cache(maxsize=64)
def _dot(side: int) -> npt.NDArray[np.int64]:
    """The pixels of a tile that its dot covers."""
    across = np.arange(side) - (side - 1) / 2
    return np.flatnonzero(np.hypot(across[:, None], across) <= max(0.16 * side, 0.8))
