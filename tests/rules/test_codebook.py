"""Filters of several planes: the values of a weight, and the nearest of them."""

from __future__ import annotations

import itertools

import pytest
import torch

from swarm_nca.rules import FILTERS, Quantized
from swarm_nca.rules.codebook import Codebook
from swarm_nca.rules.rule import Layer


@pytest.mark.parametrize(("kind", "planes"), [("ste_sign", 3), ("ternary", 2), ("int2", 2)])
def test_the_nearest_value_is_that_of_a_search_over_all(kind: str, planes: int) -> None:
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(40, 5, generator=generator)
    scale = torch.rand(planes, 5, generator=generator) + 0.05
    codebook = Codebook(FILTERS[kind], planes)
    found = (codebook.planes_of(codebook.nearest(weight, scale)).float() * scale[:, None]).sum(0)
    filters = FILTERS[kind]
    values = [filters.first + filters.step * code for code in range(filters.codes_in_use)]
    sums = torch.stack(
        [
            sum(scale[p] * value for p, value in enumerate(one))
            for one in itertools.product(values, repeat=planes)
        ]
    )
    least = (weight[None] - sums[:, None]).abs().amin(0)
    torch.testing.assert_close((weight - found).abs(), least, atol=1e-6, rtol=0)


def test_planes_of_signs_in_powers_of_two_are_evenly_spaced_values() -> None:
    weight = torch.randn(60, 4, generator=torch.Generator().manual_seed(1))
    planes, even = Codebook(FILTERS["ste_sign"], 4), Codebook(FILTERS["int4"], 1)
    scales = planes.even_scales(weight), even.even_scales(weight)
    torch.testing.assert_close(scales[0].sum(0), scales[1][0])
    found = [
        (book.planes_of(book.nearest(weight, scale)).float() * scale[:, None]).sum(0)
        for book, scale in zip((planes, even), scales, strict=True)
    ]
    torch.testing.assert_close(found[0], found[1], atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", ["ste_sign", "ternary"])
def test_a_layer_in_planes_comes_nearer_with_each(kind: str) -> None:
    generator = torch.Generator().manual_seed(2)
    layer = Layer(torch.randn(45, 7, generator=generator), torch.zeros(7))
    errors = []
    for planes in (1, 2, 3, 4):
        rule = Quantized(free_channels=2, hidden=(7,), slots=3, filters=kind, planes=planes)
        needed = rule.perception.shape[0] // planes
        rule.take_weights("perception", Layer(layer.weight[:needed], layer.bias))
        errors.append(float((rule.weight_of("perception") - layer.weight[:needed]).square().sum()))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < errors[0] / 20


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"filters": "ternary", "planes": 6}, "planes of ternary filters are at most 5"),
        ({"filters": "float", "planes": 2}, "planes of float filters are at most 1"),
        ({"planes": (1, 2)}, "planes is one value for all layers, or one for each of the 3"),
        ({"planes": 0}, "planes must be"),
        ({"filters": "ste_sign", "planes": 2, "scales": "mean"}, "need scales: output or both"),
        ({"inputs": "int9"}, "inputs must be one of float, ste_sign, .*, got 'int9'"),
        ({"inputs": ("float", "int4")}, "inputs is one value for all layers, or one for each"),
    ],
)
def test_unusable_planes_and_inputs_are_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Quantized(**settings)  # type: ignore[arg-type]
