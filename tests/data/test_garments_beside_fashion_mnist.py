"""Garments are similar to Fashion-MNIST: alive pixels, class means, and a classifier's votes."""

import numpy as np
import pytest

from swarm_nca.images import garments, load_dataset


@pytest.fixture(scope="module")
def both():
    return load_dataset("fashion-mnist", "train")[:20_000], garments(1_000, 11)


def test_the_number_of_alive_pixels_is_that_of_the_published_pictures(both):
    published, drawn = ((each.grey > 0.1).sum((1, 2)).mean() for each in both)
    assert drawn == pytest.approx(published, rel=0.05)


@pytest.mark.parametrize("label", range(10))
def test_class_means_are_similar_to_the_published_pictures(both, label):
    published, drawn = (each.grey[each.labels == label].mean(0).ravel() for each in both)
    assert np.corrcoef(published, drawn)[0, 1] > 0.8
    assert drawn.mean() == pytest.approx(published.mean(), rel=0.25)


def test_the_nearest_published_mean_is_right_for_most_garments(both):
    published, drawn = both
    means = np.stack([published.grey[published.labels == k].mean(0).ravel() for k in range(10)])
    unit = means / np.linalg.norm(means, axis=1, keepdims=True)
    votes = (drawn.grey.reshape(len(drawn), -1) @ unit.T).argmax(1)
    right = votes == drawn.labels
    assert right.mean() > 0.7
    assert right[np.isin(drawn.labels, [1, 3, 5, 7, 8, 9])].mean() > 0.85
