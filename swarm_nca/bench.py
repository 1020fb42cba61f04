"""Speed of the engine, of training and of agents on this machine, compared with baselines.

The engine's step is compared with a dense convolution that computes the same (in the usual memory
layout, and channels last, which is faster on a CPU), and with the three matrix products of the
firing cells, the lower bound. Steps on other grids and with faulty links are compared with the
ordinary step, a training iteration with dense ones, a swarm of agents with the engine. Pictures are
strokes, which ship and have MNIST's alive share (17.4 against 17.6 %). The rule is untrained, since
speed does not depend on its weights. The training iteration is the published one (Randazzo et al.
2020), with pool and mutations.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import torch
from torch import Tensor

from swarm_nca.bptt import Scratch, bptt
from swarm_nca.compiler import found_compiler
from swarm_nca.engine import PRECISIONS, Stepper, draws_of, recorded
from swarm_nca.images import Pictures
from swarm_nca.images.strokes import strokes
from swarm_nca.kernels.library import fits
from swarm_nca.links import Links
from swarm_nca.matmul import product
from swarm_nca.measure.dense import Dense
from swarm_nca.measure.limits import Limits, gradient_flops, work_of
from swarm_nca.measure.stopwatch import interleaved
from swarm_nca.perturbations import Immigrants, Rewire, Set
from swarm_nca.rules import Mlp, Rule
from swarm_nca.swarm import Swarm
from swarm_nca.tasks import Classification
from swarm_nca.topologies import Grid
from swarm_nca.training.recipe import Data, Recipe
from swarm_nca.training.trainer import Trainer
from swarm_nca.world import World

#: Batch sizes in worlds, one for each row of the table of steps.
BATCHES = (1, 16, 256, 1024)

#: Batch and steps of the published training iteration.
TRAINING_BATCH, TRAINING_STEPS = 16, 20

#: Size of the published pool.
POOL = 160

#: Size of the batches of `OTHERS`.
OTHERS_BATCH = 64

#: Worlds whose step is compared with the ordinary one (perfect links among eight neighbours): the
#: neighbourhood, and a change of the world.
OTHERS: dict[str, tuple[str, Callable[[World], World]]] = {
    "six neighbours (hexagonal)": ("hexagonal", lambda world: world),
    "four neighbours": ("von_neumann", lambda world: world),
    "small world": ("moore", Rewire(share=0.1)),
    "20 % lost": ("moore", Set(links=Links(0.2))),
    "20 % lost, the last heard": ("moore", Set(links=Links(0.2, on_loss="last"))),
    "2 steps late": ("moore", Set(links=Links(delay=2))),
    "0 to 3 steps late": ("moore", Set(links=Links(delay=(0, 3)))),
    "8 bits": ("moore", Set(links=Links(bits=8))),
    "half under another rule": (
        "moore",
        lambda world: Immigrants(share=0.5, rule=bench_rule(seed=1))(world),
    ),
}

#: Side of the filled square for a swarm of 100,000 agents.
CROWD_SIDE = 317

#: Iterations of the timed recipe, more than any timing takes.
_ITERATIONS = 1_000_000

Row: TypeAlias = dict[str, float]


def bench_rule(seed: int = 0) -> Mlp:
    """The default rule with small random weights everywhere, frozen."""
    generator = torch.Generator().manual_seed(seed)
    rule = Mlp(generator=generator).requires_grad_(False)
    rule.output.normal_(std=0.01, generator=generator)
    return rule


def bench_worlds(rule: Rule, worlds: int) -> World:
    """A batch of `worlds` drawn digits."""
    pictures = strokes(worlds)
    return World.from_images(pictures.grey, rule, labels=pictures.labels.tolist())


def published_trainer(rule: Rule, pictures: Pictures) -> Trainer:
    """A trainer that changes `rule` in place by the published recipe, on `pictures`."""
    # The recipe must name a source of pictures; the trainer does not read it.
    source = Data(dataset="strokes", count=len(pictures))
    recipe = Recipe(name="bench", data=(source,), held_out=1, iterations=_ITERATIONS)
    labels = torch.from_numpy(pictures.labels_for(rule.classes.names))
    return Trainer(recipe, rule, Classification(torch.as_tensor(pictures.grey), labels))


def steps_against_dense(rule: Rule, worlds: int, limits: Limits, seconds: float = 4.0) -> Row:
    """Time one step of a batch: the engine, the dense convolutions, the products alone.

    Where a C compiler is found, also the engine with a function compiled for the rule.

    Args:
        limits: of this processor; the row tells what they allow.
    """
    world = bench_worlds(rule, worlds)
    stepper = Stepper(world, rule, compile_kernel=False)
    short = Stepper(world, rule, precision="bfloat16", compile_kernel=False)
    stepper.step()
    firing = len(stepper.fired)
    products = products_of(rule, firing)
    ways = _compiled_ways()
    compiled = {
        name: Stepper(world, rule, precision=precision, compile_kernel=True).step
        for name, precision in ways.items()
    }
    convolutions = {
        "dense": Dense(world, rule).step,
        "dense_channels_last": Dense(world, rule, channels_last=True).step,
    }
    with torch.inference_mode():
        # Timed apart from the convolutions: these evict the caches, which would slow the floor.
        floor = interleaved(
            {"engine": stepper.step, "bfloat16": short.step, "products": products, **compiled},
            seconds=seconds / 2,
        )
        times = interleaved({"engine": stepper.step, **convolutions, **compiled}, seconds=seconds)
    work, engine_ms = work_of(rule, world, firing), 1e3 * floor.seconds("engine")
    arithmetic_ms = 1e3 * work.flops / limits.flops
    memory_ms = 1e3 * work.traffic / limits.bandwidth
    return {
        "worlds": worlds,
        "cells": world.cells,
        "engine_ms": engine_ms,
        "dense_ms": 1e3 * times.seconds("dense"),
        "dense_channels_last_ms": 1e3 * times.seconds("dense_channels_last"),
        "products_ms": 1e3 * floor.seconds("products"),
        "engine_updates_per_s": world.cells / floor.seconds("engine"),
        "dense_updates_per_s": world.cells / times.seconds("dense"),
        "dense_over_engine": times.ratio("dense", "engine"),
        "dense_channels_last_over_engine": times.ratio("dense_channels_last", "engine"),
        "engine_over_products": floor.ratio("engine", "products"),
        "bfloat16_ms": 1e3 * floor.seconds("bfloat16"),
        "engine_over_bfloat16": floor.ratio("engine", "bfloat16"),
        "flops": work.flops,
        "traffic_bytes": work.traffic,
        "intensity": work.intensity,
        "arithmetic_limit_ms": arithmetic_ms,
        "memory_limit_ms": memory_ms,
        "share_of_limit": max(arithmetic_ms, memory_ms) / engine_ms,
        **{f"{name}_ms": 1e3 * floor.seconds(name) for name in compiled},
        **{f"{name}_over_products": floor.ratio(name, "products") for name in compiled},
        **{
            f"{name}_share_of_products": limits.share(work.flops, 1e3 * floor.seconds(name), kind)
            for name, kind in ways.items()
        },
        **{f"engine_over_{name}": floor.ratio("engine", name) for name in compiled},
        **{f"dense_over_{name}": times.ratio("dense", name) for name in compiled},
    }


def steps_of_other_worlds(
    rule: Rule, worlds: int = OTHERS_BATCH, seconds: float = 4.0
) -> dict[str, Row]:
    """Time one step of `OTHERS`: over the ordinary step, and over it per link between cells."""
    usual, grey = bench_worlds(rule, worlds), strokes(worlds).grey
    variants = {
        name: change(World.from_images(grey, rule, grid=Grid(grid)))
        for name, (grid, change) in OTHERS.items()
    }
    edges = {name: _links_between(world) for name, world in {"": usual, **variants}.items()}
    tasks = {name: Stepper(world, rule).step for name, world in {"": usual, **variants}.items()}
    with torch.inference_mode():
        times = interleaved(tasks, seconds=seconds)
    return {
        name: {
            "links": edges[name],
            "engine_ms": 1e3 * times.seconds(name),
            "over_ordinary": times.ratio(name, ""),
            "over_ordinary_per_link": times.ratio(name, "") * edges[""] / edges[name],
        }
        for name in variants
    }


def training_against_dense(rule: Rule, limits: Limits, seconds: float = 4.0) -> Row:
    """Time one training iteration: its arithmetic (forward, backward, Adam), and the whole.

    The arithmetic is timed on one batch: the engine in float32 and with products in bfloat16, both
    also compiled where a C compiler is found; the engine's steps recorded by autograd, and dense
    convolutions, both in float32. The whole iteration includes the pool, swapped pictures and
    normalized gradients.

    Args:
        limits: of this processor; the row tells the share of the speed of large products that
            each way of the engine reaches.
    """
    world = bench_worlds(rule, TRAINING_BATCH)
    target = torch.nn.functional.one_hot(world.label[world.world_of], len(rule.classes)).float()

    rates = rule.fire_rate, rule.noise

    def by(products: torch.dtype, compile_kernel: bool = False) -> Callable[[Rule], Tensor]:
        scratch = Scratch()

        def rolled(learner: Rule) -> Tensor:
            setting = TRAINING_STEPS, draws_of(world, seed=0), *rates, scratch, products
            return bptt(world, learner, *setting, compile_kernel=compile_kernel)

        return rolled

    def by_autograd(learner: Rule) -> Tensor:
        return recorded(world, learner, TRAINING_STEPS, draws_of(world, seed=0), *rates).state

    def by_dense(learner: Rule, channels_last: bool = False) -> Tensor:
        dense = Dense(world, learner, channels_last=channels_last)
        for _ in range(TRAINING_STEPS):
            dense.step()
        return dense.state

    rolled: dict[str, Callable[[Rule], Tensor]] = {
        "engine": by(torch.float32),
        "engine_bfloat16": by(torch.bfloat16),
        "autograd": by_autograd,
        "dense": by_dense,
        "dense_channels_last": partial(by_dense, channels_last=True),
    }
    compiled = _compiled_ways()
    rolled |= {name: by(PRECISIONS[kind], True) for name, kind in compiled.items()}
    others = "autograd", *compiled
    precisions = {
        "engine": "float32",
        "autograd": "float32",
        "engine_bfloat16": "bfloat16",
        **compiled,
    }
    flops = gradient_flops(rule, world, TRAINING_STEPS)
    tasks: dict[str, Callable[[], object]] = {
        name: _iteration(rule, roll, target, len(world)) for name, roll in rolled.items()
    }
    tasks["whole"] = published_trainer(learner_of(rule), strokes(POOL)).advance
    times = interleaved(tasks, seconds=seconds)
    return {
        "worlds": TRAINING_BATCH,
        "steps": TRAINING_STEPS,
        "engine_ms": 1e3 * times.seconds("engine"),
        "dense_ms": 1e3 * times.seconds("dense"),
        "dense_channels_last_ms": 1e3 * times.seconds("dense_channels_last"),
        "dense_over_engine": times.ratio("dense", "engine"),
        "dense_channels_last_over_engine": times.ratio("dense_channels_last", "engine"),
        "engine_bfloat16_ms": 1e3 * times.seconds("engine_bfloat16"),
        "dense_over_engine_bfloat16": times.ratio("dense", "engine_bfloat16"),
        "whole_ms": 1e3 * times.seconds("whole"),
        "whole_over_engine": times.ratio("whole", "engine"),
        "dense_over_whole": times.ratio("dense", "whole"),
        **{f"{name}_ms": 1e3 * times.seconds(name) for name in others},
        **{f"dense_over_{name}": times.ratio("dense", name) for name in others},
        **{f"engine_over_{name}": times.ratio("engine", name) for name in others},
        **{
            f"{name}_share_of_products": limits.share(flops, 1e3 * times.seconds(name), precision)
            for name, precision in precisions.items()
        },
    }


def swarm_of_a_digit(rule: Rule, seconds: float = 2.0) -> Row:
    """Time one step of one digit's agents, with data collection, and of the engine."""
    world = bench_worlds(rule, 1)
    times = interleaved(
        {
            "engine": Stepper(world, rule).step,
            "batched": Swarm(world, rule, engine="batched").step,
            "agents": Swarm(world, rule, engine="agents").step,
        },
        seconds=seconds,
    )
    return {
        "agents": world.cells,
        "engine_ms": 1e3 * times.seconds("engine"),
        "batched_ms": 1e3 * times.seconds("batched"),
        "agents_ms": 1e3 * times.seconds("agents"),
        "batched_agents_per_s": world.cells / times.seconds("batched"),
        "one_by_one_agents_per_s": world.cells / times.seconds("agents"),
    }


