"""Garments: reproducible, with Fashion-MNIST's classes and framing, and all different."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swarm_nca.images import DATASETS, DRAWN, Source, garments, load
from swarm_nca.images.garments import PATTERNS

CLASSES = list(PATTERNS)


def extent(grey, axis):
    """First and last alive row (axis 0) or column (axis 1)."""
    alive = np.flatnonzero((grey > 0.1).any(axis=1 - axis))
    return alive[0], alive[-1]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**63), st.integers(0, 600), st.integers(1, 60), st.sampled_from([20, 28]))
def test_a_garment_depends_on_its_number_and_not_on_the_range_drawn(seed, start, count, size):
    one = garments(1, seed, start=start + count - 1, size=size)
    many = garments(count, seed, start=start, size=size)
    assert np.array_equal(many.grey[-1], one.grey[0])
    assert many.labels[-1] == one.labels[0]


def test_the_classes_are_those_of_fashion_mnist_in_its_order():
    assert garments(1).classes == DATASETS["fashion-mnist"].classes == DRAWN["garments"].classes


@pytest.mark.parametrize("name", CLASSES)
def test_garments_of_a_class_are_all_different(name):
    grey = np.concatenate([garments(40, seed, label=name).grey for seed in (0, 1)])
    assert len(np.unique(grey, axis=0)) == 80


@pytest.mark.parametrize("name", CLASSES)
def test_a_garment_fills_the_frame_along_its_longer_side_and_is_centred(name):
    for grey in garments(60, 3, label=name).grey:
        (top, bottom), (left, right) = extent(grey, 0), extent(grey, 1)
        assert 26 <= max(bottom - top, right - left) + 1 <= 28
        assert abs(top + bottom - 27) <= 3
        assert abs(left + right - 27) <= 3


@pytest.mark.parametrize("name", CLASSES)
def test_most_of_a_garment_is_alive_and_neither_black_nor_white(name):
    for grey in garments(60, 4, label=name).grey:
        alive = grey[grey > 0.1]
        assert 60 <= alive.size <= 784
        assert 0.12 < np.median(alive) < 1


@pytest.mark.parametrize(("name", "share"), [("sandal", 0.7), ("sneaker", 1), ("ankle boot", 1)])
def test_shoes_point_left(name, share):
    ends = [(grey[:, :7], grey[:, 14:]) for grey in garments(60, 5, label=name).grey]
    lower = [extent(toe, 0)[0] > extent(heel, 0)[0] for toe, heel in ends]
    assert np.mean(lower) >= share  # slippers are symmetric


@pytest.mark.parametrize("name", ["T-shirt", "trouser", "pullover", "dress", "coat", "shirt"])
def test_clothes_are_symmetric_except_for_folds_and_a_small_rotation(name):
    alive = garments(60, 6, label=name).grey > 0.1
    unlike = (alive != alive[:, :, ::-1]).sum((1, 2)) / alive.sum((1, 2))
    assert unlike.max() < 0.25
    assert unlike.mean() < 0.1


def test_every_class_is_about_equally_frequent():
    counts = np.bincount(garments(1000, 7).labels, minlength=10)
    assert np.abs(counts - 100).max() < 5 * np.sqrt(100)


def test_a_garment_looks_the_same_at_any_size():
    small, large = (garments(5, 8, label="bag", size=size).grey > 0.1 for size in (28, 84))
    shrunk = large.reshape(5, 28, 3, 28, 3).mean((2, 4)) > 0.5
    assert (small != shrunk).mean() < 0.07


def test_a_class_is_chosen_by_name_or_number_and_rotated_by_a_source():
    named, numbered = (load(Source(dataset="garments", label=x, index=4)) for x in ("coat", 4))
    assert np.array_equal(named.grey, numbered.grey)
    assert np.array_equal(named.grey, garments(1, 0, start=4, label="coat").grey)
    turned = load(Source(dataset="garments", label="coat", index=4, rotate=180))
    assert np.allclose(turned.grey[0], named.grey[0][::-1, ::-1], atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 0}, "at least 1, got 0"),
        ({"count": 1, "size": 0}, "at least 1 pixel a side, got 0"),
        ({"count": 1, "start": -1}, "at least 0, got seed 0 and start -1"),
        ({"count": 1, "label": "hat"}, "'hat' is no class: give 0–9, or a name .T-shirt, …, ankle"),
        ({"count": 1, "label": 10}, "label 10 is no class"),
    ],
)
def test_invalid_arguments_are_refused_with_the_cure(arguments, message):
    with pytest.raises(ValueError, match=message):
        garments(**arguments)
