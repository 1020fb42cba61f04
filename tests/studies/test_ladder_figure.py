"""The figure of the ladder of bits: bars and labels have their room."""

from __future__ import annotations

from itertools import product

from swarm_nca.studies.bits_ladder import Rung
from swarm_nca.studies.ladder_figure import ladder_figure


def rung(name: str, family: str, size: int, share: float) -> Rung:
    return Rung(name, family, "", size, 20, 200, 0, share, share, share)


def test_bars_lie_within_the_axes_and_labels_beside_them() -> None:
    rungs = [
        rung("float32", "even", 90_000, 1.0),
        rung("3 bits", "even", 9_800, 0.85),
        rung("2 bits", "even", 7_000, 0.8),
        rung("own", "given", 5_000, 0.9),
    ]
    paper = ladder_figure(rungs)
    paper.png()  # lays the text out
    for axes in paper._figure.axes:
        paths = [path for bar in axes.collections for path in bar.get_paths()]
        bars = [axes.transData.transform_path(path).get_extents() for path in paths]
        labels = [label.get_window_extent() for label in axes.texts]
        room = axes.get_window_extent()
        assert len(labels) == 4
        assert all(room.y0 < part.y0 and part.y1 < room.y1 for part in (*bars, *labels))
        assert not any(label.overlaps(bar) for label, bar in product(labels, bars))
