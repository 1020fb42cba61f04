"""The body of `swarm-nca bench`: tables on the screen, and the same numbers as JSON."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from swarm_nca.bench import (
    BATCHES,
    bench_rule,
    steps_against_dense,
    swarm_of_a_crowd,
    swarm_of_a_digit,
    training_against_dense,
)
from swarm_nca.measure.tables import Columns, as_table
from swarm_nca.measure.writing import check_json, write_json

_STEPS: Columns = {
    "worlds": "{worlds:,.0f}",
    "cells": "{cells:,.0f}",
    "engine": "{engine_ms:,.2f} ms",
    "cells / s": "{engine_updates_per_s:,.0f}",
    "its products": "{products_ms:,.2f} ms",
    "engine is": "{engine_over_products:.2f} ×",
}
_DENSE: Columns = {
    "worlds": "{worlds:,.0f}",
    "engine": "{engine_ms:,.2f} ms",
    "dense": "{dense_ms:,.2f} ms",
    "dense is": "{dense_over_engine:.1f} ×",
    "channels last": "{dense_channels_last_ms:,.2f} ms",
    "that is": "{dense_channels_last_over_engine:.1f} ×",
}
_SHORT: Columns = {
    "worlds": "{worlds:,.0f}",
    "engine": "{engine_bfloat16_ms:,.2f} ms",
    "dense, float32": "{dense_ms:,.2f} ms",
    "dense is": "{dense_over_engine_bfloat16:.1f} ×",
}
_WHOLE: Columns = {
    "worlds": "{worlds:,.0f}",
    "all of it": "{whole_ms:,.2f} ms",
    "its arithmetic": "{engine_ms:,.2f} ms",
    "all is": "{whole_over_engine:.2f} ×",
    "dense arithmetic is": "{dense_over_whole:.1f} × all",
}
_DIGIT: Columns = {
    "agents": "{agents:,.0f}",
    "engine": "{engine_ms:,.2f} ms",
    "batched": "{batched_ms:,.2f} ms",
    "agents / s": "{batched_agents_per_s:,.0f}",
    "one by one": "{agents_ms:,.1f} ms",
    "these / s": "{one_by_one_agents_per_s:,.0f}",
}
_CROWD: Columns = {
    "agents": "{agents:,.0f}",
    "built in": "{build_s:.2f} s",
    "each": "{build_us_per_agent:.1f} µs",
    "engine": "{engine_ms:,.1f} ms",
    "batched": "{batched_ms:,.1f} ms",
    "batched is": "{batched_over_engine:.2f} ×",
    "agents / s": "{batched_agents_per_s:,.0f}",
}


def bench_command(
    json_file: Path | None = None,
    *,
    batches: Sequence[int] = BATCHES,
    seconds: float = 4.0,
    console: Console | None = None,
) -> dict[str, Any]:
    """Measure, print the tables, write the JSON.

    Args:
        json_file: where to write the numbers, atomically; its folder must exist.
        batches: worlds in a batch, one row of the first table each.
        seconds: for each row.
        console: where to print; standard output when None.

    Raises:
        ValueError: a folder that does not exist.
    """
    console = console or Console()
    check_json(json_file)
    rule = bench_rule()
    machine = {
        "processor": platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    console.print("{processor}, {threads} threads, torch {torch}".format(**machine))
    with console.status("a step, beside the dense convolution"):
        steps = [steps_against_dense(rule, worlds, seconds) for worlds in batches]
    console.print(as_table("A step of a batch of digits, and its matrix products", _STEPS, steps))
    console.print(as_table("The same step as a dense convolution", _DENSE, steps))
    with console.status("a training iteration"):
        training = training_against_dense(rule, seconds)
    console.print(as_table("The arithmetic of one training iteration", _DENSE, [training]))
    console.print(as_table("The same with products in bfloat16", _SHORT, [training]))
    console.print(as_table("One training iteration, pool and all", _WHOLE, [training]))
    with console.status("a digit of agents"):
        digit = swarm_of_a_digit(rule, seconds)
    console.print(as_table("A step of one digit's agents, data collected", _DIGIT, [digit]))
    with console.status("a crowd of agents"):
        crowd = swarm_of_a_crowd(rule, seconds)
    console.print(as_table("A crowd of agents, data collected", _CROWD, [crowd]))
    numbers = {
        "machine": machine,
        "steps": steps,
        "training": training,
        "swarm_of_a_digit": digit,
        "swarm_of_a_crowd": crowd,
    }
    write_json(json_file, numbers)
    return numbers
