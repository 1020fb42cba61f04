"""Pictures compared with the real data sets: published counts, and strokes beside MNIST."""

import numpy as np
import pytest

from swarm_nca.images import Pictures, Source, load, load_dataset, strokes


@pytest.fixture(scope="module")
def mnist_digits() -> Pictures:
    """MNIST's 10,000 test digits."""
    return load_dataset("mnist")


def centre_of_mass(grey):
    return (np.indices(grey.shape) * grey).sum((1, 2)) / grey.sum()


def test_mnist_has_the_published_number_of_alive_cells(mnist_digits):
    alive = (mnist_digits.grey > 0.1).sum((1, 2))
    assert mnist_digits.grey.shape == (10_000, 28, 28)
    assert round(float(alive.mean()), 1) == 137.7
    assert (alive.min(), alive.max()) == (40, 297)
    assert np.bincount(mnist_digits.labels).tolist()[:3] == [980, 1135, 1032]


def test_fashion_mnist_has_the_published_number_of_alive_cells():
    alive = (load_dataset("fashion-mnist").grey > 0.1).sum((1, 2))
    assert round(float(alive.mean()), 1) == 356.2
    assert (alive.min(), alive.max()) == (53, 731)


def test_a_data_sets_pictures_are_found_by_index_label_and_split(mnist_digits):
    twelfth = load(Source(dataset="mnist", index=12))
    assert np.array_equal(twelfth.grey, mnist_digits.grey[12:13])
    threes = mnist_digits[mnist_digits.labels == 3]
    second = load(Source(dataset="mnist", label=3, index=1, count=2))
    assert np.array_equal(second.grey, threes.grey[1:3])
    first = load(Source(dataset="fashion-mnist", split="train", index=0))
    assert np.array_equal(first.grey, load_dataset("fashion-mnist", "train").grey[:1])


def test_without_an_index_a_data_sets_pictures_are_drawn_by_the_seed():
    source = Source(dataset="mnist", label=3, count=16)
    once, again, other = (load(source, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(once.grey, again.grey)
    assert not np.array_equal(once.grey, other.grey)
    assert len(np.unique(once.grey, axis=0)) == 16
    assert set(once.labels) == {3}


def test_strokes_have_the_statistics_of_mnist(mnist_digits):
    """Alive cells, the greys of their rims, height and width of the ink, centre of mass."""

    def measures(grey):
        alive = grey > 0.1
        return {
            "alive": alive.sum((1, 2)).mean() / 137.7,
            "spread of alive": alive.sum((1, 2)).std() / 137.7,
            "grey": grey[alive].mean(),
            "full ink": (grey[alive] > 0.95).mean(),
            "height": alive.any(2).sum(1).mean() / 20,
            "width": alive.any(1).sum(1).mean() / 20,
            "row": np.mean([centre_of_mass(each)[0] for each in grey[:500]]) / 28,
            "column": np.mean([centre_of_mass(each)[1] for each in grey[:500]]) / 28,
        }

    real, drawn = measures(mnist_digits.grey), measures(strokes(4000, 1).grey)
    assert drawn == pytest.approx(real, abs=0.08)


def test_each_class_has_about_as_many_alive_cells_as_in_mnist(mnist_digits):
    pictures = strokes(4000, 2)
    for label in range(10):
        drawn = (pictures.grey[pictures.labels == label] > 0.1).sum((1, 2)).mean()
        real = (mnist_digits.grey[mnist_digits.labels == label] > 0.1).sum((1, 2)).mean()
        assert drawn == pytest.approx(real, rel=0.2), label


def test_digits_are_nearest_to_their_own_class_of_mnist(mnist_digits):
    """The nearest neighbour among MNIST's digits has the right class for nearly all strokes."""
    real, drawn = mnist_digits[:4000], strokes(400, 3)
    a, b = drawn.grey.reshape(400, -1), real.grey.reshape(4000, -1)
    nearest = ((b**2).sum(1) - 2 * a @ b.T).argmin(1)
    assert (real.labels[nearest] == drawn.labels).mean() > 0.93


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Source(dataset="mnist", index=10_000), "10000 pictures, numbered from 0: index 10000"),
        (Source(dataset="mnist", label=3, count=1011), "mnist, label 3 has 1010 pictures"),
    ],
)
def test_missing_indices_and_counts_are_refused_on_loading(source, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        load(source, base=tmp_path)
