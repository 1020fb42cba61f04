from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from swarm_nca.measure import METRICS, CellStats
from swarm_nca.measure.metrics import nonfinite, residual_magnitude, state_largest, state_magnitude
from swarm_nca.measure.readings import Count, Largest, Ratio

NAN, INF = math.nan, math.inf


def test_the_largest_state_is_the_largest_of_any_channel_of_any_cell(rule, decided) -> None:
    world = decided([[0], [0, 0], []])
    state = torch.zeros_like(world.state)
    state[0, 0], state[1, 2], state[2, 4] = 3.0, -7.0, 5.0
    world = world.with_state(state)
    assert state_largest(world, rule) == 7.0
    alone = state_largest.per_world(world, rule)
    assert alone[:2].tolist() == [3.0, 7.0]
    assert alone[2].isnan()
    assert math.isnan(state_largest(world[2], rule))
    nothing = world.with_state(torch.zeros_like(world.state))
    assert f"{state_largest(nothing, rule):g}" == "0"  # and not −0


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_nonfinite_states_count_as_infinite_and_their_cells_are_counted(
    rule, decided, value: float
) -> None:
    before = decided([[0, 0, 0], [0]])
    state = before.state.clone()
    state[1, 0] = state[1, 3] = state[2, 2] = value
    world = before.with_state(state)
    assert nonfinite(world, rule) == 2
    assert nonfinite.per_world(world, rule).tolist() == [2, 0]
    for metric in (state_largest, state_magnitude, residual_magnitude):
        assert metric(world, rule, before) == INF
        assert math.isfinite(metric.per_world(world, rule, before)[1])


def test_ratios_of_batches_are_averaged_by_size_without_nan() -> None:
    values = torch.tensor([[0.5, NAN, NAN, INF], [1.0, 0.25, NAN, 0.0]]).double()
    whole = Ratio.over_batches(values, torch.tensor([[1] * 4, [3] * 4]))
    assert whole[:2].tolist() == [(0.5 + 3.0) / 4, 0.25]
    assert whole[2].isnan()
    assert whole[3] == INF


def test_over_batches_largest_takes_the_maximum_and_counts_add_up() -> None:
    values = torch.tensor([[1.0, NAN, NAN, INF], [4.0, 0.25, NAN, 2.0]]).double()
    largest = Largest.over_batches(values, torch.tensor([1, 3]))
    assert largest[[0, 1, 3]].tolist() == [4.0, 0.25, INF]
    assert largest[2].isnan()
    assert Count.over_batches(values[:, [0, 3]], torch.tensor([1, 3])).tolist() == [5.0, INF]


@given(st.lists(st.lists(st.floats(0, 1e6), min_size=1, max_size=4), min_size=1, max_size=4))
def test_the_largest_is_the_same_pooled_at_once_or_batch_by_batch(batches) -> None:
    pooled = [Largest(torch.tensor(batch, dtype=torch.float64)).pooled() for batch in batches]
    sizes = torch.tensor([len(batch) for batch in batches])
    together = Largest.over_batches(torch.tensor(pooled, dtype=torch.float64), sizes)
    assert float(together) == max(max(batch) for batch in batches)


def test_vote_counts_give_the_scores_of_decisions(rule, decided) -> None:
    before, world = decided([[0, 0, -1], [1]]), decided([[0, 1, -1], [1]], [0, -1])
    seen = CellStats(world, rule, before)
    kept = seen.counted()
    for name in ("cell_accuracy", "total_agreement", "vote_accuracy", "undecided", "label_flips"):
        metric = METRICS[name]
        assert metric.reading(kept).pooled() == metric.reading(seen).pooled()
    part = type(kept).joined([kept.of(torch.tensor([1])), kept.of(torch.tensor([True, False]))])
    assert part.votes.tolist() == [[0, 1, 0], [1, 1, 0]]
    assert part.flips.tolist() == [0, 1]
