from __future__ import annotations

import numpy as np
import pytest
import torch

from swarm_nca.images import Pictures
from swarm_nca.measure import CellStats, VoteCounts
from swarm_nca.measure.confusion import NOBODY, confusion
from swarm_nca.measure.eval_set import EvalSet
from swarm_nca.measure.groups import GROUPINGS, Groups, grouped, scores


def exam_of(grey, labels=(), classes=(), datasets=("one",), dataset_of=None) -> EvalSet:
    pictures = Pictures(grey, labels, classes)
    where = np.zeros(len(pictures), np.int64) if dataset_of is None else np.array(dataset_of)
    return EvalSet(pictures, pictures, datasets, where)


def ring(count: int) -> np.ndarray:
    """A bar with `count` holes."""
    grey = np.ones((3, 11), np.float32)
    grey[1, 1 : 2 * count : 2] = 0.0
    return grey


def test_pictures_are_grouped_by_their_holes() -> None:
    eval_set = exam_of([ring(count) for count in range(6)])
    groups = grouped(eval_set, "holes", 0.1)
    assert groups.names == ("0", "1", "2–3", "4+")
    assert groups.of.tolist() == [0, 1, 2, 2, 3, 3]


def test_pictures_are_grouped_by_their_pieces() -> None:
    dots = np.zeros((5, 1, 9), np.float32)
    for number in range(5):
        dots[number, 0, : 2 * number : 2] = 1.0
    groups = grouped(exam_of(dots), "pieces", 0.1)
    assert [groups.names[group] for group in groups.of] == ["0", "1", "2", "3+", "3+"]


def test_pictures_are_grouped_by_class_and_data_set() -> None:
    eval_set = exam_of(
        np.ones((3, 2, 2), np.float32), [1, -1, 0], ("a", "b"), ("one", "two"), [0, 1, 1]
    )
    groups = grouped(eval_set, "class", 0.1)
    assert [groups.names[group] for group in groups.of] == ["b", "no class", "a"]
    assert grouped(eval_set, "dataset", 0.1) == (("one", "two"), eval_set.dataset_of)


def test_an_unknown_grouping_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'pieces'"):
        grouped(exam_of(np.ones((1, 2, 2), np.float32)), "piece", 0.1)


def test_the_scores_of_a_group_are_the_metrics_of_its_pictures(rule, decided) -> None:
    worlds = [[0, 0, 1], [1, 1], [2, -1, -1], [-1], [0, 2]]
    labels = [0, 1, 2, 0, -1]
    votes = CellStats(decided(worlds, labels), rule, decided(worlds)).counted()
    rows = scores(votes, Groups(("few", "none", "many"), np.array([0, 2, 0, 2, 2])))
    assert [(row["group"], row["pictures"]) for row in rows] == [("few", 2), ("many", 3)]
    few, many = rows
    assert few["cell_accuracy"] == pytest.approx(3 / 6)
    assert few["total_agreement"] == 0.5
    assert few["undecided"] == pytest.approx(2 / 6)
    assert few["label_flips"] == 0.0
    # Wilson's interval of 1 in 2 has the centre 1/2.
    reach = 1.959964 / (2 * np.sqrt(2 + 1.959964**2))
    assert few["agreement_low"] == pytest.approx(0.5 - reach)
    assert few["agreement_high"] == pytest.approx(0.5 + reach)
    assert many["silent"] == pytest.approx(1 / 3)
    assert many["vote_accuracy"] == 0.5
    assert many["cell_accuracy"] == pytest.approx(2 / 3)


def test_a_group_without_labels_has_no_accuracy(rule, decided) -> None:
    votes = CellStats(decided([[0, 1]]), rule).counted()
    row = scores(votes, Groups(("all",), np.zeros(1, np.int64)))[0]
    assert np.isnan([row["cell_accuracy"], row["vote_accuracy"], row["label_flips"]]).all()


def test_groups_together_hold_every_picture_once() -> None:
    generator = np.random.default_rng(0)
    eval_set = exam_of(
        generator.random((40, 8, 8), np.float32), generator.integers(-1, 3, 40), "abc"
    )
    votes = VoteCounts(torch.ones(40, 3, dtype=torch.int64), torch.full((40,), -1))
    for by in GROUPINGS:
        rows = scores(votes, grouped(eval_set, by, 0.5))
        assert sum(row["pictures"] for row in rows) == 40


def test_votes_are_counted_by_class_and_vote(rule, decided) -> None:
    world = decided([[0, 0, 1], [1], [-1, -1], [2], [2], [0]])
    pictures = Pictures(np.ones((6, 2, 2), np.float32), [0, 0, 1, 1, -1, 1], ("b", "hat"))
    found = confusion(CellStats(world, rule).counted(), pictures, rule)
    assert found.classes == ("b", "hat")
    assert found.votes == ("a", "b", "c", NOBODY)
    assert found.pictures.tolist() == [[1, 1, 0, 0], [1, 0, 1, 1]]
    assert found.as_json()["pictures"] == found.pictures.tolist()
