"""Pictures turned about their centres, and evaluations of turned pictures."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from swarm_nca.images import Pictures, strokes
from swarm_nca.measure.protocols import evaluate
from swarm_nca.measure.turning import angles, evaluate_turned, turned


@pytest.fixture(scope="module")
def digits() -> Pictures:
    return strokes(6, seed=2)


def ink_at(pictures: Pictures) -> tuple[np.ndarray, np.ndarray]:
    """For each picture, its ink and the offset (down, right) of its centre of mass."""
    grey = np.asarray(pictures.grey, np.float64)
    ink = grey.sum((1, 2))
    steps = np.arange(grey.shape[1]) - (grey.shape[1] - 1) / 2
    down, right = (grey.sum(2) @ steps) / ink, (grey.sum(1) @ steps) / ink
    return ink, np.stack([down, right], 1)


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_turn_by_multiples_of_90_degrees_only_moves_pixels(digits, quarters) -> None:
    grey = np.asarray(turned(digits, 90.0 * quarters).grey)
    expected = np.rot90(np.asarray(turned(digits, 0.0).grey), quarters, (1, 2))
    assert grey.shape == (6, 40, 40)
    np.testing.assert_allclose(grey, expected, atol=1e-6)


def test_a_turn_by_0_degrees_centres_the_picture_on_a_larger_canvas(digits) -> None:
    still = turned(digits, 0.0)
    np.testing.assert_allclose(still.grey, digits.centred_on((40, 40)).grey, atol=1e-6)
    assert still.classes == digits.classes
    assert np.array_equal(still.labels, digits.labels)


@pytest.mark.parametrize("degrees", [30.0, 45.0, 137.0])
def test_any_turn_keeps_the_ink_and_turns_its_centre_of_mass(digits, degrees) -> None:
    ink, place = ink_at(turned(digits, 0.0))
    ink_after, place_after = ink_at(turned(digits, degrees))
    np.testing.assert_allclose(ink_after, ink, rtol=0.02)
    # Counterclockwise, with rows counted downwards: an offset to the right becomes one upwards.
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    down, right = place.T
    expected = np.stack([down * cos - right * sin, down * sin + right * cos], 1)
    np.testing.assert_allclose(place_after, expected, atol=0.1)


def test_a_full_square_turned_loses_no_corner() -> None:
    square = Pictures(np.ones((1, 28, 28), np.float32))
    assert float(np.sum(turned(square, 45.0).grey)) == pytest.approx(28 * 28, rel=0.01)


def test_pictures_of_several_sizes_share_a_canvas() -> None:
    mixed = Pictures((np.ones((3, 5), np.float32), np.ones((7, 1), np.float32)))
    grey = np.asarray(turned(mixed, 180.0).grey)
    assert grey.sum((1, 2)) == pytest.approx([15, 7], abs=1e-5)


@pytest.mark.parametrize(
    ("turn", "expected"),
    [(45, [0, 45, 90, 135, 180]), (180, [0, 180]), (80, [0, 80, 160]), (180 / 7, None)],
)
def test_angles_run_from_0_to_180_degrees(turn, expected) -> None:
    found = angles(turn)
    assert found == expected if expected else (len(found), found[-1]) == (8, pytest.approx(180))


@pytest.mark.parametrize("turn", [0.0, -5.0, 181.0, math.nan])
def test_other_turns_are_refused(turn) -> None:
    with pytest.raises(ValueError, match=r"turn must be from 0\.1 to 180 degrees"):
        angles(turn)


def test_every_angle_is_evaluated_separately(digits, busy_rule) -> None:
    rule, calls = busy_rule(), []
    found = list(evaluate_turned(rule, digits, 60, steps=3, progress=lambda *at: calls.append(at)))
    assert [degrees for degrees, _ in found] == [0, 60, 120, 180]
    for degrees, result in found:
        assert result.curve[-1] == evaluate(rule, turned(digits, degrees), steps=3).curve[-1]
    assert calls == [(done, 12) for done in range(1, 13)]


def test_a_deterministic_ring_rule_scores_the_same_upside_down(digits, busy_rule) -> None:
    def spread(hearing: str) -> float:
        rule = busy_rule(torch.float64, hearing=hearing, fire_rate=1.0, noise=0.0, strength=0.1)
        (_, first), (_, last) = evaluate_turned(rule, digits, 180, steps=8)
        return abs(first.curve[-1]["state_magnitude"] - last.curve[-1]["state_magnitude"])

    assert spread("ring") < 1e-6 < 1e-4 < spread("slots")
