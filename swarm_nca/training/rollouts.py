"""Rollouts with gradients: of the ways there are, the quickest that serves a rule is taken.

`WAYS` names them in order of preference; each says why it cannot serve a rule or a world. The last
one serves everything that runs: autograd records the steps of the engine, so that a rule of one's
own trains without a line more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

import torch
from torch import Tensor

from swarm_nca import bptt, cuda_graph
from swarm_nca.engine import recorded
from swarm_nca.randomness import StepDraws
from swarm_nca.rules import Rule
from swarm_nca.training.draws import GeneratorDraws, masks
from swarm_nca.training.parallel import DataParallel
from swarm_nca.world import World


class Way(Protocol):
    """One way to roll out."""

    def refuses(self, world: World, rule: Rule) -> str | None:
        """Why it cannot serve, None if it can."""

    def __call__(self, world: World, rule: Rule, steps: int, generator: torch.Generator) -> Tensor:
        """The state [N, C] some steps later, with gradients to the rule's weights."""


class CudaGraph:
    """All rows in every step, recorded once for a GPU; see `swarm_nca.cuda_graph`."""

    def __init__(self, team: DataParallel, longest: int, products: torch.dtype | None) -> None:
        self._run = cuda_graph.CudaGraph(longest, products)

    def refuses(self, world: World, rule: Rule) -> str | None:
        """See `Way.refuses`."""
        if world.state.device.type != "cuda":
            return "masked rollouts need a GPU"
        return cuda_graph.refuses(world, rule)

    def __call__(self, world: World, rule: Rule, steps: int, generator: torch.Generator) -> Tensor:
        """See `Way.__call__`."""
        return self._run(world, rule, *masks(generator, steps, rule, world.state))


class Bptt:
    """The gradient written by hand, on a CPU; see `swarm_nca.bptt`."""

    def __init__(self, team: DataParallel, longest: int, products: torch.dtype | None) -> None:
        self._team, self._products = team, products
        self._scratch = bptt.Scratch()

    def refuses(self, world: World, rule: Rule) -> str | None:
        """See `Way.refuses`."""
        if world.state.device.type != "cpu":
            return "the hand-written gradient draws on a CPU"
        return bptt.refuses(rule)

    def __call__(self, world: World, rule: Rule, steps: int, generator: torch.Generator) -> Tensor:
        """See `Way.__call__`."""
        share = self._team.share(world)
        draws = share.draws(GeneratorDraws(generator, world.cells))
        mine = bptt.bptt(
            share.world,
            rule,
            steps,
            draws,
            rule.fire_rate,
            rule.noise,
            self._scratch,
            self._products,
        )
        return share.joined(mine)


class Recorded:
    """Autograd's own record of every step: slower, and for every rule."""

    def __init__(self, team: DataParallel, longest: int, products: torch.dtype | None) -> None:
        self._team, self._products = team, products

    def refuses(self, world: World, rule: Rule) -> str | None:
        """See `Way.refuses`."""
        return "autograd's products keep the precision of the weights" if self._products else None

    def __call__(self, world: World, rule: Rule, steps: int, generator: torch.Generator) -> Tensor:
        """See `Way.__call__`."""
        share = self._team.share(world)
        draws: StepDraws = share.draws(GeneratorDraws(generator, world.cells))
        if world.state.device.type != "cpu":
            draws = _There(draws, world.state.device)
        mine = recorded(share.world, rule, steps, draws, rule.fire_rate, rule.noise)
        return share.joined(mine)


#: The ways to roll out, the quickest first.
WAYS: Mapping[str, Callable[[DataParallel, int, torch.dtype | None], Way]] = MappingProxyType(
    {"cuda_graph": CudaGraph, "bptt": Bptt, "recorded": Recorded}
)


class Rollouts:
    """Rollouts with gradients, each by the first way that serves.

    Args:
        longest: steps of the longest rollout.
        products: precision of the matrix products' factors, the state's when None.
        team: the processes that share the work.
    """

    def __init__(self, longest: int, products: torch.dtype | None, team: DataParallel) -> None:
        self._ways = {name: way(team, longest, products) for name, way in WAYS.items()}

    def __call__(self, world: World, rule: Rule, steps: int, generator: torch.Generator) -> Tensor:
        """The state [N, C] some steps later, with gradients to the rule's weights.

        Raises:
            ValueError: no way serves; it tells why.
        """
        return self._ways[self.chosen(world, rule)](world, rule, steps, generator)

    def chosen(self, world: World, rule: Rule) -> str:
        """The name of the way that serves a world under a rule.

        Raises:
            ValueError: no way serves; it tells why.
        """
        reasons = []
        for name, way in self._ways.items():
            reason = way.refuses(world, rule)
            if reason is None:
                return name
            reasons.append(f"{name}: {reason}")
        raise ValueError(f"this rule cannot be rolled out with gradients: {'; '.join(reasons)}")


class _There:
    """Draws made on a CPU, handed over on another device."""

    def __init__(self, draws: StepDraws, device: torch.device) -> None:
        self._draws, self._device = draws, device

    def word(self, t: int, stream: int) -> Tensor:
        return self._draws.word(t, stream).to(self._device)

    def fires(self, t: int, rate: float) -> Tensor:
        return self._draws.fires(t, rate).to(self._device)

    def normals(self, t: int, rows: Tensor, channels: int, dtype: torch.dtype) -> Tensor:
        return self._draws.normals(t, rows.cpu(), channels, dtype).to(self._device)
