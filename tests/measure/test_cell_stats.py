from __future__ import annotations

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from swarm_nca.measure import METRICS, CellStats, decisions
from swarm_nca.rules import Classes, Mlp, Rule
from swarm_nca.world import World

CELLS = st.lists(st.lists(st.integers(-1, 2), max_size=9), min_size=1, max_size=6)


def one_cell(rule: Rule, logits: list[float]) -> World:
    world = World.from_images(torch.ones(1, 1, 1), rule)
    return world.with_state(torch.tensor([[9.0, 9.0, *logits]]))


@pytest.mark.parametrize(
    ("logits", "decision"),
    [
        ([0.1, 0.3, 0.2], 1),
        ([-0.1, -0.3, -1e-6], -1),
        ([-0.1, 0.0, -0.2], 1),
        ([0.0, 0.0, 0.0], 0),
        ([0.1, 0.2, 0.2], 1),
        ([0.1, float("nan"), 0.2], -1),
    ],
)
def test_the_highest_class_channel_decides_unless_all_are_negative_or_one_is_nan(
    rule: Rule, logits: list[float], decision: int
) -> None:
    # The two free channels hold 9 and are ignored.
    assert decisions(one_cell(rule, logits), rule).tolist() == [decision]


def test_the_rule_sets_the_threshold_of_undecided_cells(rule: Rule) -> None:
    strict = Mlp.from_settings({**rule.settings(), "undecided_below": 0.5})
    world = one_cell(rule, [0.1, 0.4, 0.2])
    assert decisions(world, rule).tolist() == [1]
    assert decisions(world, strict).tolist() == [-1]


@settings(deadline=None)
@given(worlds=CELLS, data=st.data())
def test_tables_equal_counts_made_world_by_world(rule, decided, worlds, data) -> None:
    labels = data.draw(
        st.lists(st.integers(-1, 2), min_size=len(worlds), max_size=len(worlds)), label="labels"
    )
    seen = CellStats(decided(worlds, labels), rule)
    assert decisions(seen.world, rule).tolist() == [choice for cells in worlds for choice in cells]
    for number, (cells, label) in enumerate(zip(worlds, labels, strict=True)):
        votes = Counter(choice for choice in cells if choice >= 0)
        best = min(votes, key=lambda choice: (-votes[choice], choice), default=-1)
        assert seen.cells[number] == len(cells)
        assert seen.votes[number].tolist() == [votes[choice] for choice in range(3)]
        assert seen.undecided[number] == cells.count(-1)
        assert seen.agrees[number] == (len(votes) <= 1)
        assert seen.majority[number] == best
        assert seen.correct[number] == (votes[label] if label >= 0 else 0)


def test_sums_add_up_cells_by_world(rule, decided) -> None:
    seen = CellStats(decided([[0, 0], [], [1]]), rule)
    assert seen.sums(torch.tensor([1.0, 2.0, 4.0])).tolist() == [3.0, 0.0, 4.0]


def test_a_previous_moment_with_other_cells_is_refused(rule, decided) -> None:
    with pytest.raises(ValueError, match=r"other cells \(3\) than this one \(2\)"):
        CellStats(decided([[0, 0]]), rule, decided([[0, 0, 0]]))
    # The same number of cells, but one belongs to another world.
    with pytest.raises(ValueError, match="other cells"):
        CellStats(decided([[0, 0], [0]]), rule, decided([[0], [0, 0]]))


def test_a_rule_of_other_classes_or_channels_is_refused(decided) -> None:
    world = decided([[0, 1]], labels=[0])
    others = Mlp(Classes.named("x", "y", "z"), free_channels=2, hidden=(8, 8))
    wide = Mlp(Classes.named("a", "b", "c"), free_channels=3, hidden=(8, 8))
    message = r"classes \['a', 'b', 'c'\].*\['x', 'y', 'z'\]"
    for rule, words in ((others, message), (wide, "5 chan")):
        for count in (lambda rule: CellStats(world, rule), lambda rule: decisions(world, rule)):
            with pytest.raises(ValueError, match=words):
                count(rule)
        for metric in METRICS.values():
            with pytest.raises(ValueError, match=words):
                metric(world, rule)


def test_colours_do_not_affect_metrics(decided, rule: Rule) -> None:
    grey = Classes(rule.classes.names, ((9, 9, 9),) * 3)
    same = Mlp(grey, free_channels=2, hidden=(8, 8))
    world = decided([[0, 1]], labels=[0])
    assert METRICS["cell_accuracy"](world, same) == 0.5
