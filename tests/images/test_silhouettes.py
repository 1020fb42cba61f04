"""Pieces and holes, compared with the components of networkx's grid graphs."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from swarm_nca.images import Pictures, draw_glyph
from swarm_nca.images.silhouettes import holes, pieces, without_holes

ALIVE = 0.1

#: Pictures of four greys, two of them dead.
blocks = st.tuples(st.integers(1, 3), st.integers(1, 7), st.integers(1, 8)).flatmap(
    lambda shape: arrays(np.float32, shape, elements=st.sampled_from([0.0, 0.1, 0.25, 0.75]))
)


def components(mask: np.ndarray, corners: bool) -> list[set[tuple[int, int]]]:
    graph = nx.grid_2d_graph(*mask.shape)
    if corners:
        height, width = mask.shape
        for row in range(height - 1):
            for column in range(width - 1):
                graph.add_edge((row, column), (row + 1, column + 1))
                graph.add_edge((row + 1, column), (row, column + 1))
    graph.remove_nodes_from([place for place in list(graph) if not mask[place]])
    return [set(component) for component in nx.connected_components(graph)]


def enclosed(picture: np.ndarray) -> list[set[tuple[int, int]]]:
    height, width = picture.shape
    return [
        hole
        for hole in components(~(picture > np.float32(ALIVE)), corners=False)
        if all(0 < row < height - 1 and 0 < column < width - 1 for row, column in hole)
    ]


@settings(deadline=None, max_examples=60)
@given(blocks)
def test_pieces_are_8_connected_components(grey: np.ndarray) -> None:
    expected = [len(components(picture > np.float32(ALIVE), corners=True)) for picture in grey]
    assert pieces(Pictures(grey), ALIVE).tolist() == expected


@settings(deadline=None, max_examples=60)
@given(blocks)
def test_holes_are_enclosed_4_connected_components(grey: np.ndarray) -> None:
    assert holes(Pictures(grey), ALIVE).tolist() == [len(enclosed(picture)) for picture in grey]


@settings(deadline=None, max_examples=60)
@given(blocks)
def test_holes_are_filled_with_the_mean_of_the_alive_pixels_around(grey: np.ndarray) -> None:
    filled = without_holes(Pictures(grey), ALIVE)
    for before, after in zip(grey, filled, strict=True):
        expected = before.copy()
        for hole in enclosed(before):
            around = {
                (row + down, column + right)
                for row, column in hole
                for down in (-1, 0, 1)
                for right in (-1, 0, 1)
            }
            rim = [before[place] for place in around if before[place] > np.float32(ALIVE)]
            for place in hole:
                expected[place] = np.mean(rim, dtype=np.float64)
        np.testing.assert_allclose(after, expected, rtol=1e-6)


@settings(deadline=None, max_examples=30)
@given(blocks)
def test_filled_pictures_have_no_holes_and_filled_pixels_are_alive(grey: np.ndarray) -> None:
    filled = without_holes(Pictures(grey), ALIVE)
    assert not holes(filled, ALIVE).any()
    alive = np.asarray(grey) > np.float32(ALIVE)
    assert (np.asarray(filled.grey)[alive] == grey[alive]).all()


@pytest.mark.parametrize(("glyph", "count"), [("0", 1), ("1", 0), ("8", 2), ("B", 2), ("7", 0)])
def test_characters_have_their_known_numbers_of_holes(glyph: str, count: int) -> None:
    picture = draw_glyph(glyph, size=56, box=44)
    assert holes(Pictures(picture[None]), ALIVE).tolist() == [count]


def test_a_spiral_is_one_piece_without_holes() -> None:
    spiral = np.zeros((21, 21), np.float32)
    row, column, down, right = 10, 10, 0, 1
    for turn in range(18):
        for _ in range(1 + turn // 2 * 2 // 2 + turn % 2):
            if 0 <= row < 21 and 0 <= column < 21:
                spiral[row, column] = 1.0
            row, column = row + down, column + right
        down, right = right, -down
    assert pieces(Pictures(spiral[None]), ALIVE).tolist() == [
        len(components(spiral > 0, corners=True))
    ]


def test_sets_of_several_sizes_and_empty_sets_are_counted() -> None:
    ring = np.ones((3, 4), np.float32)
    ring[1, 1:3] = 0.0
    several = Pictures((ring, np.ones((5, 2), np.float32)))
    assert holes(several, ALIVE).tolist() == [1, 0]
    assert pieces(several, ALIVE).tolist() == [1, 1]
    assert holes(without_holes(several, ALIVE), ALIVE).tolist() == [0, 0]
    empty = Pictures(np.zeros((0, 3, 3), np.float32))
    assert holes(empty, ALIVE).tolist() == []
    assert len(without_holes(empty, ALIVE)) == 0


def test_filling_holes_keeps_labels_and_classes() -> None:
    filled = without_holes(Pictures(np.ones((2, 3, 3), np.float32), [1, 0], ("a", "b")), ALIVE)
    assert filled.labels.tolist() == [1, 0]
    assert filled.classes == ("a", "b")
