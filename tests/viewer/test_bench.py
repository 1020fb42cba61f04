"""The viewer's bench runs and writes the numbers that it prints; no speed is tested."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from rich.console import Console

from .bench import Extent, viewer_bench

SMALL = Extent(
    scenes=((28, False, 120.0), (56, True, 60.0)),
    seconds=0.0,
    warm=2,
    side=28,
    segments=3,
    steps=40,
    frames=20,
)


def test_the_tables_and_the_file_hold_the_same_numbers(rule_file: Path, tmp_path: Path) -> None:
    console, file = Console(record=True, width=120), tmp_path / "bench.json"
    threads = torch.get_num_threads()
    numbers = viewer_bench(str(rule_file), file, SMALL, console)
    assert torch.get_num_threads() == threads
    assert json.loads(file.read_text()) == numbers
    small, large = numbers["frames"]
    assert small["cells"] < large["cells"]
    assert [small["inspected"], large["inspected"]] == [False, True]
    assert numbers["stroke"]["cells"] == numbers["rewind"]["cells"] == 28 * 28
    # A keyframe every 16 steps, and the first.
    assert numbers["rewind"]["mb"] == pytest.approx(3 * 28 * 28 * 4 * (19 + 1) / 1e6, rel=0.4)
    assert all(row["undisturbed"] > 0 and row["per_second"] > 0 for row in numbers["frames"])
    printed = console.export_text()
    for words in ("28 × 28", "≥ 120", "≥ 60", "≤ 5 ms", "≤ 200 MB"):
        assert words in printed


def test_a_missing_folder_is_refused_before_measuring(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nowhere does not exist"):
        viewer_bench(json_file=tmp_path / "nowhere" / "bench.json")
