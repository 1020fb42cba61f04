"""A set of pictures: its two forms, selecting, labels, centring."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm_nca.images import Pictures, joined
from swarm_nca.images.pictures import class_number

SIZES = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=6)


def numbered(sizes):
    """Pictures of these sizes; picture i is filled with i / 10 and has class i mod 3."""
    grey = [np.full(size, i / 10) for i, size in enumerate(sizes)]
    return Pictures(grey, np.arange(len(sizes)) % 3, ("a", "b", "c"))


@given(SIZES, st.data())
def test_indexing_works_like_numpy_s_for_all_sizes(sizes, data):
    pictures = numbered(sizes)
    rows = data.draw(st.lists(st.integers(-len(sizes), len(sizes) - 1)))
    chosen = pictures[rows]
    assert len(chosen) == len(rows)
    expected = np.arange(len(sizes))[np.array(rows, int)]
    assert [picture.shape for picture in chosen] == [sizes[i] for i in expected]
    assert [round(float(picture[0, 0]) * 10) for picture in chosen] == list(expected)
    assert chosen.labels.tolist() == [i % 3 for i in expected]


@given(SIZES)
def test_pictures_of_one_size_are_a_block_and_of_several_sizes_a_tuple(sizes):
    pictures = numbered(sizes)
    assert isinstance(pictures.grey, np.ndarray) == (len(set(sizes)) == 1)
    assert all(picture.dtype == np.float32 for picture in pictures)


def test_an_index_a_slice_and_a_mask_select_the_same():
    pictures = numbered([(2, 3)] * 5)
    for selected in (pictures[3], pictures[3:4], pictures[np.arange(5) == 3], pictures[[3]]):
        assert selected.grey.shape == (1, 2, 3)
        assert selected.labels.tolist() == [0]
        assert selected.grey[0, 0, 0] == np.float32(0.3)


@given(SIZES, st.integers(5, 9), st.integers(5, 9))
def test_centring_keeps_the_ink_and_splits_the_margin_evenly(sizes, rows, columns):
    pictures = Pictures([np.ones(size) for size in sizes])
    for (height, width), picture in zip(sizes, pictures.centred_on((rows, columns)), strict=True):
        assert picture.shape == (rows, columns)
        assert picture.sum() == height * width
        inked_rows, inked_columns = np.nonzero(picture)
        assert 0 <= (rows - 1 - inked_rows.max()) - inked_rows.min() <= 1
        assert 0 <= (columns - 1 - inked_columns.max()) - inked_columns.min() <= 1


def test_a_picture_larger_than_its_canvas_is_refused_with_both_sizes():
    with pytest.raises(ValueError, match=r"30×28 .* 28×28: enlarge the canvas"):
        Pictures(np.zeros((1, 30, 28))).centred_on((28, 28))


def test_labels_are_matched_to_other_classes_by_name():
    pictures = numbered([(1, 1)] * 4)
    assert pictures.labels_for(("c", "x", "a")).tolist() == [2, -1, 0, 2]
    assert Pictures(np.zeros((2, 1, 1))).labels_for(("a",)).tolist() == [-1, -1]


def test_a_label_is_set_by_number_or_by_name():
    pictures = numbered([(1, 1)] * 2)
    assert pictures.with_label("c").labels.tolist() == [2, 2]
    assert pictures.with_label(-1).labels.tolist() == [-1, -1]
    with pytest.raises(ValueError, match="label 'd' is no class: give 0–2, −1 for unknown"):
        pictures.with_label("d")


def test_joining_matches_the_classes_of_all_sets_by_name():
    one = Pictures(np.zeros((2, 1, 1)), [0, 1], ("a", "b"))
    two = Pictures(np.ones((2, 1, 1)), [0, -1], ("c",))
    together = joined([one, two])
    assert together.classes == ("a", "b", "c")
    assert together.labels.tolist() == [0, 1, 2, -1]
    assert together.grey[:, 0, 0].tolist() == [0, 0, 1, 1]


def test_joining_sets_of_different_sizes_keeps_each_picture():
    together = joined([numbered([(1, 2)]), numbered([(3, 4)])])
    assert [picture.shape for picture in together] == [(1, 2), (3, 4)]


@pytest.mark.parametrize(
    ("grey", "labels", "message"),
    [
        (np.full((1, 2, 2), 255.0), [0], "divide 8-bit pictures by 255"),
        (np.full((1, 2, 2), np.nan), [0], r"lie in \[0, 1\]"),
        (np.zeros((2, 2)), [0], "got shape"),
        (np.zeros((1, 0, 2)), [0], "at least one pixel"),
        ([np.zeros(3)], [0], "picture 0"),
        (np.zeros((2, 2, 2)), [0], "2 pictures need as many labels, got 1"),
        (np.zeros((1, 2, 2)), [2], "label 2 has no class: give 0 to 1"),
        (np.zeros((1, 2, 2)), [-2], "label -2 has no class"),
    ],
)
def test_invalid_pictures_are_refused_with_the_value(grey, labels, message):
    with pytest.raises(ValueError, match=message):
        Pictures(grey, labels, ("a", "b"))


@given(st.lists(st.integers(-1, 2), min_size=1, max_size=12), st.integers(1, 14))
def test_from_all_classes_takes_the_first_pictures_of_each_class_in_turn(labels, count):
    pictures = Pictures(np.zeros((len(labels), 1, 1)), labels, ("a", "b", "c"))
    waiting = {label: [i for i, each in enumerate(labels) if each == label] for label in labels}
    taken = []
    while len(taken) < min(count, len(labels)):
        for label in sorted(waiting):
            if waiting[label] and len(taken) < count:
                taken.append(waiting[label].pop(0))
    marked = replace(pictures, grey=np.arange(len(labels)).reshape(-1, 1, 1) / 100)
    part = marked.from_all_classes(count)
    assert np.round(part.grey[:, 0, 0] * 100).astype(int).tolist() == sorted(taken)
    assert part.labels.tolist() == [labels[i] for i in sorted(taken)]


@pytest.mark.parametrize("label", ["b", 1, np.int64(1)])
def test_a_class_is_given_by_its_number_or_its_name(label):
    assert class_number(label, ("a", "b")) == 1
    assert class_number(-1, ("a", "b"), or_unknown=True) == -1


@pytest.mark.parametrize(
    ("label", "classes", "message"),
    [
        (2, "ab", "label 2 is no class: give 0–1, or a name .a, …, b"),
        (-1, "ab", "label -1 is no class"),
        (True, "ab", "label True is no class"),
        (0.0, "ab", "label 0.0 is no class"),
        ("dres", ("dress", "coat"), "label 'dres' is no class .did you mean 'dress'"),
        (0, (), "label 0 is no class: there are no classes"),
    ],
)
def test_unknown_classes_are_refused(label, classes, message):
    with pytest.raises(ValueError, match=message):
        class_number(label, tuple(classes))
