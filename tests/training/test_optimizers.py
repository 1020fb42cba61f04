"""Muon steps along the nearest orthogonal matrix, Adam as torch's; both can be restored."""

from __future__ import annotations

import pytest
import torch

from swarm_nca.rules import Classes, Mlp, Rule
from swarm_nca.training.optimizers import Method, Optimizers


def rule_of(seed: int = 0) -> Rule:
    generator = torch.Generator().manual_seed(seed)
    return Mlp(Classes.named("a", "b"), free_channels=2, hidden=(7, 6), generator=generator)


def step(rule: Rule, descent: Optimizers, seed: int, rate: float = 1e-3) -> None:
    generator = torch.Generator().manual_seed(seed)
    for weight in rule.parameters():
        weight.grad = torch.randn(weight.shape, generator=generator)
    descent.step(rate)


def test_muon_moves_a_matrix_at_about_the_same_speed_in_every_direction() -> None:
    rule = rule_of()
    descent, before = Optimizers(rule, "muon"), rule.perception.detach().clone()
    # A gradient of one strong and many faint directions.
    left, _ = torch.linalg.qr(torch.randn(before.shape, generator=torch.Generator().manual_seed(1)))
    strengths = torch.logspace(0, -2, left.shape[1])
    rule.perception.grad = left * strengths
    descent.step(1e-2)
    moved = torch.linalg.svdvals(before - rule.perception.detach())
    assert float(moved.max() / moved.min()) < 3.0 < float(strengths.max() / strengths.min())


def test_the_length_of_a_muon_step_depends_on_the_rate_only() -> None:
    lengths = []
    for scale in (1e-4, 1.0, 1e4):
        rule = rule_of()
        descent, before = Optimizers(rule, "muon"), rule.middle.detach().clone()
        generator = torch.Generator().manual_seed(3)
        rule.middle.grad = scale * torch.randn(before.shape, generator=generator)
        descent.step(1e-2)
        lengths.append(float((rule.middle.detach() - before).norm()))
    assert lengths == pytest.approx([lengths[1]] * 3, rel=0.05)


def test_with_muon_biases_are_updated_by_adam() -> None:
    rule, twin = rule_of(), rule_of()
    descent, adam = Optimizers(rule, "muon"), torch.optim.Adam(twin.parameters(), lr=1e-3)
    for seed in range(3):
        step(rule, descent, seed)
        for one, other in zip(rule.parameters(), twin.parameters(), strict=True):
            assert one.grad is not None
            other.grad = one.grad.clone()
        adam.step()
    assert torch.equal(rule.middle_bias, twin.middle_bias)
    assert not torch.equal(rule.middle, twin.middle)


@pytest.mark.parametrize("method", ["adam", "muon"])
def test_the_optimizer_state_can_be_restored(method: Method) -> None:
    rule = rule_of()
    descent = Optimizers(rule, method)
    step(rule, descent, 0)
    other = rule_of()
    other.load_state_dict(rule.state_dict())
    resumed = Optimizers(other, method)
    for one, twin in zip(rule.parameters(), other.parameters(), strict=True):
        memory = descent.memory(one)
        assert memory
        resumed.remember(twin, {key: value.clone() for key, value in memory.items()})
    for seed in (1, 2):
        step(rule, descent, seed)
        step(other, resumed, seed)
    for one, twin in zip(rule.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, twin)
