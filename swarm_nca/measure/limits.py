"""What a processor can do at most: matrix products and memory traffic per second (a roofline).

A step cannot be faster than its arithmetic at the speed of large products, nor than its memory
traffic at the speed of a copy (Williams, Waterman and Patterson 2009). Arithmetic is that of the
matrix products. Traffic is what has to move at least, if the neighbours' states stay in the cache:
all states once in and once out; of firing cells also the index table, the prepared stimulus and the
noise. Compiled steps read the stimulus itself, which is smaller. Every slot is read, and there is
noise.
"""

from __future__ import annotations

from typing import NamedTuple

import torch

from swarm_nca.matmul import product
from swarm_nca.measure.stopwatch import interleaved
from swarm_nca.rules import Rule
from swarm_nca.world import World

#: Sides of the products, and bytes of the copied array, more than a cache holds. Processors without
#: bfloat16 units take seconds for a large product in it.
_SIDE, _SIDE_IF_SLOW, _COPIED = 1024, 256, 1 << 26


class Limits(NamedTuple):
    """Speeds of a processor.

    Fields:
        flops, flops_bfloat16: floating-point operations a second in large products; in bfloat16 in
            small ones where it has no units.
        bandwidth: bytes a second in a copy, read and written.
    """

    flops: float
    flops_bfloat16: float
    bandwidth: float

    def share(self, flops: float, ms: float, precision: str = "float32") -> float:
        """The share of the speed of large products that `flops` operations in `ms` reach."""
        most = self.flops_bfloat16 if precision == "bfloat16" else self.flops
        return 1e3 * flops / most / ms


class Work(NamedTuple):
    """What one step has to do.

    Fields:
        flops: floating-point operations of its products.
        traffic: bytes that move between memory and caches.
    """

    flops: float
    traffic: float

    @property
    def intensity(self) -> float:
        """Operations for each byte."""
        return self.flops / self.traffic


def measured_limits(seconds: float = 1.0, copied: int = _COPIED) -> Limits:
    """Measure a processor, with the present number of threads.

    Args:
        seconds: measuring time.
        copied: bytes of the copied array.
    """
    generator = torch.Generator().manual_seed(0)
    single = torch.randn(_SIDE, _SIDE, generator=generator)
    few = single[:_SIDE_IF_SLOW, :_SIDE_IF_SLOW].contiguous()
    source = torch.zeros(copied // 4)
    target = torch.empty_like(source)
    with torch.inference_mode():
        short = few.bfloat16()
        tried = interleaved(
            {"single": lambda: torch.mm(few, few), "short": lambda: torch.mm(short, short)},
            seconds=0.0,
        )
        if tried.least("short") < 2 * tried.least("single"):
            short = single.bfloat16()
        times = interleaved(
            {
                "float32": lambda: product(single, single),
                "bfloat16": lambda: torch.mm(short, short),
                "copy": lambda: target.copy_(source),
            },
            seconds=seconds,
        )
    return Limits(
        2 * _SIDE**3 / times.least("float32"),
        2 * len(short) ** 3 / times.least("bfloat16"),
        2 * 4 * len(source) / times.least("copy"),
    )


def work_of(rule: Rule, world: World, firing: int) -> Work:
    """The work of a step in which `firing` cells fire, for a rule with layers.

    Products of the stimulus are not counted: torch computes them before the first step, and
    compiled steps, which do so in each step, have a few more operations.

    Raises:
        ValueError: a rule without layers.
    """
    filtered = rule.filtered()
    layers = rule.layers() if filtered is None else filtered.layers
    if not layers:
        raise ValueError(f"{type(rule).__name__} has no layers, so its arithmetic is unknown")
    weights = sum(layer.weight.numel() for layer in layers)
    sensed = rule.stimulus_size * layers[0].weight.shape[1]  # computed before the first step
    size, slots = world.state.element_size(), world.neighbors.shape[1]
    for_each = 2 * rule.channels * size
    firing_too = 8 * slots + (layers[0].weight.shape[1] + rule.channels) * size
    return Work(2 * (weights - sensed) * firing, for_each * world.cells + firing_too * firing)


def gradient_flops(rule: Rule, world: World, steps: int) -> float:
    """Operations of the products of a rollout and its gradients, as many cells firing as expected.

    Each product of a step has three: forward, gradient of its inputs, gradient of its weights.
    Those of the stimulus are not counted.
    """
    return 3 * steps * work_of(rule, world, round(rule.fire_rate * world.cells)).flops
