from __future__ import annotations

import numpy as np
import pytest

from swarm_nca.images import Pictures
from swarm_nca.images.hybrids import HYBRIDS, _pairs, chimeras, joined_digits
from swarm_nca.images.silhouettes import pieces


def test_the_two_digits_are_never_of_one_class() -> None:
    left, right = _pairs(400, 3)
    assert (left.labels != right.labels).all()
    assert len(np.unique(right.labels)) == 10


def test_a_chimera_has_the_halves_of_its_digits() -> None:
    left, right = _pairs(20, 1)
    grey = np.asarray(chimeras(20, 1).grey)
    assert np.array_equal(grey[:, :, :14], left.grey[:, :, :14])
    assert np.array_equal(grey[:, :, 14:], right.grey[:, :, 14:])


def test_joined_digits_are_connected() -> None:
    joined = joined_digits(20, 1)
    assert joined.grey.shape == (20, 28, 56)
    left, right = _pairs(20, 1)
    apart = Pictures(np.concatenate([left.grey, right.grey], axis=2))
    assert (pieces(apart, 0.1) >= 2).all()
    assert (pieces(joined, 0.1) < pieces(apart, 0.1)).all()


@pytest.mark.parametrize("name", list(HYBRIDS))
def test_hybrids_have_no_label_and_depend_on_the_seed(name: str) -> None:
    one, other = HYBRIDS[name](5, 1), HYBRIDS[name](5, 2)
    assert one.classes == ()
    assert one.labels.tolist() == [-1] * 5
    assert not np.array_equal(one.grey, other.grey)
    assert np.array_equal(one.grey, HYBRIDS[name](9, 1).grey[:5])
