"""The body of `swarm-nca bench`: prints tables and writes the same numbers as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from swarm_nca.atomic import write_atomically
from swarm_nca.bench import (
    BATCHES,
    bench_rule,
    steps_against_dense,
    steps_of_other_worlds,
    swarm_of_a_crowd,
    swarm_of_a_digit,
    training_against_dense,
)
from swarm_nca.bits_bench import BIT_PRODUCT, exported_cells, products_in_bits
from swarm_nca.load_bench import busy_cores, growing_iteration
from swarm_nca.matmul import library
from swarm_nca.measure.limits import Limits, measured_limits
from swarm_nca.measure.tables import Columns, as_table
from swarm_nca.measure.writing import check_json, write_json
from swarm_nca.processor import processor
from swarm_nca.recording.paper import check_figures
from swarm_nca.recording.roofline import Dot, roofline
from swarm_nca.step_bench import parts_of_a_step

_STEPS: Columns = {
    "worlds": "{worlds:,.0f}",
    "cells": "{cells:,.0f}",
    "engine": "{engine_ms:,.2f} ms",
    "cells / s": "{engine_updates_per_s:,.0f}",
    "products": "{products_ms:,.2f} ms",
    "engine / products": "{engine_over_products:.2f} ×",
}
_PARTS: Columns = {
    "worlds": "{worlds:,.0f}",
    "step": "{step_ms:,.2f} ms",
    **{
        part: f"{{{part}_ms:,.2f}}"
        for part in ("draws", "gather", "products", "noise", "write", "rest")
    },
}
_DENSE: Columns = {
    "worlds": "{worlds:,.0f}",
    "engine": "{engine_ms:,.2f} ms",
    "dense": "{dense_ms:,.2f} ms",
    "dense / engine": "{dense_over_engine:.1f} ×",
    "channels last": "{dense_channels_last_ms:,.2f} ms",
    "it / engine": "{dense_channels_last_over_engine:.1f} ×",
}
_LIMITS: Columns = {
    "worlds": "{worlds:,.0f}",
    "engine": "{engine_ms:,.2f} ms",
    "least, products": "{arithmetic_limit_ms:,.2f} ms",
    "least, memory": "{memory_limit_ms:,.2f} ms",
    "of the limit": "{share_of_limit:.0%}",
    "in bfloat16": "{bfloat16_ms:,.2f} ms",
    "float32 / it": "{engine_over_bfloat16:.2f} ×",
}
_COMPILED: Columns = {
    "worlds": "{worlds:,.0f}",
    "compiled": "{compiled_ms:,.2f} ms",
    "it / products": "{compiled_over_products:.2f} ×",
    "engine / it": "{engine_over_compiled:.2f} ×",
    "dense / it": "{dense_over_compiled:.1f} ×",
    "of large products": "{compiled_share_of_products:.0%}",
}
_COMPILED_SHORT: Columns = {
    "worlds": "{worlds:,.0f}",
    "compiled, bfloat16": "{compiled_bfloat16_ms:,.2f} ms",
    "engine, float32 / it": "{engine_over_compiled_bfloat16:.2f} ×",
    "dense, float32 / it": "{dense_over_compiled_bfloat16:.1f} ×",
    "of large products": "{compiled_bfloat16_share_of_products:.0%}",
}
_OTHERS: Columns = {
    "step": "{name}",
    "engine": "{engine_ms:,.2f} ms",
    "over ordinary": "{over_ordinary:.2f} ×",
    "per link": "{over_ordinary_per_link:.2f} ×",
}
_SHORT: Columns = {
    "worlds": "{worlds:,.0f}",
    "engine": "{engine_bfloat16_ms:,.2f} ms",
    "dense, float32": "{dense_ms:,.2f} ms",
    "dense / engine": "{dense_over_engine_bfloat16:.1f} ×",
    "of large products": "{engine_bfloat16_share_of_products:.0%}",
}
_TRAINED: Columns = {
    "way": "{way}",
    "it": "{ms:,.2f} ms",
    "engine / it": "{engine_over:.2f} ×",
    "dense / it": "{dense_over:.1f} ×",
    "of large products": "{share_of_products:.0%}",
}
_WHOLE: Columns = {
    "worlds": "{worlds:,.0f}",
    "iteration": "{whole_ms:,.2f} ms",
    "arithmetic": "{engine_ms:,.2f} ms",
    "iteration / arithmetic": "{whole_over_engine:.2f} ×",
    "dense / iteration": "{dense_over_whole:.1f} ×",
}
_GROWN: Columns = {
    "way": "{way}",
    "it": "{ms:,.1f} ms",
    "engine / it": "{engine_over:.2f} ×",
    "of large products": "{share_of_products:.0%}",
}
_BUSY: Columns = {
    "what": "{name}",
    "quiet": "{quiet_ms:,.2f} ms",
    "busy": "{busy_ms:,.2f} ms",
    "busy / quiet": "{busy_over_quiet:.1f} ×",
}
_DIGIT: Columns = {
    "agents": "{agents:,.0f}",
    "engine": "{engine_ms:,.2f} ms",
    "batched": "{batched_ms:,.2f} ms",
    "agents / s": "{batched_agents_per_s:,.0f}",
    "one by one": "{agents_ms:,.1f} ms",
    "one by one / s": "{one_by_one_agents_per_s:,.0f}",
}
_CROWD: Columns = {
    "agents": "{agents:,.0f}",
    "build": "{build_s:.2f} s",
    "per agent": "{build_us_per_agent:.1f} µs",
    "engine": "{engine_ms:,.1f} ms",
    "batched": "{batched_ms:,.1f} ms",
    "batched / engine": "{batched_over_engine:.2f} ×",
    "agents / s": "{batched_agents_per_s:,.0f}",
}

_CELL: Columns = {
    "rule": "{rule}",
    "bytes": "{bytes:,.0f}",
    "-Os": "{Os:,.0f} ns",
    "-O2": "{O2:,.0f} ns",
    "-O3 -march=native": "{O3_native:,.0f} ns",
}
_PRODUCT: Columns = {
    "product": "{product}",
    "CPU time": "{ms:,.2f} ms",
    "/ float32": "{over_float32:.1f} ×",
}


def bits_command(
    json_file: Path | None = None, *, seconds: float = 4.0, console: Console | None = None
) -> dict[str, Any]:
    """Measure rules in bits, in C and as products; see `bench_command`.

    Raises:
        FileNotFoundError: there is no C compiler.
    """
    console = console or Console()
    check_json(json_file)
    machine = _machine(console)
    with console.status("timing exported C"):
        cells = exported_cells(seconds)
    console.print(as_table("One cell in exported C, 80 and 80 hidden units", _CELL, cells))
    with console.status("timing products"):
        products = products_in_bits(seconds)
    rows, inputs, outputs = BIT_PRODUCT
    title = f"A product of {rows:,} × {inputs} and {inputs} × {outputs} values of ±1"
    console.print(as_table(title, _PRODUCT, products))
    numbers = {"machine": machine, "exported_cells": cells, "products": products}
    write_json(json_file, numbers)
    return numbers


def bench_command(
    json_file: Path | None = None,
    *,
    batches: Sequence[int] = BATCHES,
    seconds: float = 4.0,
    figures: Sequence[Path] = (),
    console: Console | None = None,
) -> dict[str, Any]:
    """Measure, print the tables, write the JSON and the figures.

    Args:
        json_file: written atomically; its folder must exist.
        figures: files for the roofline of the steps, PNG or PDF by the suffix.
        batches: batch sizes in worlds, one for each row of the first table.
        seconds: measuring time for each row.
        console: standard output when None.

    Raises:
        ValueError: the folder of a file does not exist, or a figure has another suffix.
    """
    console = console or Console()
    check_json(json_file)
    check_figures(figures)
    rule = bench_rule()
    machine = _machine(console)
    with console.status("timing the processor"):
        limits = measured_limits(seconds / 2)
    console.print(_told(limits), soft_wrap=True)
    with console.status("timing one step"):
        steps = [steps_against_dense(rule, worlds, limits, seconds) for worlds in batches]
    console.print(as_table("One step of a batch of digits, and its products alone", _STEPS, steps))
    console.print(as_table("The same step beside the limits of the processor", _LIMITS, steps))
    with console.status("timing the parts of a step"):
        parts = [parts_of_a_step(rule, worlds, seconds) for worlds in batches]
    console.print(as_table("Its parts, each timed alone, in ms", _PARTS, parts))
    console.print(as_table("The same step as a dense convolution", _DENSE, steps))
    if "compiled_ms" in steps[0]:
        title = "The same step compiled for the rule (SWARM_NCA_PRODUCTS=compiled)"
        console.print(as_table(title, _COMPILED, steps))
    if "compiled_bfloat16_ms" in steps[0]:
        console.print(as_table("The same in bfloat16", _COMPILED_SHORT, steps))
    with console.status("timing other grids and links"):
        others = steps_of_other_worlds(rule, seconds=seconds)
    rows: list[dict[str, Any]] = [{"name": name, **row} for name, row in others.items()]
    console.print(as_table("One step on other grids and with other links", _OTHERS, rows))
    with console.status("timing one training iteration"):
        training = training_against_dense(rule, limits, seconds)
    console.print(as_table("Arithmetic of one training iteration", _DENSE, [training]))
    console.print(as_table("The same, engine with products in bfloat16", _SHORT, [training]))
    rows = _ways(training)
    console.print(as_table("The same arithmetic in other ways", _TRAINED, rows))
    console.print(as_table("One training iteration, pool included", _WHOLE, [training]))
    with console.status("timing a growing pattern"):
        growing = growing_iteration(limits, seconds)
    title = "Gradients of {cells:,.0f} cells of a growing pattern over {steps:.0f} steps"
    console.print(as_table(title.format(**growing), _GROWN, _ways(growing)))
    with console.status("timing beside busy processes"):
        busy = busy_cores(rule, seconds)
    rows = [{"name": name, **row} for name, row in busy.items()]
    console.print(as_table("Beside a busy process on each core", _BUSY, rows))
    with console.status("timing the agents of one digit"):
        digit = swarm_of_a_digit(rule, seconds)
    console.print(as_table("One step of one digit's agents, with data collection", _DIGIT, [digit]))
    with console.status("timing 100,000 agents"):
        crowd = swarm_of_a_crowd(rule, seconds)
    console.print(as_table("A large swarm of agents, with data collection", _CROWD, [crowd]))
    numbers = {
        "machine": machine,
        "limits": limits._asdict(),
        "steps": steps,
        "parts": parts,
        "other_worlds": others,
        "training": training,
        "growing": growing,
        "busy_cores": busy,
        "swarm_of_a_digit": digit,
        "swarm_of_a_crowd": crowd,
    }
    write_json(json_file, numbers)
    if figures:
        about = "{processor}, {threads} threads, torch {torch}".format(**machine)
        paper = roofline(limits, _dots(steps), about)
        for file in figures:
            write_atomically(file, paper.file(file.suffix))
    return numbers


def _told(limits: Limits) -> str:
    flops, short, bandwidth = (f"{speed / 1e9:,.0f}" for speed in limits)
    return (
        f"limits: {flops} GFLOP/s in float32 products, {short} in bfloat16, {bandwidth} GB/s of "
        "memory traffic"
    )


def _ways(times: Mapping[str, float]) -> list[dict[str, Any]]:
    """A row for each way in which gradients were timed; missing ratios are 1."""
    ways = {
        "products of torch": "engine",
        "recorded by autograd": "autograd",
        "compiled": "compiled",
        "compiled, bfloat16": "compiled_bfloat16",
    }
    return [
        {
            "way": name,
            "ms": times[f"{way}_ms"],
            "engine_over": times.get(f"engine_over_{way}", 1.0),
            "dense_over": times.get(f"dense_over_{way}", 1.0),
            "share_of_products": times[f"{way}_share_of_products"],
        }
        for name, way in ways.items()
        if f"{way}_ms" in times
    ]


def _dots(steps: Sequence[dict[str, float]]) -> list[Dot]:
    """The steps as dots of a roofline."""
    return [
        Dot(
            f"{row['worlds']:,.0f} digit{'s' * (row['worlds'] > 1)}",
            row["intensity"],
            1e3 * row["flops"] / row["engine_ms"],
            1e3 * row["flops"] / row["bfloat16_ms"],
        )
        for row in steps
    ]


def _machine(console: Console) -> dict[str, Any]:
    """What decides the numbers; printed too."""
    machine = {
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "products": library(),
    }
    line = "{processor}, {threads} threads, float32, torch {torch}, products {products}"
    console.print(line.format(**machine))
    return machine
