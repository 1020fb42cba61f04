"""GPU rollout with gradients: fixed shapes, masked updates, a captured CUDA graph.

`bptt` selects the firing rows on a CPU; on a GPU this would cost a synchronisation in every step.
Here every step runs the same kernels over arrays of the same size. They are captured once in a CUDA
graph and replayed by one launch instead of about five hundred. The gradient gathers where `bptt`
scatters, so that the order of its sums is fixed. The results equal those of `bptt` except for
rounding; a test compares them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from swarm_nca.bptt import refuses as no_gradient
from swarm_nca.engine import check_fit, ordinary
from swarm_nca.rules import Layer, Rule, through
from swarm_nca.world import World

#: Batches are padded to a multiple of this number of rows; each size is recorded once.
ROWS = 2048

#: Recordings kept; each holds the messages and layer inputs of all its steps.
RECORDINGS = 8


class CudaGraph:
    """Rollouts of pictures with gradients, for rules with the same layer sizes on one device.

    Only one rollout may await its backward pass.

    Args:
        longest: steps of the longest rollout; in shorter ones no cell fires in the other steps.
        products: precision of the factors of matrix products, the state's when None; see `bptt`.
    """

    def __init__(self, longest: int, products: torch.dtype | None = None) -> None:
        self._longest, self._products = longest, products
        self._recordings: dict[int, _Recording] = {}

    def __call__(self, world: World, rule: Rule, fires: Tensor, jolts: Tensor) -> Tensor:
        """The state [N, C] after T steps, with gradients to the weights.

        Args:
            world: pictures with perfect links.
            rule: a rule with `layers`, on the world's device.
            fires: bool [T, N], the rows that fire in each step.
            jolts: [T, N, C], added to the change of the firing rows.

        Raises:
            ValueError: more steps than `longest`, a rule that does not fit, or a world or rule that
                `refuses` rejects.
        """
        reason = refuses(world, rule)
        if reason is not None:
            raise ValueError(reason)
        check_fit(world, rule)
        steps, cells = fires.shape
        if steps > self._longest:
            raise ValueError(f"{steps} steps are more than the longest rollout's {self._longest}")
        # At least one row is padding: it never fires, and absent neighbours read its zeros.
        size = (cells // ROWS + 1) * ROWS
        recording = self._recordings.pop(size, None)
        if recording is None:
            if len(self._recordings) == RECORDINGS:
                del self._recordings[next(iter(self._recordings))]
            recording = _Recording(self._longest, size, rule, world.state, self._products)
        self._recordings[size] = recording  # most recently used last
        unroll: Any = _Bptt.apply
        weights = [part for layer in rule.layers() or () for part in layer]
        state: Tensor = unroll(recording, world, fires, jolts, *weights)
        return state


def refuses(world: World, rule: Rule) -> str | None:
    """Why this rollout does not support a world under a rule; None if it does."""
    reason = no_gradient(rule)
    if reason is not None:
        return reason
    if not world.space.pictured or not ordinary(world):
        return "masked rollouts need pictures with perfect links and sound cells"
    if world.fire_rate is not None or world.noise is not None:
        return "masked rollouts need the rule's own fire rate and noise"
    if rule.lives(world.state, world.largest) is not None:
        return f"masked rollouts do not support cells that are born and die, as in {rule.kind!r}"
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
        recording.forward()
        return recording.state[: world.cells].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_state: Tensor) -> tuple[Tensor | None, ...]:
        recording: _Recording = ctx.recording
        if ctx.number != recording.begun:
            raise RuntimeError(
                "another rollout began in the memory of this one; call backward() before the next"
            )
        recording.state_grad.zero_()[: len(grad_state)] = grad_state
        recording.backward()
        return (None, None, None, None, *(grad.clone() for grad in recording.grads))


class _Recording:
    """The memory of one rollout, T steps of R rows, and its recorded forward and backward passes.

    Attributes:
        state: [R, C], the state that `forward` moves on by T steps.
        state_grad: [R, C], gradient of the last state; `backward` turns it into that of the first.
        grads: gradients of the rule's layers, written by `backward`.
        begun: number of rollouts that began in this memory.
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
        channels, slots, widths = rule.channels, rule.slots, [len(layer.bias) for layer in layers]
        self.state, self.state_grad = zeros(rows, channels), zeros(rows, channels)
        self.grads = [zeros(*part.shape) for layer in layers for part in layer]
        self._fires, self._jolts = zeros(steps, rows, 1), zeros(steps, rows, channels)
        self._heard = zeros(rows, slots, dtype=torch.int64)
        #: For each row and slot, the row that receives its message there.
        self._listeners = zeros(rows, slots, dtype=torch.int64)
        self._stimulus = factors(rows, rule.stimulus_size)
        self._weights = [factors(*layer.weight.shape) for layer in layers]
        self._biases = [factors(*layer.bias.shape) for layer in layers]
        #: Inputs of each layer, and gradients of its outputs, step by step.
        self._inputs = [factors(steps, rows, slots * channels)]
        self._inputs += [factors(steps, rows, width) for width in widths[:-1]]
        self._outputs = [factors(steps, rows, width) for width in widths]
        self.forward = _recorded(self._forward, like.device)
        self.backward = _recorded(self._backward, like.device)

    def begin(self, world: World, fires: Tensor, jolts: Tensor, weights: tuple[Tensor, ...]) -> int:
        """Copy a batch into the memory and return its number; padding rows never fire."""
        cells, slots = world.neighbors.shape
        self.state.zero_()[:cells] = world.state
        self._heard.fill_(cells)[:cells] = world.neighbors
        # On a grid at most one cell receives the message of a given cell in a given slot.
        listeners = torch.arange(cells, device=fires.device)[:, None].expand(-1, slots)
        self._listeners.fill_(cells)
        self._listeners[world.neighbors, torch.arange(slots, device=fires.device)] = listeners
        self._listeners[cells] = cells
        self._stimulus.zero_()[:cells] = world.stimulus
        self._fires.zero_()[: len(fires), :cells, 0] = fires
        self._jolts[: len(jolts), :cells] = jolts
        copies = [part for pair in zip(self._weights, self._biases, strict=True) for part in pair]
        for copy, weight in zip(copies, weights, strict=True):
            copy.copy_(weight)
        self.begun += 1
        return self.begun

    @torch.no_grad()
    def _forward(self) -> None:
        stimulus_size, channels = self._stimulus.shape[1], self.state.shape[1]
        layers = [Layer(*pair) for pair in zip(self._weights, self._biases, strict=True)]
        first, bias = layers[0]
        prepared = torch.addmm(bias, self._stimulus, first[:stimulus_size])
        table = self._heard.view(-1)
        for t in range(len(self._fires)):
            messages, *hidden = (part[t] for part in self._inputs)
            states = self.state.to(messages.dtype)
            torch.index_select(states, 0, table, out=messages.view(-1, channels))
            into = hidden[0] if hidden else None
            change = through(layers, prepared, messages, into=into, units=hidden) + self._jolts[t]
            self.state.addcmul_(change, self._fires[t])

    def _backward(self) -> None:
        stimulus_size, channels = self._stimulus.shape[1], self.state.shape[1]
        slots = self._heard.shape[1]
        units = self._weights[0].shape[1]
        message_weights = self._weights[0][stimulus_size:].view(slots, channels, units)
        message_weights_t = message_weights.transpose(1, 2).reshape(slots * units, channels)
        listeners = self._listeners.view(-1)
        relu_backward = torch.ops.aten.threshold_backward.grad_input
        for t in range(len(self._fires) - 1, -1, -1):
            torch.mul(self.state_grad, self._fires[t], out=self._outputs[-1][t])
            for n in range(len(self._weights) - 1, 0, -1):
                grad_below = self._outputs[n - 1][t]
                torch.mm(self._outputs[n][t], self._weights[n].t(), out=grad_below)
                relu_backward(grad_below, self._inputs[n][t], 0, grad_input=grad_below)
            if t:
                heard = self._outputs[0][t].index_select(0, listeners).view(-1, slots * units)
                self.state_grad.add_(torch.mm(heard, message_weights_t))
        sensed = self._outputs[0].sum(0)
        heard_sum = _product(self._inputs[0], self._outputs[0])
        gradients = [torch.cat([self._stimulus.t() @ sensed, heard_sum]), sensed.sum(0)]
        for given, grad in zip(self._inputs[1:], self._outputs[1:], strict=True):
            gradients += [_product(given, grad), grad.sum((0, 1))]
        for grad, new in zip(self.grads, gradients, strict=True):
            grad.copy_(new)


def _product(inputs: Tensor, outputs: Tensor) -> Tensor:
    """[in, out], inputs [T, R, in] times outputs [T, R, out], summed over steps and rows."""
    return inputs.flatten(0, 1).t() @ outputs.flatten(0, 1)


def _recorded(work: Callable[[], None], device: torch.device) -> Callable[[], None]:
    """The same work, replayed from a CUDA graph if the device is a GPU."""
    if device.type != "cuda":
        return work
    aside = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    aside.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(aside):
        work()  # first run outside the graph, because libraries initialise themselves in it
    torch.cuda.current_stream(device).wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph.replay
