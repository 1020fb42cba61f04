"""Pictures of no class: numbered, reproducible, and what their names say."""

from __future__ import annotations

import numpy as np
import pytest

from swarm_nca.images import DRAWN, strokes

NAMES = ("mirrored", "overlays", "halves", "invented", "scribbles", "blots", "clouds", "dots")


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_depends_on_seed_and_number_only(name: str) -> None:
    draw = DRAWN[name].draw
    first = np.asarray(draw(9, 3).grey)
    assert np.array_equal(np.asarray(draw(4, 3, start=5).grey), first[5:])
    assert not np.array_equal(np.asarray(draw(9, 4).grey), first)
    assert len(np.unique(first.reshape(9, -1), axis=0)) == 9
    assert first.min() >= 0.0 < 0.5 < first.max() <= 1.0


@pytest.mark.parametrize("name", NAMES)
def test_a_class_can_be_chosen_and_another_is_refused(name: str) -> None:
    drawn = DRAWN[name]
    chosen = drawn.draw(3, 1, label=drawn.classes[-1])
    assert (chosen.labels == len(drawn.classes) - 1).all()
    with pytest.raises(ValueError, match="7"):
        drawn.draw(3, 1, label="7")


def test_mirrored_digits_are_strokes_seen_from_behind() -> None:
    mirrored = DRAWN["mirrored"].draw(3, 5, label="mirrored 4")
    assert np.array_equal(
        np.asarray(mirrored.grey)[:, :, ::-1], np.asarray(strokes(3, 5, label="4").grey)
    )


def test_blots_are_filled_and_scribbles_are_lines() -> None:
    def filled(name: str) -> float:
        ink = np.asarray(DRAWN[name].draw(40, 1).grey) > 0.1
        inner = ink[:, 1:-1, 1:-1] & ink[:, :-2, 1:-1] & ink[:, 2:, 1:-1]
        inner &= ink[:, 1:-1, :-2] & ink[:, 1:-1, 2:]
        return float(inner.sum() / ink.sum())

    assert filled("blots") > 0.75
    assert filled("scribbles") < 0.55
