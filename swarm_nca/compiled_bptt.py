"""The hand-written gradient with compiled steps, forward and backward; see `kernel` and `bptt`.

Each step is one call that gathers messages, computes all layers, and keeps their activations; its
gradient is one call that goes back through the layers and adds to the gradients of the senders.
Only the gradients of the weights are products of torch, one for each layer and rollout.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from swarm_nca import bptt
from swarm_nca.engine.fit import check_fit
from swarm_nca.engine.mail import Mail
from swarm_nca.kernel import BackwardKernel, Kernel, fits
from swarm_nca.matmul import compiled, product
from swarm_nca.randomness import StepDraws
from swarm_nca.rules import Rule
from swarm_nca.world import World

#: The rows of the products that give the gradients of the weights are a multiple of this, because
#: oneDNN compiles a kernel for every number of rows; rows that fill up are zeros.
FILLED = 2_048


def compiled_bptt(
    world: World,
    rule: Rule,
    steps: int,
    draws: StepDraws,
    fire_rate: float,
    noise: float,
    scratch: bptt.Scratch | None = None,
    products: torch.dtype | None = None,
) -> Tensor:
    """The state [N, C] after `steps` steps, with gradients; the arguments are those of `bptt`.

    Raises:
        ValueError: no steps, a rule that does not fit the world, or one that `refuses` rejects.
        OSError: there is no C compiler, or it fails.
    """
    if steps < 1:
        raise ValueError(f"steps must be 1 or more, got {steps}")
    products = products or world.state.dtype
    reason = refuses(world, rule, products)
    if reason is not None:
        raise ValueError(f"{reason}: train it through swarm_nca.bptt")
    check_fit(world, rule)
    fired = [draws.fires(t, fire_rate) for t in range(steps)]
    setting = (world, draws, fired, noise, scratch or bptt.Scratch(), products)
    weights = [part for layer in rule.layers() or () for part in layer]
    unroll: Any = _CompiledBptt.apply
    state: Tensor = unroll(world.state, *setting, *weights)
    return state


def refuses(world: World, rule: Rule, products: torch.dtype) -> str | None:
    """Why this gradient does not support a world and rule; None if it does."""
    if reason := bptt.refuses(rule) or bptt.refuses_world(world):
        return reason
    if rule.filtered() is not None or rule.lives(world.state, world.largest) is not None:
        return "compiled gradients need cells that neither die nor hear sums of messages"
    if not world.state.is_cpu or world.state.dtype != torch.float32 or not fits(products):
        return "compiled gradients need a CPU, float32 states, and products that it can compute"
    return None


def unasked() -> str | None:
    """Why trainings do not use this gradient; None if the environment asks for it."""
    return None if compiled() else "compiled gradients need SWARM_NCA_PRODUCTS=compiled"


class _CompiledBptt(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        state: Tensor,
        world: World,
        draws: StepDraws,
        fired: list[Tensor],
        noise: float,
        scratch: bptt.Scratch,
        products: torch.dtype,
        *weights: Tensor,
    ) -> Tensor:
        used = [weight.detach().to(products) for weight in weights]
        layers = list(zip(used[::2], used[1::2], strict=True))
        mail, channels, slots = Mail(world, draws), state.shape[1], world.neighbors.shape[1]
        stimulus = world.stimulus.to(products)
        # In float32: oneDNN would compile a product in bfloat16 for every number of cells.
        perception, bias, *_ = (weight.detach() for weight in weights)
        prepared = torch.addmm(bias, world.stimulus, perception[: stimulus.shape[1]])
        kernel = Kernel(layers, slots, channels, prepared)
        fired = [mail.able(rows) for rows in fired]
        end, widths = sum(map(len, fired)), [len(bias) for _, bias in layers[:-1]]
        filled = end + -end % FILLED
        messages = scratch.empty("messages", filled, slots * channels, used[0])
        units = [
            scratch.empty(f"hidden {n}", filled, kernel.padded(width), used[0])
            for n, width in enumerate(widths)
        ]
        padded = torch.cat([state, state.new_zeros(1, channels)])
        longest = max(map(len, fired), default=0)
        tables, passing, start = [], [], 0
        for t, rows in enumerate(fired):
            part = slice(start, start := start + len(rows))
            bank, table = mail.collect(padded, t), mail.arriving(rows, t)
            passing.append(mail.passes(padded[:-1]))
            change = scratch.empty("change", longest, channels, state)[: len(rows)]
            kernel.answers(
                bank.to(products),
                table,
                rows,
                change,
                heard=messages[part],
                units=[each[part] for each in units],
            )
            if noise:
                change.add_(draws.normals(t, rows, channels, state.dtype), alpha=noise)
            kernel.write(padded, rows, change, replaces=False)
            tables.append(table)
        for kept in (messages, *units):
            kept[end:].zero_()  # raises the version counter too: kernels write unseen
        ctx.backward_kernel = BackwardKernel(layers, slots, channels)
        ctx.save_for_backward(stimulus, messages, *units)
        ctx.fired, ctx.tables, ctx.passing, ctx.widths = fired, tables, passing, widths
        ctx.scratch, ctx.precisions = scratch, [weight.dtype for weight in weights]
        return padded[:-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_state: Tensor) -> tuple[Tensor | None, ...]:
        stimulus, messages, *units = ctx.saved_tensors
        channels, absent, filled = grad_state.shape[1], len(grad_state), len(messages)
        acted = torch.cat(ctx.fired)
        # A row for absent neighbours, which stays 0, and rows for what cells say, if that differs
        # from their states.
        said = 0 if ctx.passing[0] is None else absent
        bank_grad = torch.cat([grad_state, grad_state.new_zeros(1 + said, channels)])
        state_grad = bank_grad[:absent]
        answers = ctx.scratch.empty("answer gradient", filled, channels, messages)
        unit_grads = [
            ctx.scratch.empty(f"gradient {n}", filled, each.shape[1], each)
            for n, each in enumerate(units)
        ]
        stop = len(acted)
        for each in (answers, *unit_grads):
            each[stop:].zero_()
        steps = zip(ctx.fired[::-1], ctx.tables[::-1], ctx.passing[::-1], strict=True)
        for rows, table, passes in steps:
            part = slice(stop := stop - len(rows), stop + len(rows))
            ctx.backward_kernel.send_back(
                state_grad.to(messages.dtype, copy=True),
                rows,
                table,
                bank_grad,
                absent,
                answers=answers[part],
                units=[each[part] for each in units],
                unit_grads=[each[part] for each in unit_grads],
            )
            if passes is not None:
                said_grad = bank_grad[absent + 1 :]
                state_grad += said_grad * passes
                said_grad.zero_()
        narrow = [each[:, :width] for each, width in zip(unit_grads, ctx.widths, strict=True)]
        grads = [*narrow, answers]
        used = [each[:, :width] for each, width in zip(units, ctx.widths, strict=True)]
        sums = [
            product(grad.t(), given).t()
            for grad, given in zip(grads, [messages, *used], strict=True)
        ]
        sensed = functional.pad(stimulus[acted], (0, 0, 0, filled - len(acted)))
        sums[0] = torch.cat([product(grads[0].t(), sensed).t(), sums[0]])
        gradients = [
            part for total, grad in zip(sums, grads, strict=True) for part in (total, grad.sum(0))
        ]
        given = (grad.to(kind) for grad, kind in zip(gradients, ctx.precisions, strict=True))
        return (state_grad, *(None,) * 6, *given)
