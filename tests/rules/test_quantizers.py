"""Quantizers: exact at the edges, with the gradients of independent formulas."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import swarm_nca as sn
from swarm_nca.rules.quantizers import QUANTIZERS


def factor(quantizer: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """What a gradient of ones becomes."""
    leaf = x.clone().requires_grad_(True)
    quantizer(leaf).sum().backward()
    assert leaf.grad is not None
    return leaf.grad


def slope(curve: Callable[[float], float], at: float, step: float = 1e-5) -> float:
    """The central difference of a curve."""
    return (curve(at + step) - curve(at - step)) / (2 * step)


EDGES = torch.tensor([-1.5, -1.0, -0.05, -0.0, 0.0, 0.05, 1.0, 1.5], dtype=torch.float64)


@pytest.mark.parametrize("name", ["ste_sign", "approx_sign", "swish_sign"])
def test_signs_are_plus_one_at_zero_and_minus_one_below(name: str) -> None:
    quantizer = QUANTIZERS[name][0]
    assert quantizer(EDGES).tolist() == [-1, -1, -1, 1, 1, 1, 1, 1]


def test_the_heaviside_function_is_zero_at_zero() -> None:
    assert sn.quantizers.ste_heaviside(EDGES).tolist() == [0, 0, 0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("name", ["ste_sign", "ste_heaviside", "ste_tern"])
def test_straight_through_gradients_end_at_the_clip_which_is_inside(name: str) -> None:
    quantizer = QUANTIZERS[name][0]
    assert factor(quantizer, EDGES).tolist() == [0, 1, 1, 1, 1, 1, 1, 0]
    assert factor(partial(quantizer, clip=1.5), EDGES).tolist() == [1] * 8


@given(st.floats(-3, 3))
def test_approx_sign_has_the_slope_of_a_piecewise_quadratic(x: float) -> None:
    def curve(at: float) -> float:
        if abs(at) >= 1:
            return math.copysign(1.0, at)
        return 2 * at + at * at if at < 0 else 2 * at - at * at

    found = factor(sn.quantizers.approx_sign, torch.tensor([x], dtype=torch.float64)).item()
    assert found == pytest.approx(slope(curve, x), abs=1e-4)


@given(st.floats(-3, 3), st.floats(0.5, 10))
def test_swish_sign_has_the_slope_of_signswish(x: float, beta: float) -> None:
    def curve(at: float) -> float:
        sigmoid = 1 / (1 + math.exp(-beta * at))
        return 2 * sigmoid * (1 + beta * at * (1 - sigmoid)) - 1

    quantizer = partial(sn.quantizers.swish_sign, beta=beta)
    found = factor(quantizer, torch.tensor([x], dtype=torch.float64)).item()
    assert found == pytest.approx(slope(curve, x), abs=1e-5)


def test_swish_sign_is_flat_far_away() -> None:
    far = torch.tensor([-3e38, 1e30, 1e4])
    assert factor(sn.quantizers.swish_sign, far).abs().max() < 1e-20


def test_magnitude_aware_sign_scales_each_filter_by_its_mean_magnitude() -> None:
    weights = torch.tensor([[0.5, -2.0], [-0.3, 1.0]], dtype=torch.float64)
    scale = [(0.5 + 0.3) / 2, (2.0 + 1.0) / 2]
    found = sn.quantizers.magnitude_aware_sign(weights)
    expected = torch.tensor([[scale[0], -scale[1]], [-scale[0], scale[1]]], dtype=torch.float64)
    torch.testing.assert_close(found, expected)
    gradient = torch.tensor([[scale[0], 0.0], [scale[0], scale[1]]], dtype=torch.float64)
    torch.testing.assert_close(factor(sn.quantizers.magnitude_aware_sign, weights), gradient)


def test_magnitudes_are_those_of_the_last_axis() -> None:
    weights = torch.randn(3, 3, 5, 4, generator=torch.Generator().manual_seed(1))
    found = sn.quantizers.magnitude_aware_sign(weights)
    for n in range(4):
        one = weights[..., n]
        torch.testing.assert_close(found[..., n], one.abs().mean() * one.sign())


def test_ternary_weights_keep_what_lies_on_the_threshold() -> None:
    assert sn.quantizers.ste_tern(EDGES).tolist() == [-1, -1, -1, 0, 0, 1, 1, 1]
    weights = torch.tensor([1.0, -0.2, 0.36, 0.0], dtype=torch.float64)
    assert sn.quantizers.ste_tern(weights, threshold="mean").tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize("bits", [1, 2, 3, 8])
@given(x=st.floats(-2, 2))
def test_dorefa_rounds_activations_to_evenly_spaced_values(bits: int, x: float) -> None:
    steps = 2**bits - 1
    found = sn.quantizers.dorefa(torch.tensor(x, dtype=torch.float64), bits=bits).item()
    assert found == pytest.approx(round(steps * min(max(x, 0.0), 1.0)) / steps)


def test_dorefa_activations_have_slope_one_from_zero_to_one() -> None:
    assert factor(sn.quantizers.dorefa, EDGES).tolist() == [0, 0, 0, 1, 1, 1, 1, 0]


def test_dorefa_weights_fill_minus_one_to_one_and_pass_through_tanh() -> None:
    weights = torch.tensor([0.5, -1.0, 0.1, -0.02], dtype=torch.float64)
    quantizer = partial(sn.quantizers.dorefa, bits=2, mode="weights")
    largest = math.tanh(1.0)
    expected = [
        2 * round(3 * (math.tanh(w) / (2 * largest) + 0.5)) / 3 - 1 for w in weights.tolist()
    ]
    assert quantizer(weights).tolist() == pytest.approx(expected)
    assert quantizer(weights).abs().max() == 1.0
    slopes = [(1 - math.tanh(w) ** 2) / largest for w in weights.tolist()]
    assert factor(quantizer, weights).tolist() == pytest.approx(slopes)


def test_dorefa_of_zeros_is_finite() -> None:
    assert sn.quantizers.dorefa(torch.zeros(3), mode="weights").isfinite().all()


@pytest.mark.parametrize("bits", [1, 2, 3, 8])
@given(x=st.floats(-2, 2))
def test_uniform_takes_the_nearest_odd_level(bits: int, x: float) -> None:
    most = 2**bits - 1
    levels = [level / most for level in range(-most, most + 1, 2)]
    found = sn.quantizers.uniform(torch.tensor(x, dtype=torch.float64), bits=bits).item()
    assert min(abs(level - found) for level in levels) < 1e-12, "a level"
    assert abs(found - x) < min(abs(level - x) for level in levels) + 1e-12, "the nearest one"


def test_uniform_of_one_bit_is_the_sign() -> None:
    one_bit = partial(sn.quantizers.uniform, bits=1)
    assert torch.equal(one_bit(EDGES), sn.quantizers.ste_sign(EDGES))
    assert torch.equal(factor(one_bit, EDGES), factor(sn.quantizers.ste_sign, EDGES))


@pytest.mark.parametrize("name", QUANTIZERS)
def test_every_quantizer_keeps_shape_and_dtype_and_has_so_many_values(name: str) -> None:
    quantizer, bits = QUANTIZERS[name]
    for dtype in (torch.float32, torch.float64):
        x = torch.randn(40, 3, 2, generator=torch.Generator().manual_seed(3)).to(dtype)
        found = quantizer(x)
        assert (found.shape, found.dtype) == (x.shape, dtype)
        assert max(len(found[..., n].unique()) for n in range(2)) <= 2**bits
    assert quantizer(torch.tensor([math.nan, 1.0])).isnan()[0]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda q, x: q.ste_sign(x, clip=0), "clip is a finite number above 0, got 0"),
        (lambda q, x: q.swish_sign(x, beta=math.inf), "beta is a finite number above 0, got inf"),
        (lambda q, x: q.ste_tern(x, threshold=-1), "threshold is a number of 0 or more, or 'mean'"),
        (lambda q, x: q.ste_tern(x, threshold="most"), "or 'mean', got 'most'"),
        (lambda q, x: q.dorefa(x, bits=0), "bits is an integer from 1 to 16, got 0"),
        (lambda q, x: q.dorefa(x, bits=True), "bits is an integer from 1 to 16, got True"),
        (lambda q, x: q.uniform(x, bits=17), "bits is an integer from 1 to 16, got 17"),
        (lambda q, x: q.dorefa(x, mode="both"), "mode is 'activations' or 'weights', got 'both'"),
        (lambda q, x: q.ste_sign(x.int()), "a tensor of floating numbers, got torch.int32"),
        (lambda q, x: q.ste_sign([1.0]), "a tensor of floating numbers, got list"),
        (lambda q, x: q.magnitude_aware_sign(x[0]), "needs a last axis"),
    ],
)
def test_what_cannot_be_quantized_is_refused(
    call: Callable[[object, Tensor], Tensor], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        call(sn.quantizers, torch.ones(2))
