"""The view of messages: the magnitude of each message, drawn along its edge.

A message is the sender's whole state, so its magnitude is the Euclidean norm of that state (not of
the state's change, which is only noise once all cells agree). Each edge carries two messages; the
half of the edge that touches a cell shows the message that this cell receives at the next step, as
the engine's `Mail` delivers it: silent cells send none, stuck and lying cells send false ones, and
links lose, delay and round them. Draws are counter-based, so all this can be computed in advance.

A cell is drawn as a square tile with half an edge in each of eight directions. Tiles are assembled
from stamps painted once per magnitude; no edge is drawn by itself.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from swarm_nca.engine import Mail
from swarm_nca.engine.fit import counters_of
from swarm_nca.randomness import Draws
from swarm_nca.render import Rgb
from swarm_nca.viewer.theme import Theme
from swarm_nca.world import World

if TYPE_CHECKING:
    from swarm_nca.viewer.overlays import Look

#: Minimum and maximum side of a tile in pixels, and maximum pixels of all tiles together.
_LEAST, _MOST, _ALL = 3, 40, 1_000_000

#: Number of shades, and the magnitude in the middle of the scale.
_SHADES, MIDDLE = 32, 3.0

_ITSELF = 4

Values = npt.NDArray[np.float32]


def messages(look: Look) -> Rgb:
    """The magnitude of all messages: larger is wider and darker (brighter on dark paper).

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
        # One item per line of a tile: fewer and longer pieces are copied.
        line = np.dtype((np.void, 3 * side))
        lines = sheet.reshape(height, side, width, 3 * side).view(line)[..., 0]
        lines.transpose(0, 2, 1)[row, column] = _tiles(look, side).view(line)[..., 0]
    return sheet


def loudness(look: Look) -> Values:
    """float32 [N, 9], the magnitude of the message that each cell receives next in each slot.

    Nan for slots in which nothing arrives, and for the cell's own slot.
    """
    world = look.world
    bank, index = arriving(look, torch.arange(world.cells))
    sent = bank.numpy()
    norms = np.sqrt(np.einsum("nc,nc->n", sent, sent)).astype(np.float32, copy=False)
    norms[world.cells] = np.nan
    loud: Values = norms[index.numpy()]
    loud[:, _ITSELF] = np.nan
    return loud


def arriving(look: Look, rows: Tensor) -> tuple[Tensor, Tensor]:
    """The messages that some cells, rows int64 [M], hear at the next step.

    Returns:
        [R, C], all messages; int64 [M, 9], which of them arrives in each slot, N for none.
    """
    world = look.world
    mail = Mail(world, _NextStepDraws(world, look.seed))
    padded = torch.cat([world.state, world.state.new_zeros(1, world.state.shape[1])])
    return mail.collect(padded, 0), mail.arriving(rows, 0)


def share_of(magnitude: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Magnitudes ≥ 0 mapped to [0, 1) by the arctangent."""
    place: npt.NDArray[np.float64] = np.arctan(np.asarray(magnitude) / MIDDLE) * (2 / np.pi)
    return place


def ramp(theme: Theme, share: npt.NDArray[Any]) -> Rgb:
    """uint8 [n, 3], the colours of shares [n] in [0, 1], from near the paper's colour to far.

    Lightness is monotonic, so the scale also works for colour-blind readers and in grey prints.
    """
    stops = np.array(theme.scale, np.float64)
    place = np.clip(share, 0, 1) * (len(stops) - 1)
    parts = [np.interp(place, np.arange(len(stops)), part) for part in stops.T]
    return np.stack(parts, axis=-1).round().astype(np.uint8)


class _NextStepDraws(Draws):
    """The draws of a world's next step; later steps are not computed in advance."""

    def __init__(self, world: World, seed: int) -> None:
        super().__init__(seed, *counters_of(world))
        self._ahead = 1


def _tiles(look: Look, side: int) -> npt.NDArray[np.uint8]:
    """uint8 [N, side, 3·side]: each cell's messages, and a dot of its class in the middle."""
    share = np.nan_to_num(share_of(loudness(look)), nan=-1.0)
    # Shade 0 means no message.
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
    """The slot of each pixel of a tile, [side²], and its colour per shade, uint8 [·, side², 3]."""
    across = np.arange(side) - (side - 1) / 2
    y, x = (axis.reshape(-1) for axis in np.meshgrid(across, across, indexing="ij"))
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
    """The pixels of a tile covered by its dot."""
    across = np.arange(side) - (side - 1) / 2
    return np.flatnonzero(np.hypot(across[:, None], across) <= max(0.16 * side, 0.8))
