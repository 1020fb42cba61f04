"""The draws of training depend only on the recipe's seed and the iteration."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from swarm_nca.training.draws import GeneratorDraws, generator_of


@given(st.integers(0, 2**31 - 1), st.integers(0, 100_000), st.integers(1, 100_000))
def test_iterations_of_a_run_have_different_draws(seed: int, iteration: int, later: int) -> None:
    def drawn(number: int) -> list[float]:
        return torch.rand(4, generator=generator_of(seed, number)).tolist()

    assert drawn(iteration) == drawn(iteration)
    assert drawn(iteration) != drawn(iteration + later)


def test_another_seed_gives_other_draws() -> None:
    # torch reads only the lower half of a generator's seed: the recipe's must reach it.
    first = {tuple(torch.rand(4, generator=generator_of(s, 7)).tolist()) for s in range(50)}
    assert len(first) == 50


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
def test_cells_fire_at_the_rate_and_noise_is_normal(rate: float) -> None:
    draws = GeneratorDraws(generator_of(1, 2), 20_000)
    fired = draws.fires(0, rate)
    assert len(fired) / 20_000 == pytest.approx(rate, abs=0.01 if 0 < rate < 1 else 0)
    assert torch.equal(fired, fired.unique())
    noise = draws.normals(1, torch.arange(20_000), 19, torch.float32)
    assert float(noise.mean()) == pytest.approx(0.0, abs=0.01)
    assert float(noise.std()) == pytest.approx(1.0, abs=0.01)
