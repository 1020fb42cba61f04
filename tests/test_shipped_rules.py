"""Scores and cards of the shipped rules, without downloads."""

from __future__ import annotations

import pytest

import swarm_nca as sn
from swarm_nca.engine import rollout
from swarm_nca.images import DRAWN
from swarm_nca.links import Links
from swarm_nca.measure.protocols import evaluate
from swarm_nca.rules import Quantized, read_rule, shipped_rules
from swarm_nca.rules.memory import size_of
from swarm_nca.tasks.growing import Growing
from swarm_nca.tasks.growing_protocol import GrowingProtocol, grown_by
from swarm_nca.world import World

#: Shipped rule → drawn pictures, and the smallest allowed cell accuracy, total agreement and vote
#: accuracy on fifty of them.
KNOWN = {
    "digits": ("doodles", 0.97, 0.93, 0.97),
    "digits-4": ("doodles", 0.9, 0.5, 0.93),
    "digits-hex": ("doodles", 0.9, 0.55, 0.93),
    "digits-robust": ("doodles", 0.9, 0.85, 0.92),
    "fashion-mnist": ("garments", 0.7, 0.6, 0.75),
    "mnist": ("strokes", 0.92, 0.85, 0.9),
    "mnist-97": ("strokes", 0.92, 0.85, 0.9),
    "mnist-robust": ("strokes", 0.92, 0.8, 0.92),
    "mnist-mixed": ("strokes", 0.85, 0.75, 0.85),
    "mnist-1bit": ("strokes", 0.85, 0.7, 0.85),
    "mnist-ternary": ("strokes", 0.85, 0.7, 0.85),
    "mnist-bnn": ("strokes", 0.85, 0.7, 0.85),
    "fashion-mnist-mixed": ("garments", 0.6, 0.4, 0.65),
}


#: Rules that may have more weights and biases than the published one, and how many.
MORE = {"mnist-robust": 40_680, "digits-robust": 65_784}

#: Rules in bits, and the most KiB that their numbers take.
IN_BITS = {
    "mnist-mixed": 10,
    "mnist-1bit": 11,
    "mnist-ternary": 13,
    "mnist-bnn": 16,
    "fashion-mnist-mixed": 15,
}

#: Rules for messages in bits: the links, and the smallest allowed cell accuracy on fifty strokes.
MESSAGES = {
    "mnist-messages-4bit": (Links(bits=4, range=3.0), 0.9),
    "mnist-messages-1bit": (Links(bits=1, range=1.0), 0.7),
}

#: Every growing rule that ships: its largest errors at step 96, and some hundred steps later.
GROWING = {
    "growing-grow": (3e-4, 0.2),
    "growing-persist": (2e-3, 2e-3),
    "growing-regenerate": (2e-3, 2e-3),
}


def test_this_file_tests_every_shipped_rule() -> None:
    assert set(shipped_rules()) == {*KNOWN, *MESSAGES, *GROWING}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_rule_for_messages_in_bits_classifies_with_them(name: str) -> None:
    rule, _ = read_rule(shipped_rules()[name])
    links, least = MESSAGES[name]
    pictures = DRAWN["strokes"].draw(50, 77)
    world = World.from_images(pictures.grey, rule, labels=pictures.labels, links=links)
    ends = rollout(world, rule, 200, seed=1)
    assert sn.metrics.cell_accuracy(ends, rule) > least
    assert float(ends.state.abs().max()) < 10.0


@pytest.mark.parametrize("name", GROWING)
def test_a_growing_rule_grows_stays_and_heals_as_its_name_says(name: str) -> None:
    rule, card = read_rule(shipped_rules()[name])
    task = Growing(target=card["recipe"]["task"]["target"])
    protocol = GrowingProtocol(worlds=2, late=400)
    for grown in grown_by(rule.requires_grad_(False), task, protocol):
        assert grown.error_grown < GROWING[name][0]
        assert grown.error_late < GROWING[name][1]
        assert grown.retained
        assert (grown.recovery > 75.0) == (name == "growing-regenerate")


@pytest.mark.parametrize("name", GROWING)
def test_the_card_of_a_growing_rule_has_every_stage_of_its_training(name: str) -> None:
    rule, card = read_rule(shipped_rules()[name])
    assert card["hash"] == rule.hash()
    assert card["licence"]
    assert card["scores"]
    assert card["earlier"][0]["recipe"]["name"] == "growing-persist"
    assert sum(weight.numel() for weight in rule.parameters()) == 8_336


@pytest.mark.parametrize("name", KNOWN)
def test_a_shipped_rule_classifies_its_pictures_before_and_after_a_mutation(name: str) -> None:
    rule, _ = read_rule(shipped_rules()[name])
    dataset, cells, agreement, vote = KNOWN[name]
    pictures = DRAWN[dataset].draw(50, 77)
    curve = evaluate(rule, pictures, steps=80, every=40, protocol="mutation").curve
    rows = {row["step"]: row for row in curve}
    for row in (rows[80], rows[160]):
        assert row["cell_accuracy"] > cells
        assert row["total_agreement"] > agreement
        assert row["vote_accuracy"] > vote
    assert rows[81]["cell_accuracy"] < 0.5


@pytest.mark.parametrize("name", [*KNOWN, *MESSAGES])
def test_a_card_holds_recipe_scores_licence_and_hash(name: str) -> None:
    rule, card = read_rule(shipped_rules()[name])
    assert card["scores"]
    assert card["recipe"]["data"]
    assert card["licence"]
    assert card["hash"] == rule.hash()


@pytest.mark.parametrize("name", sorted({*KNOWN} - {"mnist-bnn"}))
def test_states_of_a_shipped_rule_stay_bounded_for_two_thousand_steps(name: str) -> None:
    rule, _ = read_rule(shipped_rules()[name])
    pictures = DRAWN[KNOWN[name][0]].draw(4, 5)
    curve = evaluate(rule, pictures, steps=2000, every=200).curve
    early, late = curve[-2]["state_largest"], curve[-1]["state_largest"]
    assert late < 1.5 * early < 15.0


def test_the_scores_of_mnist_bnn_stay_although_its_states_grow() -> None:
    rule, _ = read_rule(shipped_rules()["mnist-bnn"])
    pictures = DRAWN["strokes"].draw(8, 5)
    curve = evaluate(rule, pictures, steps=1000, every=200).curve
    rows = {row["step"]: row for row in curve}
    assert rows[1000]["cell_accuracy"] > rows[200]["cell_accuracy"] - 0.05
    assert rows[1000]["state_largest"] > 1.5 * rows[200]["state_largest"]


@pytest.mark.parametrize("name", [*KNOWN, *MESSAGES])
def test_a_shipped_rule_has_no_more_weights_than_the_published_one_or_than_it_may(
    name: str,
) -> None:
    rule, _ = read_rule(shipped_rules()[name])
    layers = rule.used() if isinstance(rule, Quantized) else rule.layers() or []
    most = MORE.get(name, 22_499)
    assert 0 < sum(layer.weight.numel() + layer.bias.numel() for layer in layers) <= most


@pytest.mark.parametrize(("name", "kib"), IN_BITS.items())
def test_a_rule_in_bits_keeps_its_size_and_its_file_is_little_larger(name: str, kib: int) -> None:
    file = shipped_rules()[name]
    size = size_of(read_rule(file)[0].memory())
    assert size <= kib * 1024
    assert file.stat().st_size <= 1.15 * size + 2000
