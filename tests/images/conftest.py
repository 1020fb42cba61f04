"""Real digits for the tests that hold other things against them."""

import pytest

from swarm_nca.images import Pictures, load_dataset


@pytest.fixture(scope="session")
def mnist_digits() -> Pictures:
    """MNIST's 10,000 test digits, from `SWARM_NCA_DATA` or the cache."""
    return load_dataset("mnist")
