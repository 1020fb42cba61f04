"""Pictures for a page about the project: a wall of digits, and one digit becoming another."""

from __future__ import annotations

import math

from swarm_nca.portrait import SHOWN_ABOVE, decisions_rgb, extent, sheet
from swarm_nca.recording.moments import moments
from swarm_nca.recording.paper import Paper
from swarm_nca.recording.run import Run
from swarm_nca.recording.strip import Strip, draw_legend, shrunk
from swarm_nca.world import World


def mosaic(
    world: World, *, columns: int | None = None, width: int = 1200, shown_above: float = SHOWN_ABOVE
) -> bytes:
    """The decisions of all worlds of a batch, with the colours' names below, as a PNG file.

    Args:
        columns: worlds on a line; a wall about as wide as high when None.
        width: of the picture, at most, in pixels.
    """
    columns = columns or math.ceil(math.sqrt(len(world)))
    side = max(extent(world, index)[1] for index in range(len(world)))
    scale = (width - 48) / (columns * side)
    tiles = [
        decisions_rgb(world, index, scale=max(1, int(scale)), shown_above=shown_above)
        for index in range(len(world))
    ]
    wall = sheet(tiles, columns, 0)
    wall = wall if scale >= 1 else shrunk(wall, scale)
    paper = Paper(wall.shape[1] + 48, wall.shape[0] + 96)
    paper.picture(24, 24, wall)
    draw_legend(paper, 24, wall.shape[0] + 68, world, shown_above, counted=False)
    return paper.png()


def hero(run: Run, *, most: int = 8, width: int = 1600) -> bytes:
    """A run at a glance: ink above, decisions below, at the moments that tell it; a PNG file."""
    strip = Strip(moments(run, most), width - 96, 0, run.shown_above, ink=True)
    paper = Paper(width, strip.height + 48)
    strip.draw(paper, 48, 24)
    return paper.png()
