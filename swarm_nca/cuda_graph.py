"""The unrolled rollout as a GPU likes it: all rows act in every step, masked where they don't fire.

Picking out who fires, as `unrolled` does on a CPU, would make a GPU wait for the answer in every
step. Here every step is the same few kernels over arrays of the same size, so they are recorded
once (a CUDA graph) and then replayed by one launch instead of some five hundred. The gradient
gathers where `unrolled` scatters, so that its sums have an order. Same numbers but for rounding: a
test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from swarm_nca.bptt import refuses as no_gradient
from swarm_nca.engine import check_fit
from swarm_nca.links import Links
from swarm_nca.rules import Rule
from swarm_nca.world import World

#: Batches are filled up to a multiple of so many rows: each size is recorded once.
ROWS = 2048

#: Recordings kept; each holds all that its steps heard and computed.
RECORDINGS = 8


class CudaGraph:
    """Rollouts of pictures, with gradients, of rules of one shape on one device.

    Only one of them may await its backward pass.

    Args:
        longest: steps of the longest rollout; shorter ones stand still for the rest.
        products: precision of the matrix products' factors, the state's when None; see `unrolled`.
    """

    def __init__(self, longest: int, products: torch.dtype | None = None) -> None:
        self._longest, self._products = longest, products
        self._recordings: dict[int, _Recording] = {}

    def __call__(self, world: World, rule: Rule, fires: Tensor, jolts: Tensor) -> Tensor:
        """The state [N, C] after T steps, with gradients to the weights.

        Args:
            world: pictures whose messages all arrive.
            rule: one that tells its `layers`, on the world's device.
            fires: bool [T, N], who acts in each step.
            jolts: [T, N, C], what is added to the change of those who act.

        Raises:
            ValueError: more steps than the longest, a rule that does not fit, or a world or rule
                that `refuses` names.
        """
        reason = refuses(world, rule)
        if reason is not None:
            raise ValueError(reason)
        check_fit(world, rule)
        steps, cells = fires.shape
        if steps > self._longest:
            raise ValueError(f"{steps} steps are more than the longest rollout's {self._longest}")
        # At least one row is left: nobody's, which never fires and is heard as silence.
        size = (cells // ROWS + 1) * ROWS
        recording = self._recordings.pop(size, None)
        if recording is None:
            if len(self._recordings) == RECORDINGS:
                del self._recordings[next(iter(self._recordings))]
            recording = _Recording(self._longest, size, rule, world.state, self._products)
        self._recordings[size] = recording  # the last one used stands last
        unroll: Any = _Bptt.apply
        weights = [part for layer in rule.layers() or () for part in layer]
        state: Tensor = unroll(recording, world, fires, jolts, *weights)
        return state


def refuses(world: World, rule: Rule) -> str | None:
    """Why this rollout cannot serve a world under a rule; None if it can."""
    reason = no_gradient(rule)
    if reason is not None:
        return reason
    if not world.space.pictured or world.links != Links():
        return "only pictures whose messages all arrive can be rolled out masked"
    if rule.lives(world.state, world.largest) is not None:
        return f"cells of {rule.kind!r} are born and die, which cannot be rolled out masked"
    return None


class _Bptt(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        recording: _Recording,
        world: World,
        fires: Tensor,
        jolts: Tensor,
        *weights: Tensor,
    ) -> Tensor:
        ctx.recording, ctx.number = recording, recording.begin(world, fires, jolts, weights)
        recording.go()
        return recording.state[: world.cells].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_state: Tensor) -> tuple[Tensor | None, ...]:
        recording: _Recording = ctx.recording
        if ctx.number != recording.begun:
            raise RuntimeError("another rollout began in the memory of this one; go back first")
        recording.flowing.zero_()[: len(grad_state)] = grad_state
        recording.come_back()
        return (None, None, None, None, *(grad.clone() for grad in recording.grads))


class _Recording:
    """The memory of one rollout, T steps of R rows, and the two halves of it that replay there.

    Attributes:
        state: [R, C], the state that `go` moves on by T steps.
        flowing: [R, C], the gradient of the last state, which `come_back` carries to the first one.
        grads: the gradients of the rule's filters, which `come_back` leaves.
        begun: how many rollouts began here.
    """

    begun = 0

    def __init__(
        self, steps: int, rows: int, rule: Rule, like: Tensor, products: torch.dtype | None
    ) -> None:
        def zeros(*shape: int, dtype: torch.dtype | None = None) -> Tensor:
            return like.new_zeros(shape, dtype=dtype)

        def factors(*shape: int) -> Tensor:
            return like.new_zeros(shape, dtype=products)

        layers = rule.layers() or []
        channels, slots, widths = rule.channels, rule.slots, [len(one.bias) for one in layers]
        self.state, self.flowing = zeros(rows, channels), zeros(rows, channels)
        self.grads = [zeros(*part.shape) for layer in layers for part in layer]
        self._fires, self._jolts = zeros(steps, rows, 1), zeros(steps, rows, channels)
        self._heard = zeros(rows, slots, dtype=torch.int64)
        #: The row that hears a row in a slot.
        self._listeners = zeros(rows, slots, dtype=torch.int64)
        self._stimulus = factors(rows, rule.stimulus_size)
        self._weights = [factors(*one.weight.shape) for one in layers]
        self._biases = [factors(*one.bias.shape) for one in layers]
        #: What goes into each layer, and the gradient of what comes out of it, step by step.
        self._inputs = [factors(steps, rows, slots * channels)]
        self._inputs += [factors(steps, rows, width) for width in widths[:-1]]
        self._outputs = [factors(steps, rows, width) for width in widths]
        self.go = _recorded(self._go, like.device)
        self.come_back = _recorded(self._come_back, like.device)

    def begin(self, world: World, fires: Tensor, jolts: Tensor, weights: tuple[Tensor, ...]) -> int:
        """Lay out a batch, and number it; rows that are left over hear nobody and never fire."""
        cells, slots = world.neighbors.shape
        self.state.zero_()[:cells] = world.state
        self._heard.fill_(cells)[:cells] = world.neighbors
        # On a grid whoever is heard in a slot is heard there by one cell, or, if nobody's, by none.
        everyone = torch.arange(cells, device=fires.device)[:, None].expand(-1, slots)
        self._listeners.fill_(cells)
        self._listeners[world.neighbors, torch.arange(slots, device=fires.device)] = everyone
        self._listeners[cells] = cells
        self._stimulus.zero_()[:cells] = world.stimulus
        self._fires.zero_()[: len(fires), :cells, 0] = fires
        self._jolts[: len(jolts), :cells] = jolts
        mine = [part for pair in zip(self._weights, self._biases, strict=True) for part in pair]
        for one, weight in zip(mine, weights, strict=True):
            one.copy_(weight)
        self.begun += 1
        return self.begun

    def _go(self) -> None:
        senses, channels = self._stimulus.shape[1], self.state.shape[1]
        first, *others = self._weights
        first_bias, *biases = self._biases
        prepared = torch.addmm(first_bias, self._stimulus, first[:senses])
        table, hearing = self._heard.view(-1), first[senses:]
        for t in range(len(self._fires)):
            messages, *hidden = (part[t] for part in self._inputs)
            told = self.state.to(messages.dtype)
            torch.index_select(told, 0, table, out=messages.view(-1, channels))
            weights, plus = [hearing, *others], [prepared, *biases]
            flowing = messages
            for units, weight, bias in zip(hidden, weights, plus, strict=False):
                flowing = torch.addmm(bias, flowing, weight, out=units).relu_()
            change = torch.addmm(plus[-1], flowing, weights[-1]) + self._jolts[t]
            self.state.addcmul_(change, self._fires[t])

    def _come_back(self) -> None:
        senses, channels, slots = self._stimulus.shape[1], self.state.shape[1], self._heard.shape[1]
        units = self._weights[0].shape[1]
        hearing = self._weights[0][senses:].view(slots, channels, units)
        answering = hearing.transpose(1, 2).reshape(slots * units, channels)
        listeners = self._listeners.view(-1)
        relu_backward = torch.ops.aten.threshold_backward.grad_input
        for t in range(len(self._fires) - 1, -1, -1):
            torch.mul(self.flowing, self._fires[t], out=self._outputs[-1][t])
            for n in range(len(self._weights) - 1, 0, -1):
                below = self._outputs[n - 1][t]
                torch.mm(self._outputs[n][t], self._weights[n].t(), out=below)
                relu_backward(below, self._inputs[n][t], 0, grad_input=below)
            if t:
                heard = self._outputs[0][t].index_select(0, listeners).view(-1, slots * units)
                self.flowing.add_(torch.mm(heard, answering))
        sensed = self._outputs[0].sum(0)
        heard_sum = _product(self._inputs[0], self._outputs[0])
        found = [torch.cat([self._stimulus.t() @ sensed, heard_sum]), sensed.sum(0)]
        for given, grad in zip(self._inputs[1:], self._outputs[1:], strict=True):
            found += [_product(given, grad), grad.sum((0, 1))]
        for grad, new in zip(self.grads, found, strict=True):
            grad.copy_(new)


def _product(inputs: Tensor, outputs: Tensor) -> Tensor:
    """[in, out], inputs [T, R, in] times outputs [T, R, out], summed over steps and rows."""
    return inputs.flatten(0, 1).t() @ outputs.flatten(0, 1)


def _recorded(work: Callable[[], None], device: torch.device) -> Callable[[], None]:
    """The same work, from a recording where the device can make one."""
    if device.type != "cuda":
        return work
    aside = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    aside.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(aside):
        work()  # once unrecorded: libraries set themselves up
    torch.cuda.current_stream(device).wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph.replay
