"""The 3×3 patch around a pixel, on every grid."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from swarm_nca.rules import Mlp
from swarm_nca.topologies import NEIGHBORHOODS, Grid
from swarm_nca.world import World


def heard(name: str, row: int, column: int) -> set[tuple[int, int]]:
    """(row, column) of every neighbour of a pixel in the middle of a large picture."""
    grid, size = Grid(name), torch.tensor([40])
    at = torch.tensor([row]), torch.tensor([column])
    pixel, inside = grid.patch(*at, size, size)
    there = inside & grid.heard(*at)
    return {divmod(number, 40) for number in pixel[there].tolist()} - {(row, column)}


def test_moore_and_von_neumann_neighbours_are_eight_and_four() -> None:
    around = {(y, x) for y in (6, 7, 8) for x in (8, 9, 10)} - {(7, 9)}
    assert heard("moore", 7, 9) == around
    assert heard("von_neumann", 7, 9) == {(6, 9), (8, 9), (7, 8), (7, 10)}


@pytest.mark.parametrize(("row", "column"), [(6, 9), (7, 9), (6, 8), (7, 8)])
def test_hexagonal_neighbours_are_the_six_nearest_centres(row: int, column: int) -> None:
    def centre(y: int, x: int) -> tuple[float, float]:
        return y * math.sqrt(0.75), x + (y % 2) / 2

    def apart(y: int, x: int) -> float:
        return math.dist(centre(y, x), centre(row, column))

    near = {(y, x) for y in range(15) for x in range(20) if 0.9 < apart(y, x) < 1.1}
    assert len(near) == 6
    assert heard("hexagonal", row, column) == near


@pytest.mark.parametrize(("row", "column"), [(6, 9), (7, 9), (6, 8), (7, 8)])
def test_triangular_neighbours_share_a_side(row: int, column: int) -> None:
    def corners(y: int, x: int) -> set[tuple[int, int]]:
        # A triangle of two half columns: it points up where row + column is even.
        up = (y + x) % 2 == 0
        base = y + 1 if up else y
        return {(base, x - 1), (base, x + 1), (y if up else y + 1, x)}

    own = corners(row, column)
    sides = {(y, x) for y in range(15) for x in range(20) if len(corners(y, x) & own) == 2}
    assert len(sides) == 3
    assert heard("triangular", row, column) == sides


@pytest.mark.parametrize("name", NEIGHBORHOODS)
@pytest.mark.parametrize("torus", [False, True])
def test_on_every_grid_cells_hear_each_other_in_opposite_slots(name: str, torus: bool) -> None:
    grid, rows, columns = Grid(name, torus), 6, 8
    row, column = (
        axis.reshape(-1)
        for axis in torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    )
    size = torch.full_like(row, rows), torch.full_like(row, columns)
    pixel, inside = grid.patch(row, column, *size)
    edges = {
        (sender, receiver, slot)
        for receiver, slot in (inside & grid.heard(row, column)).nonzero().tolist()
        for sender in [int(pixel[receiver, slot])]
    }
    assert edges == {(receiver, sender, 8 - slot) for sender, receiver, slot in edges}


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("moore", (2, 5), "at least 3 × 3.*this one has 2 rows, 5 columns"),
        ("hexagonal", (5, 6), "a hexagonal torus needs an even number of rows; this one has 5"),
        ("triangular", (6, 5), "needs an even number of rows and columns; this one has 6 rows, 5"),
    ],
)
def test_a_torus_that_does_not_close_is_refused(
    name: str, shape: tuple[int, int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        World.from_images([torch.ones(shape)], Mlp(), grid=Grid(name, torus=True))


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
    with pytest.raises(ValueError, match=r"triangular, got 'more' \(did you mean 'moore'"):
        Grid("more")
