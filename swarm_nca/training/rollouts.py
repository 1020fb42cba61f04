"""Rollouts with gradients, by the fastest implementation that supports the rule and the world.

`WAYS` lists the implementations in order of preference; each gives a reason if it does not support
a rule or a world. The last one supports every rule: autograd records the steps of the engine, so
users' own rules can be trained without more code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from swarm_nca import bptt, cuda_graph
from swarm_nca.engine import rates_of, recorded
from swarm_nca.matmul import compiled
from swarm_nca.randomness import StepDraws
from swarm_nca.rules import Rule
from swarm_nca.training.draws import GeneratorDraws, masks
from swarm_nca.training.parallel import DataParallel
from swarm_nca.world import World


class Way(Protocol):
    """An implementation of rollouts with gradients."""

    def refuses(self, world: World, rule: Rule) -> str | None:
        """Why this world and rule are not supported; None if they are."""

    def __call__(self, world: World, rule: Rule, steps: int, generator: torch.Generator) -> Tensor:
        """The state [N, C] after `steps` steps, with gradients to the rule's weights."""


class CudaGraph:
    """GPU rollout: all rows in every step, as a CUDA graph; see `swarm_nca.cuda_graph`."""

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
    """CPU rollout with a hand-written gradient; see `swarm_nca.bptt`."""

    COMPILES: ClassVar[bool] = False

    def __init__(self, team: DataParallel, longest: int, products: torch.dtype | None) -> None:
        self._team, self._products = team, products
        self._scratch = bptt.Scratch()

    def refuses(self, world: World, rule: Rule) -> str | None:
        """See `Way.refuses`."""
        if world.state.device.type != "cpu":
            return "the hand-written gradient needs a CPU"
        return bptt.refuses(rule) or bptt.refuses_world(world)

    def __call__(self, world: World, rule: Rule, steps: int, generator: torch.Generator) -> Tensor:
        """See `Way.__call__`."""
        share = self._team.share(world)
        draws = share.draws(GeneratorDraws(generator, world.cells))
        state = bptt.bptt(
            share.world,
            rule,
            steps,
            draws,
            *rates_of(world, rule),
            self._scratch,
            self._products,
            compile_kernel=self.COMPILES,
        )
        return share.joined(state)


class CompiledBptt(Bptt):
    """The same with compiled steps, if the environment asks."""

    COMPILES = True

    def refuses(self, world: World, rule: Rule) -> str | None:
        """See `Way.refuses`."""
        if not compiled():
            return "compiled gradients need SWARM_NCA_PRODUCTS=compiled"
        products = self._products or world.state.dtype
        return super().refuses(world, rule) or bptt.refuses_to_compile(world, products)


class Recorded:
    """Rollout recorded by autograd; slower, for every rule."""

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
            draws = _DrawsOnDevice(draws, world.state.device)
        after = recorded(share.world, rule, steps, draws, *rates_of(world, rule))
        return share.joined(after.state)


#: The implementations by name, the fastest first.
WAYS: Mapping[str, Callable[[DataParallel, int, torch.dtype | None], Way]] = MappingProxyType(
    {
        "cuda_graph": CudaGraph,
        "compiled_bptt": CompiledBptt,
        "bptt": Bptt,
        "recorded": Recorded,
    }
)


class Rollouts:
    """Rollouts with gradients, each by the first implementation that supports it.

    Args:
        longest: steps of the longest rollout.
        products: precision of the factors of matrix products; the state's when None.
        team: the processes that share the work.
    """

    def __init__(self, longest: int, products: torch.dtype | None, team: DataParallel) -> None:
        self._ways = {name: way(team, longest, products) for name, way in WAYS.items()}

    def __call__(self, world: World, rule: Rule, steps: int, generator: torch.Generator) -> Tensor:
        """The state [N, C] after `steps` steps, with gradients to the rule's weights.

        Raises:
            ValueError: no implementation supports world and rule, with all reasons.
        """
        return self._ways[self.chosen(world, rule)](world, rule, steps, generator)

    def chosen(self, world: World, rule: Rule) -> str:
        """The name of the implementation for a world and a rule.

        Raises:
            ValueError: no implementation supports them, with all reasons.
        """
        reasons = []
        for name, way in self._ways.items():
            reason = way.refuses(world, rule)
            if reason is None:
                return name
            reasons.append(f"{name}: {reason}")
        raise ValueError(f"this rule cannot be rolled out with gradients: {'; '.join(reasons)}")


class _DrawsOnDevice(StepDraws):
    """Draws made on a CPU and copied to another device."""

    def __init__(self, draws: StepDraws, device: torch.device) -> None:
        self._draws, self._device = draws, device

    def word(self, t: int, stream: int) -> Tensor:
        return self._draws.word(t, stream).to(self._device)

    def fires(self, t: int, rate: float) -> Tensor:
        return self._draws.fires(t, rate).to(self._device)

    def offsets(self, t: int, rows: Tensor) -> Tensor:
        return self._draws.offsets(t, rows.cpu()).to(self._device)
