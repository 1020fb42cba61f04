"""Back-propagation through time with a hand-written gradient, for rollouts on a CPU.

Each step gathers messages, computes all layers, and keeps their activations; its gradient goes back
through the layers, adds to the gradients of the senders, and sums those of the weights while the
factors are still in the cache. Both are calls of a kernel: of torch's products, or compiled for
the rule (`kernels`). The results equal those of autograd (a test compares them) in less time.

Worlds do not hear each other, so a batch is split into parts of whole worlds, which threads roll
out and back from the first step to the last without waiting for each other. The parts depend on the
batch only, so that the number of threads changes no byte of a split batch. Not split are batches
with rounded or false messages, or with lost messages between cells that die, whose draws belong to
the whole batch, and, with torch's products, small ones.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from swarm_nca.bptt.run import Run, Scratch
from swarm_nca.engine.fit import check_fit
from swarm_nca.kernels.library import fits
from swarm_nca.randomness import StepDraws
from swarm_nca.rules import Rule
from swarm_nca.world import World

__all__ = ["Scratch", "bptt", "refuses", "refuses_to_compile", "refuses_world"]


def bptt(
    world: World,
    rule: Rule,
    steps: int,
    draws: StepDraws,
    fire_rate: float,
    noise: float,
    scratch: Scratch | None = None,
    products: torch.dtype | None = None,
    *,
    compile_kernel: bool = False,
) -> Tensor:
    """The state [N, C] after `steps` steps, with gradients to the weights and to the first state.

    Args:
        rule: a rule with `layers`, which receive gradients; see `refuses`.
        steps: 1 or more.
        draws: random numbers for firing, lost messages and noise.
        scratch: memory to reuse; it can hold one rollout that awaits its backward pass.
        products: precision of the factors of matrix products; the state's when None. Products still
            sum in float32; states, weights and their gradients keep their own precision.
        compile_kernel: whether to compile the steps for the rule; see `kernels.compiled`.

    Raises:
        ValueError: no steps, a rule that does not fit the world, or one that `refuses` rejects.
        OSError: there is no C compiler, or it fails; with `compile_kernel` only.
    """
    if steps < 1:
        raise ValueError(f"steps must be 1 or more, got {steps}")
    products = products or world.state.dtype
    reason = refuses(rule) or refuses_world(world)
    if reason is None and compile_kernel:
        reason = refuses_to_compile(world, products)
    if reason is not None:
        raise ValueError(f"{reason}: train it through swarm_nca.rollout, which records any rule")
    check_fit(world, rule)
    fired = [draws.fires(t, fire_rate) for t in range(steps)]
    filtered = rule.filtered()
    filters, layers = (None, rule.layers()) if filtered is None else filtered
    weights = [part for layer in layers or () for part in layer]
    memory = Scratch() if scratch is None else scratch
    run = Run(world, rule, draws, fired, noise, memory, products, filters, compile_kernel)
    unroll: Any = _Bptt.apply
    state: Tensor = unroll(world.state, run, *weights)
    return state


def refuses(rule: Rule) -> str | None:
    """Why this gradient does not support a rule; None if it does."""
    if rule.layers() is None:
        return f"the hand-written gradient needs a rule's layers, and {rule.kind!r} has none"
    if rule.update != "add":
        return f"the hand-written gradient needs update 'add', and {rule.kind!r} has 'replace'"
    return None


def refuses_world(world: World) -> str | None:
    """Why this gradient does not support the links or rules of a world; None if it does."""
    if world.guests:
        return "the hand-written gradient needs one rule for all cells"
    if world.links.slowest or world.links.on_loss != "zeros":
        return "the hand-written gradient needs links without delay and without repeated messages"
    return None


def refuses_to_compile(world: World, products: torch.dtype) -> str | None:
    """Why no compiled steps support a world with products of this precision; None if they do."""
    if not world.state.is_cpu or world.state.dtype != torch.float32 or not fits(products):
        return "compiled gradients need a CPU, float32 states, and products that it can compute"
    return None


class _Bptt(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, state: Tensor, run: Run, *weights: Tensor) -> Tensor:
        after, kept = run.forward(weights)
        ctx.run, ctx.precisions = run, [weight.dtype for weight in weights]
        ctx.save_for_backward(*kept, *weights, run.world.stimulus)
        return after

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_state: Tensor) -> tuple[Tensor | None, ...]:
        ctx.saved_tensors  # noqa: B018 - raises an error if any of them has changed since
        state_grad, gradients = ctx.run.backward(grad_state, ctx.needs_input_grad[0])
        given = (grad.to(kind) for grad, kind in zip(gradients, ctx.precisions, strict=True))
        return (state_grad if ctx.needs_input_grad[0] else None, None, *given)
