"""The functions of kernel.c for the layers of a rule, and the addresses that they take.

[kernel.c](kernel.c) is compiled with the C compiler of this machine, once for each shape of a rule
and process.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import c_float, c_int, c_int64, c_void_p
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from swarm_nca.compiler import shared_library

_SOURCE = Path(__file__).with_name("kernel.c")

_FLAGS = "-std=gnu99", "-O3", "-march=native"


@cache
def library(
    heard: tuple[int, int, int],
    outputs: tuple[int, ...],
    kind: str,
    sent: tuple[int, int, int],
    short: bool,
    sensed: int = 0,
) -> ctypes.CDLL:
    """The functions for layers with these outputs, in bfloat16 if `short`.

    Args:
        heard: slots, sums and channels of what cells hear.
        sent: the same of an answer that is sent back.
        sensed: numbers of a stimulus.
    """
    kinds = [*(kind for _ in outputs[1:]), "ANSWER"]
    calls = [f"FIRST({outputs[0]}, {kinds[0]})"]
    for i in range(1, len(outputs)):
        calls.append(f"NEXT({i}, {outputs[i - 1]}, {outputs[i]}, {kinds[i]})")
    sizes = "SLOTS", "SUMS", "CHANNELS"
    constants = {
        **dict(zip(sizes, heard, strict=True)),
        **{f"SINK_{name}": size for name, size in zip(sizes, sent, strict=True)},
        "SENSED": sensed,
        "HIDDEN": len(outputs) - 1,
        "WIDEST": max(outputs),
        "LAYERS": " ".join(calls),
    }
    defined = [f"-D{name}={value}" for name, value in constants.items()]
    made = shared_library(_SOURCE, *_FLAGS, *defined, *["-DBFLOAT16"][: int(short)])
    made.padded.argtypes, made.padded.restype = [c_int64], c_int64
    made.answers.restype = made.write_rows.restype = None
    made.answers.argtypes = [
        *(c_void_p, c_void_p, c_int, c_void_p, c_void_p, c_void_p, c_int64),
        *(c_void_p, c_void_p, c_float),
        *(c_void_p,) * 9,
        c_int64,
    ]
    made.write_rows.argtypes = [c_void_p, c_void_p, c_int64, c_void_p, c_int]
    made.roll_out.restype = made.roll_back.restype = None
    made.roll_out.argtypes = [
        *(c_int64, c_void_p, c_void_p, c_int, c_void_p, c_int),
        *(c_void_p,) * 6,
        c_float,
        *(c_void_p,) * 5,
    ]
    made.roll_back.argtypes = [
        *(c_int64, c_void_p, c_int, c_void_p, c_int),
        *(c_void_p,) * 10,
        *(c_int64, c_void_p, c_int64, c_void_p, c_void_p, c_void_p, c_int64),
    ]
    made.filled.argtypes, made.room_for.argtypes = [c_int64], [c_int64, c_int64]
    made.filled.restype = made.room_for.restype = c_int64
    return made


def fits(dtype: torch.dtype) -> bool:
    """Whether a kernel can multiply numbers of this precision on this machine.

    Raises:
        FileNotFoundError: there is no C compiler.
        OSError: the compiler fails, or its output cannot be loaded.
    """
    if dtype != torch.bfloat16:
        return dtype == torch.float32
    return bool(library((1, 0, 1), (1,), "RECTIFIED", (1, 0, 1), False).bfloat16_units())


def at(part: Tensor | None) -> int | None:
    """The address of a tensor's numbers."""
    return None if part is None else part.data_ptr()


def pointers(parts: Sequence[Tensor | None]) -> Any:
    """The addresses of several tensors' numbers, as an array."""
    return (c_void_p * max(1, len(parts)))(*map(at, parts))


def places(arrays: Sequence[Tensor], begins: Sequence[int]) -> Any:
    """The addresses, step by step, of the rows of each array at which the steps begin."""
    apart = [(each.data_ptr(), each.stride(0) * each.element_size()) for each in arrays]
    found = [base + begin * size for begin in begins[:-1] for base, size in apart]
    return (c_void_p * max(1, len(found)))(*found)
