"""Growing: sprouts, loss and evaluation protocol."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import swarm_nca as sn
from swarm_nca.images.targets import drawn_target
from swarm_nca.tasks import Growing
from swarm_nca.tasks.growing_protocol import GrowingProtocol, grown_by

GENERATOR = torch.Generator()


def small() -> Growing:
    return Growing({"drawn": "heart"}, size=7, padding=2)


def busy(growth: float) -> sn.Mlp:
    """A rule that changes every channel of firing cells by the same amount."""
    rule = sn.Mlp.growing(hidden=(4,), fire_rate=1.0)
    with torch.no_grad():
        rule.output_bias.fill_(growth)
    return rule.requires_grad_(False)


def test_a_field_starts_with_one_living_cell_in_the_middle() -> None:
    world = small().start(2, busy(0.0))
    state = world.state.view(2, 11, 11, 16)
    assert state[0, 5, 5].tolist() == [0.0] * 3 + [1.0] * 13
    assert float(state.sum()) == 26.0


def test_losses_are_mean_squared_errors_over_pixels_and_four_channels() -> None:
    task, generator = small(), torch.Generator().manual_seed(0)
    world = task.start(3, busy(0.0))
    world = world.with_state(torch.randn(world.state.shape, generator=generator))
    shown = world.state.view(3, 11, 11, 16)[..., :4].numpy()
    wanted = np.zeros((11, 11, 4), np.float32)
    wanted[2:9, 2:9] = drawn_target("heart", 7)
    expected = ((shown - wanted) ** 2).mean((1, 2, 3))
    assert task.losses(world, world).tolist() == pytest.approx(expected.tolist(), rel=1e-5)
    assert float(task.loss(world, world)) == pytest.approx(float(expected.mean()), rel=1e-5)


def test_refresh_restarts_the_first_worlds_only() -> None:
    task, rule = small(), busy(0.0)
    held = task.start(4, rule)
    held = held.with_state(torch.full_like(held.state, 0.5))
    world = task.refresh(held, 1, 0, rule, GENERATOR)
    assert torch.equal(world.select([0]).state, task.start(1, rule).state)
    assert bool((world.select([1, 2, 3]).state == 0.5).all())


def test_the_content_hash_depends_on_the_target() -> None:
    task = small()
    assert task.content == small().content
    assert task.content != replace(task, target={"drawn": "flower"}).content
    assert task.content != replace(task, padding=3).content


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"target": {"drawn": "hart"}}, "did you mean 'heart'"),
        ({"target": {"file": "gone.png"}}, "gone.png: there is no such file"),
        ({"target": {"painted": "heart"}}, "target takes drawn or file, got 'painted'"),
        ({"target": "heart"}, "target names one picture"),
        ({"target": {"drawn": "heart"}, "size": 0}, "size must be at least 1"),
    ],
)
def test_invalid_targets_are_refused(settings: dict, line: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match=line.replace(".", r"\.")):
        Growing(**settings)


def test_rules_without_birth_or_colours_are_refused() -> None:
    with pytest.raises(ValueError, match="read-out"):
        small().check_rule(sn.Mlp())
    with pytest.raises(ValueError, match="mortal: true"):
        small().check_rule(sn.Mlp(sn.Rgba(), stimulus_size=0))


def test_the_protocol_equals_explicit_steps() -> None:
    """The rule adds 0.01 to all living cells in every step, so the errors are known."""
    task, rule = small(), busy(0.01)
    protocol = GrowingProtocol(worlds=2, grown=3, late=9, healed=2, severity=0.3)
    steps = []
    outcomes = grown_by(rule, task, protocol, lambda done, total: steps.append((done, total)))
    assert steps[-1] == (11, 11)
    one = task.start(1, rule)

    def error(world: sn.World) -> float:
        return float(task.losses(world, world))

    grown = sn.rollout(one, rule, 3)
    picture = grown.state.view(11, 11, 16).clone()
    for row in range(11):
        for column in range(11):
            if (row - 5) ** 2 + (column - 5) ** 2 <= (0.3 * 11 / 2) ** 2:
                picture[row, column] = 0.0
    wounded = grown.with_state(picture.view(-1, 16))
    for found in outcomes:
        assert found.error_grown == pytest.approx(error(grown))
        assert found.error_late == pytest.approx(error(sn.rollout(one, rule, 9)))
        assert found.error_wounded == pytest.approx(error(wounded))
        assert found.error_healed == pytest.approx(error(sn.rollout(wounded, rule, 2)))
        added = found.error_wounded - found.error_grown
        recovered = found.error_wounded - found.error_healed
        assert found.recovery == pytest.approx(100 * recovered / added)


def test_a_pattern_that_dies_or_grows_without_limit_is_not_retained() -> None:
    protocol = GrowingProtocol(worlds=1, grown=2, late=12, healed=1)
    (dying,) = grown_by(busy(-0.3), small(), protocol)
    assert (dying.alive, dying.retained) == (False, False)
    (unbounded,) = grown_by(busy(500.0), small(), protocol)
    assert (unbounded.alive, unbounded.retained) == (True, False)
    (unchanged,) = grown_by(busy(0.0), small(), protocol)
    assert unchanged.alive
