"""The timed C is the exported one, and its size that of the machine code."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from swarm_nca.compiler import compiler
from swarm_nca.export import timing
from swarm_nca.rules import Mlp, Quantized, Rule

compiled = pytest.mark.skipif(
    shutil.which("cc") is None or shutil.which("size") is None, reason="no C compiler"
)

SMALL: dict[str, Rule] = {
    "float32": Mlp(hidden=(12, 8), free_channels=3).requires_grad_(False),
    "1 bit": Quantized(filters="ste_sign", hidden=(12, 8), free_channels=3).requires_grad_(False),
}


@compiled
def test_every_rule_is_timed_with_all_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "CELLS", 20)
    rows = timing.cell_times(SMALL, seconds=0.0)
    assert [row["rule"] for row in rows] == list(SMALL)
    for row in rows:
        for column in timing.FLAGS:
            assert 1.0 < float(row[column]) < 1e6, column


@compiled
def test_bytes_are_those_of_constants_and_code(tmp_path: Path) -> None:
    size = timing.code_bytes(SMALL["float32"], tmp_path)
    weights = 4 * sum(weight.numel() for weight in SMALL["float32"].parameters())
    assert weights < size < weights + 4000
    assert timing.code_bytes(SMALL["1 bit"], tmp_path) < size / 2


def test_a_machine_without_a_compiler_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(FileNotFoundError, match=r"no C compiler .*: install one, such as gcc"):
        compiler()
