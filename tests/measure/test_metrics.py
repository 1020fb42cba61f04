from __future__ import annotations

import math

import pytest
import torch

from swarm_nca.engine import rollout, step
from swarm_nca.measure import METRICS, find_metric, measure, measure_worlds, steps_to_agreement
from swarm_nca.measure.metrics import (
    abstains,
    agree_and_correct,
    agree_though_wrong,
    cell_accuracy,
    label_flips,
    residual_magnitude,
    state_magnitude,
    total_agreement,
    undecided,
    vote_accuracy,
)
from swarm_nca.world import World


def test_cell_accuracy_pools_cells_over_the_batch(rule, decided) -> None:
    # 1 of 1 and 1 of 4: pooled 2/5, while the mean over pictures would be 5/8.
    world = decided([[0], [1, 0, 0, 0]], labels=[0, 1])
    assert cell_accuracy(world, rule) == pytest.approx(2 / 5)
    assert cell_accuracy.per_world(world, rule).tolist() == [1.0, 0.25]


def test_an_undecided_cell_is_not_correct_but_counts_as_a_cell(rule, decided) -> None:
    assert cell_accuracy(decided([[2, -1, -1, 2]], labels=[2]), rule) == 0.5


def test_worlds_without_a_label_are_left_out_of_every_score_that_needs_one(rule, decided) -> None:
    world = decided([[0, 0], [1, 1]], labels=[-1, 1])
    for metric in (cell_accuracy, vote_accuracy, agree_and_correct):
        assert metric(world, rule) == 1.0
        assert math.isnan(metric(world[0], rule))
    assert total_agreement(world, rule) == 1.0


def test_total_agreement_counts_pictures_of_one_label_right_or_wrong(rule, decided) -> None:
    world = decided([[1, 1, 1], [0, 0], [0, 0, 1]], labels=[1, 2, 0])
    assert total_agreement.per_world(world, rule).tolist() == [1.0, 1.0, 0.0]
    assert total_agreement(world, rule) == pytest.approx(2 / 3)


def test_undecided_cells_do_not_affect_agreement(rule, decided) -> None:
    assert total_agreement(decided([[1, -1, 1]]), rule) == 1.0


def test_a_picture_of_undecided_cells_agrees_but_is_not_correct(rule, decided) -> None:
    world = decided([[-1, -1]], labels=[0])
    assert total_agreement(world, rule) == 1.0
    assert agree_and_correct(world, rule) == 0.0
    assert vote_accuracy(world, rule) == 0.0
    assert cell_accuracy(world, rule) == 0.0
    assert undecided(world, rule) == 1.0


def test_an_empty_picture_agrees_and_has_no_cells_to_measure(rule, decided) -> None:
    start = decided([[]], labels=[0])
    world = start.with_state(start.state, steps=1)
    assert total_agreement(world, rule) == 1.0
    assert vote_accuracy(world, rule) == 0.0
    for metric in (cell_accuracy, undecided, state_magnitude):
        assert math.isnan(metric(world, rule))


def test_empty_pictures_do_not_affect_their_batch(rule, decided) -> None:
    world = decided([[], [1, 1], []], labels=[1, 1, 1])
    assert cell_accuracy(world, rule) == 1.0
    assert undecided(world, rule) == 0.0


def test_at_step_0_worlds_of_zeros_have_decided_nothing(rule, decided) -> None:
    start = decided([[0, 0], [1, 1]], labels=[0, 1])
    state = start.state.clone()
    state[:2] = 0.0
    world = start.with_state(state)
    shares = [metric for metric in METRICS.values() if metric.share]
    assert len(shares) == 8
    for metric in shares:
        assert math.isnan(metric.per_world(world, rule)[0])
    # The other world has decided: a batch pools only such worlds.
    for metric in (cell_accuracy, total_agreement, vote_accuracy, agree_and_correct):
        assert metric(world, rule) == 1.0
        assert metric.per_world(world, rule)[1] == 1.0
    # Zeros of a later step are the outcome of a rule, and vote for class 0.
    later = world.with_state(state, steps=1)
    assert total_agreement.per_world(later, rule).tolist() == [1.0, 1.0]
    assert cell_accuracy(later, rule) == 1.0


def test_random_states_are_decisions_at_step_0(rule) -> None:
    world = World.from_images(torch.ones(1, 3, 3), rule, labels=[1], start="random", seed=2)
    assert total_agreement(world, rule) == 0.0
    assert 0.0 <= cell_accuracy(world, rule) <= 1.0


def test_a_tied_vote_goes_to_the_lowest_class(rule, decided) -> None:
    tied = [[2, 1, 1, 2]]
    assert vote_accuracy(decided(tied, labels=[1]), rule) == 1.0
    assert vote_accuracy(decided(tied, labels=[2]), rule) == 0.0


def test_the_majority_of_the_decided_wins_the_vote_even_if_most_are_undecided(
    rule, decided
) -> None:
    world = decided([[-1, -1, -1, 2]], labels=[2])
    assert vote_accuracy(world, rule) == 1.0
    assert agree_and_correct(world, rule) == 1.0


def test_a_right_vote_without_agreement_is_not_agree_and_correct(rule, decided) -> None:
    world = decided([[2, 2, 1], [1, 1, 1], [0]], labels=[2, 0, 0])
    assert vote_accuracy.per_world(world, rule).tolist() == [1.0, 0.0, 1.0]
    assert agree_and_correct.per_world(world, rule).tolist() == [0.0, 0.0, 1.0]


