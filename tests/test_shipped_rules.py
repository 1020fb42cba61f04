"""The rules that ship read what they are for, offline, and their cards say where they come from."""

from __future__ import annotations

import pytest

from swarm_nca.images import strokes
from swarm_nca.measure.protocols import evaluate
from swarm_nca.rules import read_rule, shipped_rules

NAMES = tuple(shipped_rules())


def test_the_flagship_rules_are_there() -> None:
    assert {"digits", "mnist"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_rule_reads_pen_strokes_and_changes_its_mind(name: str) -> None:
    rule, card = read_rule(shipped_rules()[name])
    curve = evaluate(rule, strokes(100, seed=77), steps=80, protocol="mutation").curve
    for row in (curve[79], curve[159]):
        assert row["cell_accuracy"] > 0.85
        assert row["vote_accuracy"] > 0.88
        assert row["total_agreement"] > 0.7
    assert curve[80]["cell_accuracy"] < 0.5
    assert card["scores"]
    assert card["recipe"]["data"]
    assert card["licence"]


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_rule_has_no_more_weights_than_the_published_one(name: str) -> None:
    rule, _ = read_rule(shipped_rules()[name])
    assert sum(weight.numel() for weight in rule.parameters()) <= 22_499