def swarm_of_a_crowd(rule: Rule, seconds: float = 2.0) -> Row:
    """Time the building and the step of a filled square of agents, and the engine's step."""
    world = World.from_images(torch.full((1, CROWD_SIDE, CROWD_SIDE), 0.5), rule)
    start = time.perf_counter()
    crowd = Swarm(world, rule, engine="batched")
    built = time.perf_counter() - start
    times = interleaved(
        {"engine": Stepper(world, rule).step, "batched": crowd.step}, seconds=seconds
    )
    return {
        "agents": world.cells,
        "build_s": built,
        "build_us_per_agent": 1e6 * built / world.cells,
        "engine_ms": 1e3 * times.seconds("engine"),
        "batched_ms": 1e3 * times.seconds("batched"),
        "batched_over_engine": times.ratio("batched", "engine"),
        "batched_agents_per_s": world.cells / times.seconds("batched"),
    }


def _compiled_ways() -> dict[str, str]:
    """By name, the precisions in which functions can be compiled here; none without a compiler."""
    ways = {"compiled": "float32", "compiled_bfloat16": "bfloat16"}
    if not found_compiler():
        return {}
    return {name: precision for name, precision in ways.items() if fits(PRECISIONS[precision])}


def _links_between(world: World) -> int:
    """The number of links between different cells."""
    return int((world.neighbors < world.cells).sum()) - world.cells


def products_of(rule: Rule, rows: int) -> Callable[[], None]:
    """A function that computes only the three matrix products of `rows` firing cells."""
    first, *others = (layer.weight for layer in rule.layers() or ())
    layers = [first[rule.stimulus_size :], *others]
    inputs = [torch.randn(rows, layer.shape[0]) for layer in layers]

    def multiply() -> None:
        for values, layer in zip(inputs, layers, strict=True):
            product(values, layer)

    return multiply


def _iteration(
    rule: Rule, rolled: Callable[[Rule], Tensor], target: Tensor, worlds: int
) -> Callable[[], None]:
    """A function that takes one optimizer step with the published L2 loss on the last state."""
    learner = learner_of(rule)
    optimizer = torch.optim.Adam(learner.parameters(), lr=1e-3)

    def iterate() -> None:
        optimizer.zero_grad()
        error = target - learner.logits(rolled(learner))
        torch.autograd.backward(error.square().sum() / (2 * worlds))
        optimizer.step()

    return iterate


def learner_of(rule: Rule) -> Rule:
    """A trainable copy of the rule."""
    return copy.deepcopy(rule).requires_grad_(True)
