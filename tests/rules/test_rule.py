"""The learned rule: weights, arithmetic, settings and hash."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from swarm_nca.rules import DIGITS, Classes, Mlp, Rule

BusyRule = Callable[..., Rule]


def test_the_default_rule_has_the_published_22499_parameters() -> None:
    weights = dict(Mlp().named_parameters())
    assert sum(weight.numel() for weight in weights.values()) == 22_499
    first = weights["perception"].numel() + weights["perception_bias"].numel()
    middle = weights["middle"].numel() + weights["middle_bias"].numel()
    output = weights["output"].numel() + weights["output_bias"].numel()
    assert (first, middle, output) == (14_480, 6_480, 1_539)


def test_classes_channels_slots_and_stimulus_size_can_vary() -> None:
    rule = Mlp(
        Classes.named("a", "b", "c"), free_channels=2, hidden=(7, 5), slots=4, stimulus_size=1
    )
    assert rule.channels == 5
    assert rule(torch.zeros(6, 1), torch.zeros(6, 4, 5)).shape == (6, 5)
    assert rule.logits(torch.arange(5.0)[None]).tolist() == [[2.0, 3.0, 4.0]]


def test_an_untrained_rule_changes_nothing() -> None:
    change = Mlp()(torch.rand(50, 9), torch.randn(50, 9, 19))
    assert bool((change == 0).all())


def test_the_rule_equals_three_explicit_layers(busy_rule: BusyRule) -> None:
    rule = busy_rule(torch.float64, hidden=(6, 5))
    generator = torch.Generator().manual_seed(1)
    stimulus = torch.rand(9, generator=generator, dtype=torch.float64)
    heard = torch.randn(9, 19, generator=generator, dtype=torch.float64)
    w = {name: weight.tolist() for name, weight in rule.named_parameters()}
    senses = [*stimulus.tolist(), *heard.reshape(-1).tolist()]

    def layer(values: list[float], weight: list[list[float]], bias: list[float]) -> list[float]:
        return [
            b + sum(v * row[j] for v, row in zip(values, weight, strict=True))
            for j, b in enumerate(bias)
        ]

    first = [max(0.0, v) for v in layer(senses, w["perception"], w["perception_bias"])]
    second = [max(0.0, v) for v in layer(first, w["middle"], w["middle_bias"])]
    expected = layer(second, w["output"], w["output_bias"])
    assert 0 < sum(v > 0 for v in first) < 6
    assert rule(stimulus[None], heard[None])[0].tolist() == pytest.approx(expected, abs=1e-12)


def test_the_answer_depends_on_the_order_of_slots(busy_rule: BusyRule) -> None:
    rule, messages = busy_rule(), torch.randn(1, 9, 19, generator=torch.Generator().manual_seed(2))
    turned = messages.flip(1)
    assert not torch.allclose(rule(torch.zeros(1, 9), messages), rule(torch.zeros(1, 9), turned))


def test_initial_weights_are_glorot_with_the_fans_of_the_convolution() -> None:
    rule = Mlp(generator=torch.Generator().manual_seed(0)).requires_grad_(False)
    for weight, bound in (
        (rule.perception, math.sqrt(6 / (9 * 20 + 9 * 80))),
        (rule.middle, math.sqrt(6 / 160)),
    ):
        assert float(weight.abs().max()) == pytest.approx(bound, rel=0.01)
        assert float(weight.std()) == pytest.approx(bound / math.sqrt(3), rel=0.03)
    assert not any(
        bool(b.any())
        for b in (rule.perception_bias, rule.middle_bias, rule.output, rule.output_bias)
    )


def test_a_generator_decides_the_initial_weights() -> None:
    first, again, other = (Mlp(generator=torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert first.hash() == again.hash() != other.hash()


def test_settings_rebuild_the_rule() -> None:
    rule = Mlp(
        Classes.named("sun", "moon"),
        free_channels=3,
        hidden=(4, 6),
        slots=5,
        stimulus_size=2,
        fire_rate=0.25,
        noise=0.0,
        alive_above=0.2,
        undecided_below=-0.5,
        shown_above=0.1,
    )
    assert Mlp.from_settings(rule.settings()).settings() == rule.settings()


@pytest.mark.parametrize(
    "changed",
    [
        {"fire_rate": 0.4},
        {"noise": 0.01},
        {"alive_above": 0.2},
        {"undecided_below": 0.1},
        {"shown_above": 0.2},
        {"classes": Classes.named(*"012345678x")},
        {"classes": Classes(DIGITS.names, ((1, 2, 3), *DIGITS.colors[1:]))},
    ],
)
def test_the_hash_depends_on_every_setting(changed: dict[str, Any]) -> None:
    plain, other = (
        Mlp(generator=torch.Generator().manual_seed(0), **settings) for settings in ({}, changed)
    )
    assert plain.hash() != other.hash()


def test_the_hash_depends_on_every_weight_and_the_dtype() -> None:
    rule = Mlp(generator=torch.Generator().manual_seed(0))
    seen = {rule.hash()}
    for weight in rule.parameters():
        with torch.no_grad():
            weight.view(-1)[-1] += 1e-3
        seen.add(rule.hash())
    seen.add(rule.double().hash())
    seen.add(rule.bfloat16().hash())
    assert len(seen) == 9


def test_the_hash_equals_a_stored_one() -> None:
    rule = Mlp(Classes.named("a", "b"), free_channels=1, hidden=(2, 2), slots=1, stimulus_size=1)
    with torch.no_grad():
        for weight in rule.parameters():
            weight.copy_(torch.arange(weight.numel()).reshape(weight.shape) / 4)
    assert rule.hash() == ("8bb1b3b18e4d5e525383bf02bdf24fb176e387e26cc3f886c3f5b057d9a855cb")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"fire_rate": 1.5}, "fire_rate must be at most 1, got 1.5"),
        ({"fire_rate": math.nan}, "fire_rate"),
        ({"noise": -0.1}, "noise must be at least 0, got -0.1"),
        ({"noise": math.inf}, "noise"),
        ({"alive_above": 1.0}, "alive_above"),
        ({"undecided_below": math.nan}, "undecided_below"),
        ({"free_channels": 0}, "free_channels must be at least 1, got 0"),
        ({"slots": 0}, "slots"),
        ({"stimulus_size": -1}, "stimulus_size"),
        ({"hidden": (0, 80)}, "hidden"),
        ({"hidden": ()}, r"hidden is one to 5 sizes, one for each hidden layer, got \(\)"),
        ({"hidden": (9,) * 6}, "hidden is one to 5 sizes"),
        ({"hidden": "80"}, "hidden is one to 5 sizes"),
        ({"hidden": (80, 10**9)}, r"hidden\[1\] must be at most 16384, got 10"),
        ({"hidden": (16_384, 16_384)}, "weights would be .* numbers, at most 16,777,216"),
        ({"slots": 10**9}, "slots must be at most 1024, got 1000000000"),
        ({"slots": 10**5_000}, "got a whole number of thousands of digits"),
        ({"slots": 9.0}, "slots must be a whole number, got 9.0"),
        ({"slots": True}, "slots must be a whole number, got True"),
        ({"slots": 1024}, "hears at most 16,384 numbers, got 1,024 slots of 19 channels"),
        ({"free_channels": 247}, "noise serves at most 256 channels, .* got 257"),
        ({"noise": 1e39}, r"noise must be at most 1e\+06, got 1e\+39"),
        ({"noise": "loud"}, "noise must be a number, got 'loud'"),
        ({"fire_rate": None}, "fire_rate must be a number, got None"),
        ({"fire_rate": True}, "fire_rate must be a number, got True"),
        ({"undecided_below": 10**400}, r"undecided_below must be at most 3.40282e\+38"),
        ({"shown_above": 1e39}, r"shown_above must be at most 3.40282e\+38, got 1e\+39"),
        ({"classes": ["a", "b"]}, "classes must be Classes"),
    ],
)
def test_invalid_settings_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Mlp(**wrong)
