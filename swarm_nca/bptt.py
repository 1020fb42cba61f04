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
from swarm_nca.matmul import BLOCK, by_onednn, product
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

    def empty(self, name: str, rows: int, columns: int, like: Tensor, keep: int = 0) -> Tensor:
        """An uninitialised [rows, columns] array, valid until the same name is asked for again.

        Args:
            keep: the first so many rows hold what they held before under this name.
        """
        kept = self._kept.get(name)
        if kept is None or kept.numel() < rows * columns or kept.dtype != like.dtype:
            fresh = like.new_empty(rows * columns * 5 // 4)
            if kept is not None and keep:
                fresh[: keep * columns] = kept[: keep * columns]
            kept = self._kept[name] = fresh
        return kept[: rows * columns].view(rows, columns)


def bptt(
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
        rule: one that tells its `layers`, which receive gradients; see `refuses`.
        steps: 1 or more.
        draws: decides who fires, what is lost and which noise is added.
        scratch: memory to work in; only one rollout may await its backward pass in it.
        products: precision of the matrix products' factors, the state's when None. Each product
            still sums in float32, and states, weights and their gradients keep their own precision.

    Raises:
        ValueError: no steps, a rule that does not fit the world, or one that `refuses` names.
    """
    if steps < 1:
        raise ValueError(f"steps must be 1 or more, got {steps}")
    reason = refuses(rule)
    if reason is not None:
        raise ValueError(f"{reason}: train it through swarm_nca.rollout, which records any rule")
    check_fit(world, rule)
    scratch = Scratch() if scratch is None else scratch
    fired = [draws.fires(t, fire_rate) for t in range(steps)]
    unroll: Any = _Bptt.apply
    filtered = rule.filtered()
    filters, layers = (None, rule.layers()) if filtered is None else filtered
    setting = (world, rule, draws, fired, noise, scratch, products or world.state.dtype, filters)
    weights = [part for layer in layers or () for part in layer]
    state: Tensor = unroll(world.state, *setting, *weights)
    return state


def refuses(rule: Rule) -> str | None:
    """Why this gradient cannot serve a rule; None if it can."""
    if rule.layers() is None:
        return f"the hand-written gradient needs a rule's layers, and {rule.kind!r} tells none"
    if rule.update != "add":
        return f"the hand-written gradient is of rules that add, and {rule.kind!r} replaces"
    return None


class _Bptt(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        state: Tensor,
        world: World,
        rule: Rule,
        draws: StepDraws,
        fired: list[Tensor],
        noise: float,
        scratch: Scratch,
        products: torch.dtype,
        filters: Tensor | None,
        *weights: Tensor,
    ) -> Tensor:
        used = [weight.to(products) for weight in weights]
        (perception, perception_bias), *others = zip(used[::2], used[1::2], strict=True)
        stimulus, links, neighbors = world.stimulus.to(products), world.links, world.neighbors
        senses, channels, slots = stimulus.shape[1], state.shape[1], neighbors.shape[1]
        nobody, sums = len(state), slots if filters is None else filters.shape[1]
        filters = None if filters is None else filters.to(products)
        block = BLOCK if by_onednn(products, state.device) else 1
        # By torch: cells are another number in every batch, which oneDNN would compile for.
        prepared = torch.addmm(perception_bias, stimulus, perception[:senses])
        padded = torch.cat([state, state.new_zeros(1, channels)])
        mortal = rule.lives(state, world.largest) is not None
        widths = [len(weight) for weight, _ in others]
        # All rows at once where they are known; who is alive turns out step by step.
        end = 0 if mortal else sum(len(who) + -len(who) % block for who in fired)
        messages = scratch.empty("messages", end, sums * channels, prepared)
        hidden = [scratch.empty(f"hidden {n}", end, w, prepared) for n, w in enumerate(widths)]
        hearing, tables, start = perception[senses:], [], 0
        acted, filled = [], []
        dead: list[Tensor] = []
        for t, who in enumerate(fired):
            before = rule.lives(padded[:-1], world.largest) if mortal else None
            if before is not None:
                who = who[before[who]]
            # Rows that only fill a block up act for cell 0, hear nobody and change nothing.
            all_rows = functional.pad(who, (0, -len(who) % block))
            part = slice(start, start + len(all_rows))
            if before is not None:
                end = part.stop
                messages = scratch.empty("messages", end, sums * channels, prepared, start)
                hidden = [
                    scratch.empty(f"hidden {n}", end, w, prepared, start)
                    for n, w in enumerate(widths)
                ]
            start = part.stop
            arriving = links.arriving(neighbors, who, draws, t)
            table = functional.pad(
                arriving.reshape(-1), (0, slots * (len(all_rows) - len(who))), value=nobody
            )
            heard, said = messages[part], padded.to(products)
            if filters is None:
                torch.index_select(said, 0, table, out=heard.view(-1, channels))
            else:
                slotwise = said.index_select(0, table).view(-1, slots, channels)
                torch.matmul(filters.t(), slotwise, out=heard.view(-1, sums, channels))
            flowing = product(heard, hearing, torch.index_select(prepared, 0, all_rows))
            for units, (weight, bias) in zip(hidden, others, strict=True):
                torch.clamp_min(flowing, 0, out=units[part])
                flowing = product(units[part], weight, bias)
            change = flowing[: len(who)].to(state.dtype)
            if noise:
                change.add_(draws.normals(t, who, channels, state.dtype), alpha=noise)
            padded.index_add_(0, who, change)
            if before is not None:
                after = rule.lives(padded[:-1], world.largest)
                alive = before if after is None else before & after
                # Those dead before are blank since they died, but for the first step.
                gone = (~alive if not dead else before & ~alive).nonzero().view(-1)
                padded.index_fill_(0, gone, 0.0)
                dead.append(gone)
            acted.append(who)
            filled.append(all_rows)
            tables.append(table)
        layers = (perception, *(weight for weight, _ in others))
        inputs = (messages[:start], *(units[:start] for units in hidden))
        ctx.save_for_backward(stimulus, *layers, *inputs)
        ctx.dead, ctx.filters = dead, filters
        ctx.fired, ctx.filled, ctx.tables, ctx.scratch = acted, filled, tables, scratch
        ctx.precisions = [weight.dtype for weight in weights]
        return padded[:-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_state: Tensor) -> tuple[Tensor | None, ...]:
        stimulus, *saved = ctx.saved_tensors
        (perception, *others), inputs = saved[: len(saved) // 2], saved[len(saved) // 2 :]
        channels, senses, last = grad_state.shape[1], stimulus.shape[1], len(ctx.fired) - 1
        # The row of nobody collects what was sent to no one; it is never read.
        flowing = torch.cat([grad_state, grad_state.new_zeros(1, channels)])
        # Layer by layer: what its factors were, and what becomes of their gradients.
        backward = [perception[senses:].t(), *(weight.t() for weight in others)]
        relu_backward = torch.ops.aten.threshold_backward.grad_input
        prepared_sum = flowing.new_zeros(len(stimulus), perception.shape[1])
        sums = [flowing.new_zeros(weight.shape[::-1]) for weight in backward]
        bias_sums = [flowing.new_zeros(weight.shape[1]) for weight in others]
        end = undone = len(inputs[0])
        grads = [
            ctx.scratch.empty(f"gradient {n}", end, len(weight), weight)
            for n, weight in enumerate(backward)
        ]
        steps = zip(ctx.fired[::-1], ctx.filled[::-1], ctx.tables[::-1], strict=True)
        for t, (who, all_rows, table) in enumerate(steps):
            if ctx.dead:
                flowing.index_fill_(0, ctx.dead[last - t], 0.0)
            part = slice(end - len(all_rows), end)
            end -= len(all_rows)
            top = grads[-1][part]
            top[: len(who)] = torch.index_select(flowing, 0, who)
            top[len(who) :] = 0.0
            for n in range(len(others), 0, -1):
                sent, into = product(grads[n][part], backward[n]), grads[n - 1][part]
                relu_backward(sent, inputs[n][part], 0, grad_input=into)
            if t % TOGETHER == TOGETHER - 1 or t == last:
                done, undone = slice(end, undone), end
                for total, given, grad in zip(sums[::-1], inputs[::-1], grads[::-1], strict=True):
                    _add_product(total, given[done], grad[done])
            for total, grad in zip(bias_sums, grads[1:], strict=True):
                total.add_(grad[part].sum(0))
            prepared_sum.index_add_(0, all_rows, grads[0][part].to(flowing.dtype))
            if t < last or ctx.needs_input_grad[0]:
                sent = product(grads[0][part], backward[0])
                if ctx.filters is not None:
                    sent = ctx.filters @ sent.view(-1, ctx.filters.shape[1], channels)
                sent = sent.reshape(-1, channels).to(flowing.dtype)
                # Not index_put_: on several threads that adds in an order of its own each time.
                flowing.index_add_(0, table, sent)
        sensed = stimulus.t().to(flowing.dtype) @ prepared_sum
        found = [torch.cat([sensed, sums[0]]), prepared_sum.sum(0)]
        for weight_sum, bias_sum in zip(sums[1:], bias_sums, strict=True):
            found += [weight_sum, bias_sum]
        given = (grad.to(kind) for grad, kind in zip(found, ctx.precisions, strict=True))
        return (flowing[:-1], *(None,) * 8, *given)


def _add_product(total: Tensor, inputs: Tensor, outputs: Tensor) -> None:
    """Add the product inputsᵀ · outputs to a total, which may be more precise than its factors."""
    # The other way round, since oneDNN copies its left factor into rows, and outputs are fewer.
    total.add_(product(outputs.t(), inputs).t())
