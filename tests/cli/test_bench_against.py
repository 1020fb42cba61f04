"""A bench beside an earlier one: the same rows, their ratios, and what differs between machines."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from rich.console import Console

from swarm_nca.cli.bench_against import compared, print_against, read_earlier

BEFORE = {
    "machine": {"processor": "A", "threads": 2},
    "steps": [{"worlds": 16, "engine_ms": 2.0, "engine_updates_per_s": 9.0}],
    "parts": [{"worlds": 16, "draws_ms": 0.5, "rest_ms": -0.1}],
    "other_worlds": {"small world": {"engine_ms": 8.0, "links": 5}},
    "training": {"whole_ms": 30.0, "dense_over_whole": 9.0},
    "swarm_of_a_crowd": {"agents": 100.0, "build_s": 3.0, "build_us_per_agent": 50.0},
    "exported_cells": [{"rule": "1 bit", "bytes": 4571.0, "Os": 8000.0}],
}


def test_every_time_is_compared_with_that_of_its_own_row() -> None:
    now = copy.deepcopy(BEFORE)
    now["steps"][0]["engine_ms"] = 1.0
    now["other_worlds"]["small world"]["engine_ms"] = 12.0
    now["exported_cells"][0]["Os"] = 2000.0
    now["steps"].append({"worlds": 32, "engine_ms": 1.0})
    found = {
        (row["row"], row["time"]): (row["ratio"], row["unit"]) for row in compared(BEFORE, now)
    }
    assert found == {
        ("steps 16", "engine"): (0.5, "ms"),
        ("parts 16", "draws"): (1.0, "ms"),
        ("other worlds: small world", "engine"): (1.5, "ms"),
        ("training", "whole"): (1.0, "ms"),
        ("swarm of a crowd", "build"): (1.0, "s"),
        ("swarm of a crowd", "build per agent"): (1.0, "µs"),
        ("exported cells 1 bit", "-Os"): (0.25, "ns"),
    }


def test_another_machine_is_said() -> None:
    console, now = Console(record=True, width=100), copy.deepcopy(BEFORE)
    now["machine"] |= {"threads": 1, "products": "auto"}
    print_against(console, BEFORE, now)
    printed = console.export_text()
    assert "Another threads than before: 1, it was 2" in printed
    assert "Another processor" not in printed
    assert "Another products" not in printed  # an older file does not tell them


@pytest.mark.parametrize(
    "content",
    [
        None,
        "[]",
        "{",
        '{"machine": 3}',
        '{"machine": {}, "steps": 3}',
        '{"machine": {}, "steps": [3]}',
        '{"machine": {}, "steps": [{"worlds": 1, "engine_ms": null}]}',
        "\x00",
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "speed.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ValueError, match="swarm-nca bench --json") as refused:
        read_earlier(file)
    assert ("hold times by name" in str(refused.value)) == ("steps" in (content or ""))


def test_a_written_file_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "speed.json"
    file.write_text(json.dumps(BEFORE))
    assert read_earlier(file) == BEFORE
