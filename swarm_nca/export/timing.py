"""Time and size of the exported C, compiled with the C compiler of this machine."""

from __future__ import annotations

import ctypes
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import torch

from swarm_nca.compiler import compiler, run, shared_library
from swarm_nca.export import c
from swarm_nca.measure.stopwatch import interleaved
from swarm_nca.rules import Rule

#: Flags of the compiler, by the name of a column.
FLAGS: Mapping[str, tuple[str, ...]] = {
    "Os": ("-Os",),
    "O2": ("-O2",),
    "O3_native": ("-O3", "-march=native"),
}

#: Cells of one call, each with other random inputs.
CELLS = 500

_LOOP = """
void {prefix}_many(const float *stimulus, const float *messages, float *change, long cells)
{{
    for (; cells > 0; cells--) {{
        {prefix}_change(stimulus, messages, change);
        stimulus += {stimulus};
        messages += {messages};
        change += {change};
    }}
}}
"""


def cell_times(rules: Mapping[str, Rule], seconds: float = 4.0) -> list[dict[str, float | str]]:
    """Time the change of one cell of each rule, all in turn; the shortest CPU times.

    Args:
        rules: by their names in the table.
        seconds: measuring time of each set of flags.

    Returns:
        one row a rule: `rule`, `bytes` of code and constants with -Os, and nanoseconds per cell
        under each name of `FLAGS`.

    Raises:
        FileNotFoundError: there is no C compiler.
        OSError: the compiler fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        sizes = {name: code_bytes(rule, Path(folder)) for name, rule in rules.items()}
        rows: list[dict[str, float | str]] = [
            {"rule": name, "bytes": float(size)} for name, size in sizes.items()
        ]
        for column, flags in FLAGS.items():
            tasks = {name: _task(rule, flags, Path(folder)) for name, rule in rules.items()}
            times = interleaved(tasks, seconds=seconds, clock=time.process_time)
            for row, name in zip(rows, rules, strict=True):
                row[column] = 1e9 * times.least(name) / CELLS
    return rows


def code_bytes(rule: Rule, folder: Path) -> int:
    """Bytes of code and constants of a rule, compiled with -Os into a file of `folder`.

    Raises: as `cell_times`.
    """
    target = folder / "size.o"
    run(compiler(), "-std=c99", "-Os", "-c", "-o", str(target), str(_written(rule, folder)))
    counted = run("size", str(target))
    return int(counted.splitlines()[1].split()[0])


def _task(rule: Rule, flags: tuple[str, ...], folder: Path) -> Callable[[], object]:
    """A function that computes the changes of `CELLS` cells."""
    source = _written(rule, folder)
    library = shared_library(source, "-std=c99", *flags)
    generator = torch.Generator().manual_seed(0)
    stimulus = torch.rand(CELLS, max(1, rule.stimulus_size), generator=generator)
    messages = torch.randn(CELLS, rule.slots, rule.channels, generator=generator)
    change = torch.empty(CELLS, rule.channels)
    given = [ctypes.c_void_p(tensor.data_ptr()) for tensor in (stimulus, messages, change)]
    many = partial(library.rule_many, *given, ctypes.c_long(CELLS))

    def compute(held: object = (stimulus, messages, change)) -> object:
        many()
        return held

    return compute


def _written(rule: Rule, folder: Path) -> Path:
    """The exported source, with a loop over cells."""
    loop = _LOOP.format(
        prefix="rule",
        stimulus=rule.stimulus_size,
        messages=rule.slots * rule.channels,
        change=rule.channels,
    )
    (folder / "rule.h").write_bytes(c.header(rule, "rule"))
    path = folder / "rule.c"
    path.write_bytes(c.source(rule, "rule") + loop.encode())
    return path
