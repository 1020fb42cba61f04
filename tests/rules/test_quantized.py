"""Quantized rules: weights of few values, files in bits that compute the same, and gradients."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from swarm_nca.rules import FILTERS, Classes, Mlp, Quantized, make_rule, read_rule, save_rule
from swarm_nca.world import World

SMALL: dict[str, Any] = {
    "classes": Classes.named("a", "b"),
    "free_channels": 2,
    "hidden": (7, 6),
}


def quantized(seed: int = 3, **settings: Any) -> Quantized:
    """An untrained rule whose scales, gains and biases all differ."""
    generator = torch.Generator().manual_seed(seed)
    rule = Quantized(**SMALL | settings, generator=generator)
    with torch.no_grad():
        for name, weight in rule.named_parameters():
            if name not in rule.names:
                weight.add_(0.2 * torch.randn(weight.shape, generator=generator))
    return rule


CASES: dict[str, dict[str, Any]] = {
    **{kind: {"filters": kind, "scales": "both"} for kind in FILTERS},
    "mixed": {"filters": ("ternary", "float", "int5"), "scales": "output", "reach": 0.2},
    "mean": {"filters": "ste_sign", "scales": "mean"},
    "plain": {"filters": "ste_sign", "scales": "none", "bias": False},
    "dyadic": {"filters": "int2", "scales": "both", "hearing": "dyadic"},
    "dyadic9": {"filters": "ste_sign", "scales": "output", "hearing": "dyadic9"},
    "planes": {"filters": ("ste_sign", "ternary", "float"), "scales": "both", "planes": (4, 2, 1)},
    "inputs": {"filters": "ste_sign", "scales": "output", "inputs": ("int4", "uint2", "float")},
}
each_case = pytest.mark.parametrize("case", CASES)


def layers_of(rule: Quantized) -> list[torch.Tensor]:
    return [part.detach() for layer in rule.used() for part in layer]


@each_case
def test_a_file_in_bits_gives_back_exactly_the_weights_in_use(case: str, tmp_path: Path) -> None:
    rule = quantized(**CASES[case])
    path = save_rule(rule, tmp_path / "rule.safetensors", {"licence": "MIT"})
    back, _ = read_rule(path)
    assert isinstance(back, Quantized)
    assert back.settings() == rule.settings()
    assert back.hash() == rule.hash()
    for given, found in zip(layers_of(rule), layers_of(back), strict=True):
        assert torch.equal(given, found)
    again = save_rule(back, tmp_path / "again.safetensors", {"licence": "MIT"})
    assert again.read_bytes() == path.read_bytes()
    held = sum(tensor.nbytes for tensor in rule.stored().values())
    assert path.stat().st_size <= 1.15 * held + 2000


def test_the_hash_covers_bits_and_not_latents() -> None:
    rule = quantized(filters="ste_sign")
    before = rule.hash()
    with torch.no_grad():
        rule.perception.mul_(0.5)
    assert rule.hash() == before
    with torch.no_grad():
        rule.perception[0, 0] *= -1
    assert rule.hash() != before


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("perception", lambda held: held[:-1], r"'perception' has the shape"),
        ("perception", lambda held: held.float(), "holds float32, but its settings need uint8"),
        ("middle_scale", lambda held: held.float(), "need float16"),
        ("output", lambda held: held | 255, "holds bits that no ternary filter has"),
        ("output_bias", lambda held: held * torch.nan, "values that are not finite"),
    ],
)
def test_damaged_bits_are_refused(name: str, change: Any, said: str, tmp_path: Path) -> None:
    from safetensors import safe_open
    from safetensors.torch import save_file

    path = save_rule(quantized(filters="ternary"), tmp_path / "rule.safetensors")
    with safe_open(str(path), framework="pt") as file:
        metadata, held = file.metadata(), {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    save_file(held | {name: change(held[name])}, str(path), metadata)
    with pytest.raises(ValueError, match=said):
        read_rule(path)


@each_case
def test_a_layer_has_as_many_values_as_its_kind(case: str) -> None:
    rule = quantized(**CASES[case])
    for layer, kind, name in zip(rule.used(), rule.filters, rule.names, strict=True):
        if kind == "float":
            continue
        gain, _ = rule.factors(name)
        planes = rule.planes[rule.names.index(name)]
        unit = layer.weight / (1.0 if gain is None else gain[:, None])
        for n in range(unit.shape[1]):
            values = unit[:, n] / unit[:, n].abs().max()
            assert len(values.mul(1e4).round().unique()) <= FILTERS[kind].codes_in_use ** planes


@each_case
def test_gradients_pass_straight_through_to_latents_and_scales(case: str) -> None:
    """Against the formulas: a weight is value · gain · scale."""
    rule = quantized(**CASES[case])
    for layer, kind, name in zip(rule.used(), rule.filters, rule.names, strict=True):
        rule.zero_grad()
        weight, bias = layer
        push = torch.linspace(-1.0, 2.0, weight.numel()).view_as(weight)
        ((push * weight).sum() + 3.0 * bias.sum()).backward()
        latents = rule.get_parameter(name)
        if rule.bias:
            assert torch.equal(rule.get_parameter(f"{name}_bias").grad, torch.full_like(bias, 3.0))
        if kind == "float":
            assert torch.equal(latents.grad, push)
            continue
        gain, scale = rule.factors(name)
        planes = rule.planes[rule.names.index(name)]
        size = torch.ones(planes, *weight.shape)
        size = size if gain is None else size * gain[:, None]
        size = (size if scale is None else size * scale.view(planes, 1, -1)).detach()
        unit = latents.detach() / rule.reach
        leaf = unit.clone().requires_grad_(True)
        values = FILTERS[kind].quantize(leaf)
        values.sum().backward()
        expected = push * size * leaf.grad.view_as(size) / rule.reach
        torch.testing.assert_close(latents.grad, expected.flatten(0, 1))
        if f"{name}_scale" in dict(rule.named_parameters()):
            found = rule.get_parameter(f"{name}_scale").grad
            expected = (push * size * values.detach().view_as(size)).sum(1).view_as(found)
            torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)
        if f"{name}_gain" in dict(rule.named_parameters()):
            found = rule.get_parameter(f"{name}_gain").grad
            torch.testing.assert_close(found, (push * weight.detach()).sum(1), rtol=1e-3, atol=1e-3)


@each_case
def test_layers_compute_what_the_filtered_layers_compute(case: str) -> None:
    rule = quantized(**CASES[case]).requires_grad_(False)
    generator = torch.Generator().manual_seed(8)
    stimulus = torch.rand(20, 9, generator=generator)
    messages = torch.randn(20, 9, rule.channels, generator=generator)
    found = rule(stimulus, messages)
    filtered = rule.filtered()
    heard = (
        messages if filtered is None else torch.einsum("kp,mkc->mpc", filtered.filters, messages)
    )
    units = torch.cat([stimulus, heard.flatten(1)], dim=1)
    for n, (weight, bias) in enumerate(rule.used()):
        units = units.relu() if n else units
        if n:
            units = rule.read(n, units)
        else:
            units = torch.cat([rule.read(0, units[:, :9]), rule.read(0, units[:, 9:], 1)], dim=1)
        units = units @ weight + bias
    torch.testing.assert_close(found, units, rtol=1e-4, atol=1e-5)


def test_cells_hear_the_neighbors_of_the_rules_neighborhood(tmp_path: Path) -> None:
    rule = quantized(neighborhood="von_neumann").requires_grad_(False)
    assert "neighborhood" not in quantized().settings()
    back, _ = read_rule(save_rule(rule, tmp_path / "rule.safetensors"))
    world = World.from_images(torch.ones(1, 3, 3), back)
    middle = world.neighbors[4]
    assert (middle < 9).nonzero().flatten().tolist() == [1, 3, 4, 5, 7]
    with pytest.raises(ValueError, match="neighborhood must be one of moore, von_neumann"):
        quantized(neighborhood="ring")


def test_settling_keeps_latents_within_their_reach() -> None:
    rule = quantized(filters=("ste_sign", "float", "int4"), reach=0.2)
    with torch.no_grad():
        for weight in rule.parameters():
            weight.mul_(1e3)
    rule.settle()
    largest = {name: float(rule.get_parameter(name).detach().abs().max()) for name in rule.names}
    assert largest["perception"] == largest["output"] == pytest.approx(0.2)
    assert largest["middle"] > 1.0
    assert all(part.isfinite().all() for part in layers_of(rule))


def test_beginning_from_floats_errs_less_with_every_bit() -> None:
    generator = torch.Generator().manual_seed(1)
    floats = Mlp(**SMALL, generator=generator)
    with torch.no_grad():
        floats.output.normal_(std=0.1, generator=generator)
    errors = []
    for bits in range(2, 9):
        rule = quantized(filters=f"int{bits}", scales="output")
        rule.requires_grad_(False).begin_from(floats.requires_grad_(False))
        pairs = zip(floats.layers() or [], rule.layers() or [], strict=True)
        errors.append(sum(float((a.weight - b.weight).square().sum()) for a, b in pairs))
    assert all(after < before for before, after in pairwise(errors))
    assert errors[-1] < 1e-3 * errors[0]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"filters": "int9"}, r"filters must be one of float, .*got 'int9'"),
        ({"filters": ("int4", "int4")}, "one for each of the 3"),
        ({"filters": 4}, "filters is one value for all layers"),
        ({"scales": "all"}, "scales must be one of none, mean, output, both, got 'all'"),
        ({"scales": "mean", "filters": "ternary"}, "scales: mean is for ste_sign"),
        ({"hearing": "dyadic", "slots": 4}, "needs 9 slots, got 4"),
        ({"hearing": "ring"}, "hearing must be one of slots, dyadic"),
        ({"bias": 1}, "bias must be true or false"),
        ({"reach": 0}, "reach must be at least 1e-06, got 0"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make_rule(kind="quantized", **settings)
