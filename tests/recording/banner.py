"""The pictures of two shipped scenarios in the READMEs: the picture above, its cells below.

To make them again after a change of a rule or of the class colours:

    python -m tests.recording.banner assets
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

import swarm_nca as sn
from swarm_nca.atomic import write_atomically
from swarm_nca.recording.moments import moments, verdict
from swarm_nca.recording.paper import ACCENT, INK, QUIET, Paper
from swarm_nca.recording.strip import draw_legend
from swarm_nca.render import SILENT, decisions_rgb, grey_rgb

#: The scenarios, each of a 28 × 28 picture that is replaced on the way.
SCENARIOS = ("seven-becomes-two", "dress-becomes-bag")

#: Pixels: of the whole picture, at its sides, of a cell, and from the top to each row's baseline.
_WIDE, _HIGH, _MARGIN, _CELL = 1600, 456, 26, 5
_EVENT, _STEP, _GREY, _CELLS, _VERDICT, _LEGEND = 36, 56, 66, 214, 380, 430


def banner(run: sn.Run) -> bytes:
    """Up to ten moments of a run of one world, as a PNG file."""
    paper, shown = Paper(_WIDE, _HIGH), moments(run)
    pitch = (_WIDE - 2 * _MARGIN) / len(shown)
    for number, moment in enumerate(shown):
        world, middle = moment.frame.world, _MARGIN + (number + 0.5) * pitch
        if moment.after:
            at = middle - pitch / 2
            paper.line(at, 20, at, _VERDICT + 10, color=ACCENT, width=1)
        words = moment.after or ("start" if moment.frame.step == 0 else "")
        paper.text(middle, _EVENT, words, 7.5, ACCENT if moment.after else QUIET, "center")
        paper.text(middle, _STEP, f"step {moment.frame.step}", 8.5, INK, "center")
        left = middle - 14 * _CELL
        paper.picture(left, _GREY, grey_rgb(world, scale=_CELL))
        cells = decisions_rgb(world, 0, scale=_CELL, shown_above=run.shown_above)
        paper.picture(left, _CELLS, cells)
        said = verdict(world, 0, run.shown_above)
        weight = "normal" if said == SILENT else "bold"
        paper.text(middle, _VERDICT, said, 8, INK, "center", weight=weight)
    worlds = [moment.frame.world for moment in shown]
    words = "cells at the end"
    draw_legend(paper, 40, _LEGEND, worlds[-1], run.shown_above, words, before=worlds)
    return paper.png()


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in SCENARIOS:
        run = sn.run(name)
        write_atomically(Path(sys.argv[1]) / f"{name}.png", banner(run))
