"""Back-propagation through time with a hand-written gradient, for rollouts on a CPU.

The forward pass stores the messages and the layer inputs of all steps in one array each. The
backward pass visits the steps in reverse and adds the weight gradients of a few steps at a time,
while their inputs are still in the cache. The results equal those of autograd (a test compares
them) in 70 to 90 % of its time, depending on the processor. The products may use a shorter
precision than the sums; this is faster on some processors and slower on others.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from swarm_nca.engine import check_fit
from swarm_nca.engine.mail import Mail
from swarm_nca.matmul import BLOCK, by_onednn, product
from swarm_nca.randomness import StepDraws
from swarm_nca.rules import Rule
from swarm_nca.world import World

#: Steps whose weight gradients are computed by one product: fewer products are faster, as long as
#: their factors are still in the cache.
TOGETHER = 4


class Scratch:
    """Arrays that successive rollouts reuse; each rollout must back-propagate before the next.

    New memory pages cost as much time as the arithmetic that fills them.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Tensor] = {}

    def empty(self, name: str, rows: int, columns: int, like: Tensor, keep: int = 0) -> Tensor:
        """An uninitialised [rows, columns] array, valid until the next call with the same name.

        Args:
            keep: number of first rows that keep their values from the previous call.
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
    """The state [N, C] after `steps` steps, with gradients to the weights and to the first state.

    Args:
        rule: a rule with `layers`, which receive gradients; see `refuses`.
        steps: 1 or more.
        draws: random numbers for firing, lost messages and noise.
        scratch: memory to reuse; it can hold one rollout that awaits its backward pass.
        products: precision of the factors of matrix products; the state's when None. Products still
            sum in float32; states, weights and their gradients keep their own precision.

    Raises:
        ValueError: no steps, a rule that does not fit the world, or one that `refuses` rejects.
    """
    if steps < 1:
        raise ValueError(f"steps must be 1 or more, got {steps}")
    reason = refuses(rule) or refuses_world(world)
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
        stimulus, neighbors, mail = world.stimulus.to(products), world.neighbors, Mail(world, draws)
        stimulus_size, channels, slots = stimulus.shape[1], state.shape[1], neighbors.shape[1]
        absent, sums = len(state), slots if filters is None else filters.shape[1]
        filters = None if filters is None else filters.to(products)
        block = BLOCK if by_onednn(products, state.device) else 1
        # By torch: oneDNN would compile a kernel for the number of cells of every batch.
        prepared = torch.addmm(perception_bias, stimulus, perception[:stimulus_size])
        padded = torch.cat([state, state.new_zeros(1, channels)])
        mortal = rule.lives(state, world.largest) is not None
        widths = [len(weight) for weight, _ in others]
        # With mortal cells the number of acting rows is unknown before each step.
        end = 0 if mortal else sum(len(rows) + -len(rows) % block for rows in fired)
        messages = scratch.empty("messages", end, sums * channels, prepared)
        hidden = [scratch.empty(f"hidden {n}", end, w, prepared) for n, w in enumerate(widths)]
        message_weights, tables, start = perception[stimulus_size:], [], 0
        acted, filled, passing = [], [], []
        dead: list[Tensor] = []
        for t, rows in enumerate(fired):
            rows = mail.able(rows)
            before = rule.lives(padded[:-1], world.largest) if mortal else None
            if before is not None:
                rows = rows[before[rows]]
            # Rows that fill up a block stand for cell 0 with empty messages; results are ignored.
            all_rows = functional.pad(rows, (0, -len(rows) % block))
            part = slice(start, start + len(all_rows))
            if before is not None:
                end = part.stop
                messages = scratch.empty("messages", end, sums * channels, prepared, start)
                hidden = [
                    scratch.empty(f"hidden {n}", end, w, prepared, start)
                    for n, w in enumerate(widths)
                ]
            start = part.stop
            bank, arriving = mail.collect(padded, t), mail.arriving(rows, t)
            passing.append(mail.passes(padded[:-1]))
            table = functional.pad(
                arriving.reshape(-1), (0, slots * (len(all_rows) - len(rows))), value=absent
            )
            _listen(bank.to(products), table, filters, messages[part])
            results = [units[part] for units in hidden]
            results.append(scratch.empty("change", len(all_rows), channels, prepared))
            torch.index_select(prepared, 0, all_rows, out=results[0])
            given = product(messages[part], message_weights, results[0], into=results[0])
            for units, above, (weight, bias) in zip(results, results[1:], others, strict=False):
                torch.clamp_min(given, 0, out=units)
                given = product(units, weight, bias, into=above)
            change = given[: len(rows)].to(state.dtype)
            if noise:
                change.add_(draws.normals(t, rows, channels, state.dtype), alpha=noise)
            padded.index_add_(0, rows, change)
            if before is not None:
                after = rule.lives(padded[:-1], world.largest)
                alive = before if after is None else before & after
                # Cells that died in an earlier step are zero already, except at the first step.
                gone = (~alive if not dead else before & ~alive).nonzero().view(-1)
                padded.index_fill_(0, gone, 0.0)
                dead.append(gone)
            acted.append(rows)
            filled.append(all_rows)
            tables.append(table)
        layers = (perception, *(weight for weight, _ in others))
        inputs = (messages[:start], *(units[:start] for units in hidden))
        ctx.save_for_backward(stimulus, *layers, *inputs)
        ctx.dead, ctx.filters, ctx.passing = dead, filters, passing
        ctx.fired, ctx.filled, ctx.tables, ctx.scratch = acted, filled, tables, scratch
        ctx.precisions = [weight.dtype for weight in weights]
        return padded[:-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_state: Tensor) -> tuple[Tensor | None, ...]:
        stimulus, *saved = ctx.saved_tensors
        (perception, *others), inputs = saved[: len(saved) // 2], saved[len(saved) // 2 :]
        channels, stimulus_size, last = grad_state.shape[1], stimulus.shape[1], len(ctx.fired) - 1
        # A row for absent neighbours, which is never read, and rows for what cells say, if that
        # differs from their states.
        said = 0 if ctx.passing[0] is None else len(grad_state)
        bank_grad = torch.cat([grad_state, grad_state.new_zeros(1 + said, channels)])
        state_grad = bank_grad[: len(grad_state) + 1]
        # One entry per layer: transposed weights, and sums of the gradients.
        backward = [perception[stimulus_size:].t(), *(weight.t() for weight in others)]
        relu_backward = torch.ops.aten.threshold_backward.grad_input
        sensed_sum = state_grad.new_zeros(stimulus_size, perception.shape[1])
        sums = [state_grad.new_zeros(weight.shape[::-1]) for weight in backward]
        bias_sums = [total.new_zeros(total.shape[1]) for total in sums]
        end = unsummed = len(inputs[0])
        grads = [
            ctx.scratch.empty(f"gradient {n}", end, len(weight), weight)
            for n, weight in enumerate(backward)
        ]
        steps = zip(ctx.fired[::-1], ctx.filled[::-1], ctx.tables[::-1], strict=True)
        for t, (rows, all_rows, table) in enumerate(steps):
            if ctx.dead:
                state_grad.index_fill_(0, ctx.dead[last - t], 0.0)
            part = slice(end - len(all_rows), end)
            end -= len(all_rows)
            top = grads[-1][part]
            top[: len(rows)] = torch.index_select(state_grad, 0, rows)
            top[len(rows) :] = 0.0
            for n in range(len(others), 0, -1):
                into = grads[n - 1][part]
                unit_grad = product(grads[n][part], backward[n], into=into)
                relu_backward(unit_grad, inputs[n][part], 0, grad_input=into)
            if t % TOGETHER == TOGETHER - 1 or t == last:
                span, unsummed = slice(end, unsummed), end
                for total, given, grad in zip(sums[::-1], inputs[::-1], grads[::-1], strict=True):
                    _add_product(total, given[span], grad[span])
                for total, grad in zip(bias_sums, grads, strict=True):
                    total.add_(grad[span].sum(0))
                sensing = torch.cat(ctx.filled[last - t : last - t + t % TOGETHER + 1])
                _add_product(sensed_sum, stimulus.index_select(0, sensing), grads[0][span])
            if t < last or ctx.needs_input_grad[0]:
                message_grad = product(
                    grads[0][part],
                    backward[0],
                    into=ctx.scratch.empty(
                        "message gradient", len(all_rows), backward[0].shape[1], perception
                    ),
                )
                if ctx.filters is not None:
                    sums_grad = message_grad.view(-1, ctx.filters.shape[1], channels)
                    message_grad = ctx.filters @ sums_grad
                message_grad = message_grad.reshape(-1, channels).to(state_grad.dtype)
                # Not index_put_: its order of addition varies with several threads.
                bank_grad.index_add_(0, table, message_grad)
                passes = ctx.passing[last - t]
                if passes is not None:
                    said_grad = bank_grad[len(state_grad) :]
                    state_grad[:-1] += said_grad * passes
                    said_grad.zero_()
        sums[0] = torch.cat([sensed_sum, sums[0]])
        gradients = [total for pair in zip(sums, bias_sums, strict=True) for total in pair]
        given = (grad.to(kind) for grad, kind in zip(gradients, ctx.precisions, strict=True))
        return (state_grad[:-1], *(None,) * 8, *given)


def _listen(bank: Tensor, table: Tensor, filters: Tensor | None, received: Tensor) -> None:
    """Fill `received` [M, sums · C] with the rows `table` [M · K] of a bank, after filters."""
    channels = bank.shape[1]
    if filters is None:
        torch.index_select(bank, 0, table, out=received.view(-1, channels))
        return
    slots, sums = filters.shape
    slotwise = bank.index_select(0, table).view(-1, slots, channels)
    torch.matmul(filters.t(), slotwise, out=received.view(-1, sums, channels))


def _add_product(total: Tensor, inputs: Tensor, outputs: Tensor) -> None:
    """Add inputsᵀ · outputs to a total, which may have a longer precision than the factors."""
    # Transposed: oneDNN copies the left factor, and the outputs are fewer than the inputs.
    total.add_(product(outputs.t(), inputs).t())
