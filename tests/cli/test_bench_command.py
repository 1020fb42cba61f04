from __future__ import annotations

import json

import pytest
import torch
from rich.console import Console

from swarm_nca.bench import OTHERS, bench_rule, bench_worlds
from swarm_nca.cli.bench_command import bench_command
from swarm_nca.measure.limits import gradient_flops


def test_bench_prints_tables_and_writes_the_same_numbers(tmp_path, monkeypatch) -> None:
    sizes = {"CROWD_SIDE": 10, "TRAINING_BATCH": 2, "TRAINING_STEPS": 3}
    for size, small in sizes.items():
        monkeypatch.setattr(f"swarm_nca.bench.{size}", small)
    monkeypatch.setattr("swarm_nca.load_bench.GROWING", (1, 20, 3))
    console, file = Console(record=True, width=80), tmp_path / "bench.json"
    figures = [tmp_path / "roof.png", tmp_path / "roof.pdf"]
    numbers = bench_command(file, batches=(1, 2), seconds=0.0, figures=figures, console=console)
    assert [path.read_bytes()[:4] for path in figures] == [b"\x89PNG", b"%PDF"]
    assert json.loads(file.read_text()) == numbers
    assert numbers["machine"]["threads"] == torch.get_num_threads()
    assert [row["worlds"] for row in numbers["steps"]] == [1, 2]
    assert numbers["swarm_of_a_crowd"]["agents"] == 100
    rows = [*numbers["steps"], *(value for key, value in numbers.items() if "swarm" in key)]
    rows += [numbers["training"], numbers["growing"], *numbers["busy_cores"].values()]
    assert all(number > 0 for row in rows for number in row.values())
    others = numbers["other_worlds"]
    assert others.keys() == OTHERS.keys()
    ordinary = others["20 % lost"]["links"]
    for name, row in others.items():
        fewer = {"six neighbours (hexagonal)": 0.76, "four neighbours": 0.52}.get(name, 1.0)
        assert row["links"] / ordinary == pytest.approx(fewer, abs=0.01), name
        per_link = row["over_ordinary"] * ordinary / row["links"]
        assert row["over_ordinary_per_link"] == pytest.approx(per_link)
    for row in numbers["parts"]:
        parts = ("draws", "gather", "products", "noise", "write", "rest")
        assert row.keys() == {"worlds", "step_ms", *(f"{part}_ms" for part in parts)}
    for row in numbers["steps"]:
        updates = row["cells"] / (row["engine_ms"] / 1e3)
        assert row["engine_updates_per_s"] == pytest.approx(updates)
        least = row["flops"] / numbers["limits"]["flops"]
        assert row["arithmetic_limit_ms"] == pytest.approx(1e3 * least)
        assert row["memory_limit_ms"] == pytest.approx(
            1e3 * row["traffic_bytes"] / numbers["limits"]["bandwidth"]
        )
    for row in numbers["steps"]:
        for way in ("compiled", "compiled_bfloat16"):
            kind = "flops_bfloat16" if "bfloat16" in way else "flops"
            if f"{way}_ms" in row:
                speed = 1e3 * row["flops"] / row[f"{way}_ms"]
                share = speed / numbers["limits"][kind]
                assert row[f"{way}_share_of_products"] == pytest.approx(share)
    rule, training = bench_rule(), numbers["training"]
    digits = bench_worlds(rule, training["worlds"])
    flops = gradient_flops(rule, digits, training["steps"])
    for way, kind in {"autograd": "flops", "engine_bfloat16": "flops_bfloat16"}.items():
        share = 1e3 * flops / training[f"{way}_ms"] / numbers["limits"][kind]
        assert training[f"{way}_share_of_products"] == pytest.approx(share)
    printed = console.export_text()
    for heading in (
        "limits of the processor",
        "products",
        "dense convolution",
        "parts",
        "arithmetic",
        "pool included",
        "growing",
        "products of torch",
        "recorded by autograd",
        "busy process",
        "per link",
        "agents / s",
    ):
        assert heading in printed
    assert "…" not in printed


def test_a_figure_of_another_kind_is_refused_before_timing(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"ends in \.png or \.pdf"):
        bench_command(figures=[tmp_path / "roof.svg"], console=Console(quiet=True))


def test_a_missing_folder_is_refused_before_timing(tmp_path) -> None:
    with pytest.raises(ValueError, match="does not exist; make it first"):
        bench_command(tmp_path / "nowhere" / "b.json", console=Console(quiet=True))
