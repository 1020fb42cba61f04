"""Gradients of a growing pattern, and steps and gradients on a busy machine; see `bench`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import torch
from torch import Tensor

from swarm_nca import bench
from swarm_nca.bench import OTHERS_BATCH, Row, bench_worlds, learner_of
from swarm_nca.bptt import Scratch, bptt
from swarm_nca.compiler import found_compiler
from swarm_nca.engine import Stepper, draws_of, recorded, rollout
from swarm_nca.measure.limits import Limits, gradient_flops
from swarm_nca.measure.stopwatch import interleaved
from swarm_nca.processes import cores
from swarm_nca.rules import Rule, load_rule
from swarm_nca.world import World

#: Worlds, side and steps of a growing iteration, and the steps that the pattern grew before.
GROWING, GROWN = (4, 72, 80), 96


def growing_iteration(limits: Limits, seconds: float = 4.0) -> Row:
    """Time the gradients of a grown pattern, cells that are born and die.

    By the hand-written gradient with products of torch, compiled where a C compiler is found, and
    recorded by autograd.

    Args:
        limits: of this processor; the row tells the share of the speed of large products that
            each way reaches.
    """
    worlds, side, steps = GROWING
    rule = load_rule("growing-regenerate").requires_grad_(True)
    sprouts = torch.zeros(worlds, side, side)
    sprouts[:, side // 2, side // 2] = 1.0
    with torch.no_grad():
        world = rollout(World.from_images(sprouts, rule), rule, GROWN, seed=0)
    rates = rule.fire_rate, rule.noise

    def by_autograd() -> None:
        _back(recorded(world, rule, steps, draws_of(world, 0), *rates).state)

    tasks = {"engine": _gradients_of(world, rule, False, steps), "autograd": by_autograd}
    if found_compiler():
        tasks["compiled"] = _gradients_of(world, rule, True, steps)
    times = interleaved(tasks, seconds=seconds)
    others = [name for name in tasks if name != "engine"]
    flops = gradient_flops(rule, world, steps)
    return {
        "worlds": worlds,
        "cells": world.cells,
        "steps": steps,
        **{f"{name}_ms": 1e3 * times.seconds(name) for name in tasks},
        **{f"engine_over_{name}": times.ratio("engine", name) for name in others},
        **{
            f"{name}_share_of_products": limits.share(flops, 1e3 * times.seconds(name))
            for name in tasks
        },
    }


def busy_cores(rule: Rule, seconds: float = 4.0) -> dict[str, Row]:
    """Time a step and a training's gradients while another process runs on each core.

    Returns:
        For each way: the quiet time, the time beside the processes, and their ratio.
    """
    world, digits = bench_worlds(rule, OTHERS_BATCH), bench_worlds(rule, bench.TRAINING_BATCH)
    tasks: dict[str, Callable[[], object]] = {}
    for name, compile_kernel in {"torch": False, "compiled": True}.items():
        if compile_kernel and not found_compiler():
            continue
        tasks[f"step, {name}"] = Stepper(world, rule, compile_kernel=compile_kernel).step
        tasks[f"gradients, {name}"] = _gradients_of(digits, learner_of(rule), compile_kernel)
    quiet = interleaved(tasks, seconds=seconds / 2)
    spin, others = [sys.executable, "-c", "while True: pass"], list[subprocess.Popen[bytes]]()
    try:
        others += (subprocess.Popen(spin) for _ in range(cores()))
        busy = interleaved(tasks, seconds=seconds)
    finally:
        for other in others:
            other.kill()
            other.wait()
    return {
        name: {
            "quiet_ms": 1e3 * quiet.seconds(name),
            "busy_ms": 1e3 * busy.seconds(name),
            "busy_over_quiet": busy.seconds(name) / quiet.seconds(name),
        }
        for name in tasks
    }


def _gradients_of(
    world: World, rule: Rule, compile_kernel: bool, steps: int | None = None
) -> Callable[[], None]:
    """A function that computes gradients of a rollout, `TRAINING_STEPS` steps when None."""
    scratch, rates = Scratch(), (rule.fire_rate, rule.noise)
    count = steps or bench.TRAINING_STEPS

    def compute() -> None:
        # New draws, because they keep what they have drawn.
        setting = count, draws_of(world, 0), *rates, scratch, torch.float32
        _back(bptt(world, rule, *setting, compile_kernel=compile_kernel))

    return compute


def _back(state: Tensor) -> None:
    """Compute the gradients of the mean square of the last states."""
    torch.autograd.backward(state.square().mean())
