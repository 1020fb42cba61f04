"""Rounding with errors passed on: nearer to the first rule than the nearest values are."""

from __future__ import annotations

import pytest
import torch

import swarm_nca as sn
from swarm_nca.rules import DIGITS, FILTERS, Quantized, Rule
from swarm_nca.rules.codebook import Codebook
from swarm_nca.tasks import Classification
from swarm_nca.training import calibration
from swarm_nca.training.calibration import begin_from, inputs_met, passed_on


@pytest.fixture(scope="module")
def task() -> Classification:
    drawn = sn.images.strokes(120, seed=5)
    return Classification(torch.tensor(drawn.grey), torch.tensor(drawn.labels_for(DIGITS.names)))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "WORLDS", 20)
    monkeypatch.setattr(calibration, "STEPS", 10)
    monkeypatch.setattr(calibration, "SWEEPS", 1)
    monkeypatch.setattr(calibration, "FITS", 0)


@pytest.fixture(scope="module")
def floats() -> Rule:
    return sn.load_rule("digits")


def rounded(floats: Rule, task: Classification, calibrated: bool, **settings: object) -> Quantized:
    rule = Quantized(
        **{"free_channels": floats.free_channels, "hidden": floats.hidden, "scales": "both"}
        | settings
    )
    if calibrated:
        begin_from(rule, floats, task, torch.Generator().manual_seed(0))
    else:
        rule.begin_from(floats)
    return rule.requires_grad_(False)


def error(rule: Rule, floats: Rule, task: Classification) -> float:
    """Squared error of the changes, as a share of them, for cells that were not fitted to."""
    heard = inputs_met(floats, task, None, torch.Generator().manual_seed(9))
    stimulus, messages = heard[:, :9], heard[:, 9:].view(len(heard), 9, -1)
    wanted = floats(stimulus, messages)
    return float((rule(stimulus, messages) - wanted).square().sum() / wanted.square().sum())


def test_passed_on_errors_cancel(floats: Rule, task: Classification) -> None:
    near = error(rounded(floats, task, False, filters="int4"), floats, task)
    passed = error(rounded(floats, task, True, filters="int4"), floats, task)
    assert passed < near / 3
    assert passed < 0.3


def test_fitted_scales_err_less_and_keep_the_bits(
    floats: Rule, task: Classification, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = rounded(floats, task, True, filters="int3")
    monkeypatch.setattr(calibration, "FITS", 60)
    fitted = rounded(floats, task, True, filters="int3")
    assert error(fitted, floats, task) < 0.97 * error(plain, floats, task)
    for name in plain.names:
        assert torch.equal(fitted.stored()[name], plain.stored()[name]), name


def test_latents_begin_in_the_middle_of_their_intervals(floats: Rule, task: Classification) -> None:
    rule = rounded(floats, task, True, filters="int4")
    for name in rule.names:
        latents = rule.get_parameter(name)
        assert torch.equal(latents, FILTERS["int4"].quantize(latents)), name


def test_copies_of_binary_units_make_up_for_each_other(floats: Rule, task: Classification) -> None:
    first, second = floats.hidden
    kinds = ("ste_sign", "float", "float")
    one = rounded(floats, task, True, filters=kinds)
    two = rounded(floats, task, True, filters=kinds, hidden=(2 * first, second))
    assert error(two, floats, task) < 0.8 * error(one, floats, task)


@pytest.mark.parametrize("kind", ["ste_sign", "ternary"])
def test_every_further_plane_errs_less(kind: str, floats: Rule, task: Classification) -> None:
    errors = [
        error(rounded(floats, task, True, filters=kind, planes=planes), floats, task)
        for planes in (1, 2, 3)
    ]
    assert errors[1] < 0.7 * errors[0]
    assert errors[2] < 0.7 * errors[1]


def test_planes_of_signs_err_less_than_evenly_spaced_values(
    floats: Rule, task: Classification
) -> None:
    planes = error(rounded(floats, task, True, filters="ste_sign", planes=3), floats, task)
    assert planes < error(rounded(floats, task, True, filters="int3"), floats, task)


def test_ranges_of_quantized_inputs_fit_what_cells_meet(floats: Rule, task: Classification) -> None:
    bits = [f"int{bits}" for bits in (2, 4, 8)]
    errors = [
        error(rounded(floats, task, True, filters="int8", inputs=one), floats, task) for one in bits
    ]
    assert errors[0] > 2 * errors[1] > 20 * errors[2]


def test_other_sizes_are_refused(floats: Rule, task: Classification) -> None:
    with pytest.raises(ValueError, match=r"set rule\.hidden to these sizes or multiples"):
        rounded(floats, task, True, hidden=(81, 80))
    with pytest.raises(ValueError, match="no layers that hear by dyadic"):
        rounded(floats, task, True, hearing="dyadic")


def test_inputs_that_say_the_same_share_their_rounding() -> None:
    """Ten equal inputs: their weights may be anything, as long as the sum is right."""
    moments = torch.ones(10, 10, dtype=torch.float64) + 1e-3 * torch.eye(10)
    weight = torch.full((10, 1), 0.3, dtype=torch.float64)
    codebook, one = Codebook(FILTERS["ste_sign"], 1), torch.ones(1, 1, dtype=torch.float64)
    codes = passed_on(weight, torch.ones(10, dtype=torch.float64), one, codebook, moments)
    signs = codebook.planes_of(codes)
    assert abs(float(signs.sum()) - 3.0) <= 1.0
