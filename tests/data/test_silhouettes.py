"""Pieces of the published test sets: how many pictures fall apart is known."""

from __future__ import annotations

import pytest

from swarm_nca.images import load_dataset
from swarm_nca.images.silhouettes import holes, pieces, without_holes


@pytest.mark.parametrize(("name", "apart"), [("mnist", 295), ("fashion-mnist", 572)])
def test_so_many_pictures_have_more_than_one_piece(name: str, apart: int) -> None:
    assert int((pieces(load_dataset(name), 0.1) > 1).sum()) == apart


def test_filled_garments_have_no_holes() -> None:
    some = load_dataset("fashion-mnist")[:500]
    assert holes(some, 0.1).sum() > 500
    assert not holes(without_holes(some, 0.1), 0.1).any()
