"""A rollout with its gradient written by hand: back-propagation through time without a tape.

The forward pass lays what every step heard and computed into one array each; the backward pass
walks the steps in reverse, and adds the shares of a few at a time to the weights' gradients, while
they still lie in the cache. Same numbers as recording step by step with autograd (a test holds the
two together), in seven to nine tenths of the time, as the processor goes; and its products may run
in a shorter precision than its sums, which is quicker still on some, and slower on others.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from swarm_nca.engine import check_fit
from swarm_nca.products import BLOCK, by_onednn, product
from swarm_nca.randomness import StepDraws
from swarm_nca.rules import Rule
from swarm_nca.world import World

#: Steps whose shares of the weights' gradients are multiplied at once: fewer products are quicker,
#: as long as what they read still lies in the cache.
TOGETHER = 4


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
    products: torch.dtype | None = None,
) -> Tensor:
    """The state [N, C] some steps later, with gradients to the weights and to the first state.

    Args:
        rule: a plain `Rule`; its six weights receive gradients.
        steps: 1 or more.
        draws: decides who fires, what is lost and which noise is added.
        scratch: memory to work in; only one rollout may await its backward pass in it.
        products: precision of the matrix products' factors, the state's when None. Each product
            still sums in float32, and states, weights and their gradients keep their own precision.

    Raises:
        ValueError: no steps, a rule that does not fit the world, or a subclass of `Rule`.
    """
    if steps < 1:
        raise ValueError(f"steps must be 1 or more, got {steps}")
    check_plain(rule)
    check_fit(world, rule)
    scratch = Scratch() if scratch is None else scratch
    fired = [draws.fires(t, fire_rate) for t in range(steps)]
    unroll: Any = _Unrolled.apply
    setting = (world, draws, fired, noise, scratch, products or world.state.dtype)
    state: Tensor = unroll(world.state, *setting, *rule.filters())
    return state


def check_plain(rule: Rule) -> None:
    """A ValueError, if a rule may do something else than a plain one."""
    if type(rule) is not Rule:
        raise ValueError(
            f"this gradient is that of a plain Rule, got {type(rule).__name__}: train it through "
            "swarm_nca.rollout, which records whatever a rule does"
        )


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
        products: torch.dtype,
        *weights: Tensor,
    ) -> Tensor:
        perception, perception_bias, middle, middle_bias, output, output_bias = (
            weight.to(products) for weight in weights
        )
        stimulus, links, neighbors = world.stimulus.to(products), world.links, world.neighbors
        senses, channels, slots = stimulus.shape[1], state.shape[1], neighbors.shape[1]
        nobody = len(state)
        block = BLOCK if by_onednn(products, state.device) else 1
        # By torch: cells are another number in every batch, which oneDNN would compile for.
        prepared = torch.addmm(perception_bias, stimulus, perception[:senses])
        padded = torch.cat([state, state.new_zeros(1, channels)])
        # Rows that only fill a block up act for cell 0, hear nobody and change nothing.
        filled = [functional.pad(who, (0, -len(who) % block)) for who in fired]
        rows = sum(len(who) for who in filled)
        messages = scratch.empty("messages", rows, slots * channels, prepared)
        first = scratch.empty("first", rows, perception.shape[1], prepared)
        second = scratch.empty("second", rows, middle.shape[1], prepared)
        hearing, tables, start = perception[senses:], [], 0
        for t, (who, all_rows) in enumerate(zip(fired, filled, strict=True)):
            part = slice(start, start := start + len(all_rows))
            arriving = links.arriving(neighbors, who, draws, t)
            table = functional.pad(
                arriving.reshape(-1), (0, slots * (len(all_rows) - len(who))), value=nobody
            )
            tables.append(table)
            heard, one, two = messages[part], first[part], second[part]
            torch.index_select(padded.to(products), 0, table, out=heard.view(-1, channels))
            sensed = torch.index_select(prepared, 0, all_rows)
            torch.clamp_min(product(heard, hearing, sensed), 0, out=one)
            torch.clamp_min(product(one, middle, middle_bias), 0, out=two)
            change = product(two, output, output_bias)[: len(who)].to(state.dtype)
            if noise:
                change.add_(draws.normals(t, who, channels, state.dtype), alpha=noise)
            padded.index_add_(0, who, change)
        ctx.save_for_backward(perception, middle, output, stimulus, messages, first, second)
        ctx.fired, ctx.filled, ctx.tables, ctx.scratch = fired, filled, tables, scratch
        ctx.precisions = [weight.dtype for weight in weights]
        return padded[:-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_state: Tensor) -> tuple[Tensor | None, ...]:
        perception, middle, output, stimulus, messages, first, second = ctx.saved_tensors
        channels, senses = grad_state.shape[1], stimulus.shape[1]
        # The row of nobody collects what was sent to no one; it is never read.
        flowing = torch.cat([grad_state, grad_state.new_zeros(1, channels)])
        to_messages, to_first, to_second = perception[senses:].t(), middle.t(), output.t()
        relu_backward = torch.ops.aten.threshold_backward.grad_input
        zeros = flowing.new_zeros
        heard_sum = zeros(len(perception) - senses, len(middle))
        prepared_sum = zeros(len(stimulus), len(middle))
        middle_sum, middle_bias_sum = zeros(middle.shape), zeros(len(output))
        output_sum, output_bias_sum = zeros(output.shape), zeros(channels)
        end = undone = len(messages)
        scratch, last = ctx.scratch, len(ctx.fired) - 1
        grad_change = scratch.empty("grad_change", end, channels, output)
        grad_second = scratch.empty("grad_second", end, second.shape[1], output)
        grad_first = scratch.empty("grad_first", end, first.shape[1], output)
        steps = zip(ctx.fired[::-1], ctx.filled[::-1], ctx.tables[::-1], strict=True)
        for t, (who, all_rows, table) in enumerate(steps):
            part = slice(end - len(all_rows), end)
            end -= len(all_rows)
            three, two, one = grad_change[part], grad_second[part], grad_first[part]
            three[: len(who)] = torch.index_select(flowing, 0, who)
            three[len(who) :] = 0.0
            relu_backward(product(three, to_second), second[part], 0, grad_input=two)
            relu_backward(product(two, to_first), first[part], 0, grad_input=one)
            if t % TOGETHER == TOGETHER - 1 or t == last:
                done, undone = slice(end, undone), end
                _add_product(output_sum, second[done], grad_change[done])
                _add_product(middle_sum, first[done], grad_second[done])
                _add_product(heard_sum, messages[done], grad_first[done])
            output_bias_sum.add_(three.sum(0))
            middle_bias_sum.add_(two.sum(0))
            prepared_sum.index_add_(0, all_rows, one.to(flowing.dtype))
            if t < last or ctx.needs_input_grad[0]:
                sent = product(one, to_messages).view(-1, channels).to(flowing.dtype)
                # Not index_put_: on several threads that adds in an order of its own each time.
                flowing.index_add_(0, table, sent)
        grads = (
            torch.cat([stimulus.t().to(flowing.dtype) @ prepared_sum, heard_sum]),
            prepared_sum.sum(0),
            middle_sum,
            middle_bias_sum,
            output_sum,
            output_bias_sum,
        )
        given = (grad.to(kind) for grad, kind in zip(grads, ctx.precisions, strict=True))
        return (flowing[:-1], *(None,) * 6, *given)


def _add_product(total: Tensor, inputs: Tensor, outputs: Tensor) -> None:
    """Add the product inputsᵀ · outputs to a total, which may be more precise than its factors."""
    # The other way round, since oneDNN copies its left factor into rows, and outputs are fewer.
    total.add_(product(outputs.t(), inputs).t())