def test_answers_are_right_or_wrong_and_all_other_worlds_abstain(rule, decided) -> None:
    worlds = {
        "right": [1, 1, 1],
        "wrong": [2, 2],
        "half decided, wrong": [0, -1],
        "less than half decided": [0, -1, -1],
        "split": [1, 1, 2],
        "silent": [-1, -1],
        "empty": [],
    }
    world = decided(list(worlds.values()), labels=[1] * len(worlds))
    world = world.with_state(world.state, steps=1)
    wrong = agree_though_wrong.per_world(world, rule).bool().tolist()
    silent = abstains.per_world(world, rule).bool().tolist()
    names = list(worlds)
    assert [n for n, w in zip(names, wrong, strict=True) if w] == ["wrong", "half decided, wrong"]
    assert [n for n, s in zip(names, silent, strict=True) if s] == names[3:]
    assert agree_though_wrong(world, rule) == pytest.approx(2 / 7)


def test_without_a_label_no_answer_is_wrong_but_abstention_is_measured(rule, decided) -> None:
    world = decided([[0, 0], [0, 1]], labels=[-1, -1])
    assert math.isnan(agree_though_wrong(world, rule))
    assert abstains(world, rule) == 0.5


def test_state_magnitude_is_the_mean_over_cells_and_channels(rule, decided) -> None:
    world = decided([[0], [0, 0, 0]])
    state = torch.zeros_like(world.state)
    state[0], state[1, 0] = -3.0, 10.0
    world = world.with_state(state)
    # C = 5 channels: 15 over 1·5, 10 over 3·5, and 25 over 4·5 pooled.
    assert state_magnitude.per_world(world, rule).tolist() == pytest.approx([3.0, 2 / 3])
    assert state_magnitude(world, rule) == pytest.approx(1.25)


def test_residual_magnitude_divides_by_half_the_cells(rule, decided) -> None:
    before = decided([[0, 0]])
    after = before.with_state(before.state + torch.tensor([[1.0], [0.0]]))
    # One of two cells changed by 1 on all 5 channels: 5 / (2·5/2).
    assert residual_magnitude(after, rule, before) == pytest.approx(1.0)


def test_flips_are_changes_from_class_to_class(rule, decided) -> None:
    before, after = decided([[0, 0, 0, -1, -1]]), decided([[0, 1, -1, 2, -1]])
    assert label_flips(after, rule, before) == pytest.approx(1 / 5)


def test_the_first_decision_of_a_world_is_no_flip(rule, decided) -> None:
    after = decided([[0, 1, 2], [1, 2]])
    zeros = torch.cat([torch.zeros(3, 1), torch.ones(2, 1)])
    before = decided([[0, 0, 0], [1, 0]])
    silent = before.with_state(before.state * zeros)
    assert label_flips.per_world(after, rule, before).tolist() == pytest.approx([2 / 3, 1 / 2])
    assert label_flips.per_world(after, rule, silent).tolist() == pytest.approx([0, 1 / 2])


def test_metrics_of_change_are_nan_without_the_previous_step(rule, decided) -> None:
    world = decided([[0, 1]])
    assert math.isnan(residual_magnitude(world, rule))
    assert math.isnan(label_flips(world, rule))


def test_every_metric_of_a_world_is_the_same_alone_and_in_a_batch(rule) -> None:
    pictures = torch.rand(5, 6, 7, generator=torch.Generator().manual_seed(0))
    before = rollout(World.from_images(pictures, rule, labels=[0, 1, 2, -1, 0]), rule, 9)
    after = step(before, rule)
    together = measure_worlds(after, rule, before)
    assert list(together) == list(METRICS)
    for number in range(5):
        alone = measure(after[number], rule, before[number])
        for name, values in together.items():
            assert float(values[number]) == pytest.approx(alone[name], nan_ok=True), name


def test_metrics_accept_states_with_gradients_and_do_not_change_the_world(rule, decided) -> None:
    world = decided([[0, 1]], labels=[0])
    state = world.state.clone()
    tracked = world.with_state(world.state.requires_grad_(True))
    values = measure(tracked, rule, tracked)
    assert values["residual_magnitude"] == 0.0
    assert torch.equal(tracked.state.detach(), state)


def test_only_the_named_metrics_are_measured(rule, decided) -> None:
    values = measure(decided([[0]]), rule, names=["undecided"])
    assert values == {"undecided": 0.0}


def test_a_misspelt_metric_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ValueError, match="did you mean 'total_agreement'"):
        find_metric("total_agrement")


def test_every_metric_is_listed_under_its_name_and_has_a_docstring() -> None:
    for name, metric in METRICS.items():
        assert metric.__name__ == name
        assert metric.__doc__


def test_exactly_the_metrics_marked_as_shares_stay_in_0_to_1(rule, decided) -> None:
    before = decided([[1, 1, 0], [2]], labels=[1, 0])
    huge = before.with_state(before.state * 1e4)
    gone = huge.with_state(huge.state * torch.tensor([[1.0], [math.inf], [math.nan], [math.inf]]))
    for name, metric in METRICS.items():
        values = [metric(world, rule, before) for world in (before, huge, gone)]
        assert metric.share == all(0.0 <= value <= 1.0 for value in values), name


def test_steps_to_agreement_is_the_start_of_the_last_agreement() -> None:
    agrees = torch.tensor(
        [
            # always, never, from step 3, on and off, lost at the end
            [True, False, False, True, True],
            [True, False, False, False, True],
            [True, False, True, True, True],
            [True, False, True, True, False],
        ]
    )
    assert steps_to_agreement(agrees).tolist() == [1, -1, 3, 3, -1]
