"""A rollout with its gradient written by hand: back-propagation through time without a tape.

The forward pass lays what every step heard and computed into one array each; the backward pass
walks the steps in reverse, and then gets each weight's gradient from a single product over all of
them. Same numbers as recording step by step with autograd (a test holds the two together), in
about nine tenths of the time.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from swarm_nca.engine import check_fit
from swarm_nca.randomness import StepDraws
from swarm_nca.rules import Rule
from swarm_nca.world import World


class Scratch:
    """Arrays kept from one rollout to the next, for a caller who back-propagates before the next.

    Fresh pages of memory cost as much as the arithmetic that fills them.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Tensor] = {}

    def empty(self, name: str, rows: int, columns: int, like: Tensor) -> Tensor:
        """An uninitialised [rows, columns] array, valid until the same name is asked for again."""
        kept = self._kept.get(name)
        if kept is None or kept.numel() < rows * columns or kept.dtype != like.dtype:
            kept = self._kept[name] = like.new_empty(rows * columns * 5 // 4)
        return kept[: rows * columns].view(rows, columns)


def unrolled(
    world: World,
    rule: Rule,
    steps: int,
    draws: StepDraws,
    fire_rate: float,
    noise: float,
    scratch: Scratch | None = None,
) -> Tensor:
    """The state [N, C] some steps later, with gradients to the weights and to the first state.

    Args:
        rule: a plain `Rule`; its six weights receive gradients.
        steps: 1 or more.
        draws: decides who fires, what is lost and which noise is added.
        scratch: memory to work in; only one rollout may await its backward pass in it.

    Raises:
        ValueError: no steps, or a rule that does not fit the world.
    """
    if steps < 1:
        raise ValueError(f"steps must be 1 or more, got {steps}")
    check_fit(world, rule)
    scratch = Scratch() if scratch is None else scratch
    fired = [draws.fires(t, fire_rate) for t in range(steps)]
    unroll: Any = _Unrolled.apply
    state: Tensor = unroll(world.state, world, draws, fired, noise, scratch, *rule.parameters())
    return state


class _Unrolled(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        state: Tensor,
        world: World,
        draws: StepDraws,
        fired: list[Tensor],
        noise: float,
        scratch: Scratch,
        *weights: Tensor,
    ) -> Tensor:
        perception, perception_bias, middle, middle_bias, output, output_bias = weights
        stimulus, links, neighbors = world.stimulus, world.links, world.neighbors
        senses, channels, slots = stimulus.shape[1], state.shape[1], neighbors.shape[1]
        prepared = torch.addmm(perception_bias, stimulus, perception[:senses])
        padded = torch.cat([state, state.new_zeros(1, channels)])
        rows = sum(len(one) for one in fired)
        messages = scratch.empty("messages", rows, slots * channels, state)
        first = scratch.empty("first", rows, perception.shape[1], state)
        second = scratch.empty("second", rows, middle.shape[1], state)
        tables, start = [], 0
        for t, who in enumerate(fired):
            part = slice(start, start := start + len(who))
            table = links.arriving(neighbors, who, draws, t).reshape(-1)
            tables.append(table)
            heard, one, two = messages[part], first[part], second[part]
            torch.index_select(padded, 0, table, out=heard.view(-1, channels))
            torch.addmm(prepared.index_select(0, who), heard, perception[senses:], out=one).relu_()
            torch.addmm(middle_bias, one, middle, out=two).relu_()
            change = torch.addmm(output_bias, two, output)
            if noise:
                change.add_(draws.normals(t, who, channels, state.dtype), alpha=noise)
            padded.index_add_(0, who, change)
        ctx.save_for_backward(perception, middle, output, stimulus, messages, first, second)
        ctx.fired, ctx.tables, ctx.scratch = fired, tables, scratch
        return padded[:-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_state: Tensor) -> tuple[Tensor | None, ...]:
        perception, middle, output, stimulus, messages, first, second = ctx.saved_tensors
        channels, senses = grad_state.shape[1], stimulus.shape[1]
        # The row of nobody collects what was sent to no one; it is never read.
        flowing = torch.cat([grad_state, grad_state.new_zeros(1, channels)])
        end, scratch = len(messages), ctx.scratch
        grad_change = scratch.empty("grad_change", end, channels, output)
        grad_second = scratch.empty("grad_second", end, second.shape[1], output)
        grad_first = scratch.empty("grad_first", end, first.shape[1], output)
        to_messages, to_first, to_second = perception[senses:].t(), middle.t(), output.t()
        relu_backward = torch.ops.aten.threshold_backward.grad_input
        for t, (who, table) in enumerate(zip(ctx.fired[::-1], ctx.tables[::-1], strict=True)):
            part = slice(end - len(who), end)
            end -= len(who)
            three, two, one = grad_change[part], grad_second[part], grad_first[part]
            torch.index_select(flowing, 0, who, out=three)
            torch.mm(three, to_second, out=two)
            relu_backward(two, second[part], 0, grad_input=two)
            torch.mm(two, to_first, out=one)
            relu_backward(one, first[part], 0, grad_input=one)
            if t < len(ctx.fired) - 1 or ctx.needs_input_grad[0]:
                heard = scratch.empty("heard", len(who), messages.shape[1], output)
                torch.mm(one, to_messages, out=heard)
                flowing.index_add_(0, table, heard.view(-1, channels))
        who = torch.cat(ctx.fired)
        sensed = torch.index_select(
            stimulus, 0, who, out=scratch.empty("sensed", len(who), senses, output)
        )
        ones = output.new_ones(len(who))
        grad_perception = torch.cat([sensed.t() @ grad_first, messages.t() @ grad_first])
        return (
            flowing[:-1],
            *(None,) * 5,
            grad_perception,
            ones @ grad_first,
            first.t() @ grad_second,
            ones @ grad_second,
            second.t() @ grad_change,
            ones @ grad_change,
        )
