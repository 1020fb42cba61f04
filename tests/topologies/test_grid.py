"""The 3×3 patch around a pixel, on every grid."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from swarm_nca.topologies import Grid


def test_slots_of_moore_and_von_neumann_grids() -> None:
    assert Grid().hears == (True,) * 9
    cross = (False, True, False, True, True, True, False, True, False)
    assert Grid("von_neumann").hears == cross


@given(
    st.lists(
        st.tuples(st.integers(1, 7), st.integers(1, 7)).flatmap(
            lambda size: st.tuples(
                st.just(size), st.integers(0, size[0] - 1), st.integers(0, size[1] - 1)
            )
        ),
        min_size=1,
        max_size=6,
    ),
    st.booleans(),
)
def test_the_patch_equals_nested_loops(
    pixels: list[tuple[tuple[int, int], int, int]], torus: bool
) -> None:
    columns = torch.tensor([[row, column, h, w] for (h, w), row, column in pixels]).unbind(1)
    pixel, there = Grid(torus=torus).patch(*columns)
    for i, ((height, width), row, column) in enumerate(pixels):
        slot = 0
        for y in (row - 1, row, row + 1):
            for x in (column - 1, column, column + 1):
                ring = (height > 1 or y == row) and (width > 1 or x == column)
                inside = (torus and ring) or (0 <= y < height and 0 <= x < width)
                assert bool(there[i, slot]) == inside
                assert int(pixel[i, slot]) == (y % height * width + x % width if inside else 0)
                slot += 1


def test_an_unknown_neighborhood_is_refused_with_a_suggestion() -> None:
    with pytest.raises(ValueError, match=r"moore, von_neumann, got 'more' \(did you mean 'moore'"):
        Grid("more")
