"""Pieces of the published test sets: the number of pictures with several pieces is known."""

from __future__ import annotations

import pytest

from swarm_nca.images import load_dataset
from swarm_nca.images.silhouettes import holes, pieces, without_holes


@pytest.mark.parametrize(("name", "several"), [("mnist", 295), ("fashion-mnist", 572)])
def test_the_number_of_pictures_with_several_pieces(name: str, several: int) -> None:
    assert int((pieces(load_dataset(name), 0.1) > 1).sum()) == several


def test_filled_garments_have_no_holes() -> None:
    some = load_dataset("fashion-mnist")[:500]
    assert holes(some, 0.1).sum() > 500
    assert not holes(without_holes(some, 0.1), 0.1).any()
