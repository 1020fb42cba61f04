"""Fixtures: a small board of Life as the base of sweeps, and an executor in this process."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest

BASE = """\
name: board
rule: {kind: life, rule: B3/S23}
images: {soup: 0.4, size: [8, 8]}
steps: 3
record: {picture: false}
expect:
  - {metric: alive, at: 3, min: 1}
"""

SWEEP = """\
name: small
base: board.yaml
grid:
  steps: [3, 4]
  images.soup: [0.2, 0.5]
seeds: 0-1
"""


class Inline(Executor):
    """Runs every call at once, in this process; counts them."""

    def __init__(self) -> None:
        self.calls = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.calls += 1
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@pytest.fixture
def inline() -> Inline:
    return Inline()


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a sweep beside its base."""

    def written(text: str = SWEEP, base: str = BASE) -> Path:
        (tmp_path / "board.yaml").write_text(base, encoding="utf-8")
        path = tmp_path / "sweep.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return written
