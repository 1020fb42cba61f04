"""Pictures of no class: numbered, reproducible, and what their names say."""

from __future__ import annotations

import numpy as np
import pytest

from swarm_nca.images import ALPHABETS, DRAWN, strokes
from swarm_nca.images.draws import derived_seed

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


def test_overlays_are_two_different_characters_and_no_letter_from_n_on() -> None:
    pictures = np.asarray(DRAWN["overlays"].draw(30, 2).grey)
    drawn = [
        {
            name: np.asarray(strokes(30, derived_seed(2, part), classes="all", label=name).grey)
            for name in ALPHABETS["all"]
        }
        for part in (0, 1)
    ]
    seen = set()
    for number, picture in enumerate(pictures):
        below, above = (
            {name for name, grey in each.items() if (grey[number] <= picture).all()}
            for each in drawn
        )
        pairs = {
            (one, other)
            for one in below
            for other in above
            if np.array_equal(np.maximum(drawn[0][one][number], drawn[1][other][number]), picture)
        }
        assert len(pairs) == 1
        seen |= pairs
    assert all(one != other for one, other in seen)
    assert not set("INOPQRSTUVWXYZ") & {name for pair in seen for name in pair}
    assert len(seen) > 20


def test_blots_are_filled_and_scribbles_are_lines() -> None:
    def filled(name: str) -> float:
        ink = np.asarray(DRAWN[name].draw(40, 1).grey) > 0.1
        inner = ink[:, 1:-1, 1:-1] & ink[:, :-2, 1:-1] & ink[:, 2:, 1:-1]
        inner &= ink[:, 1:-1, :-2] & ink[:, 1:-1, 2:]
        return float(inner.sum() / ink.sum())

    assert filled("blots") > 0.75
    assert filled("scribbles") < 0.55
