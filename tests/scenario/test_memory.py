"""A run's memory does not grow with its steps."""

import filecmp
import gc
import tracemalloc

import pandas as pd
import pytest

from swarm_nca.recording import table
from swarm_nca.scenario import run

QUIET = """\
name: quiet
rule: busy.safetensors
images: {dataset: strokes, label: 1}
"""


@pytest.mark.parametrize("engine", ["batched", "agents"])
def test_memory_does_not_grow_with_steps(write, engine):
    begin, end = (60, 240) if engine == "batched" else (20, 60)
    held = {}

    def watch(done: int, steps: int) -> None:
        if done in (begin, end):
            gc.collect()
            held[done] = tracemalloc.get_traced_memory()[0]

    scenario = write(f"{QUIET}steps: {end}\nengine: {engine}\nrecord: {{every: {end}}}\n")
    tracemalloc.start()
    try:
        run(scenario, progress=watch)
    finally:
        tracemalloc.stop()
    # 23 numbers per step, and the unused part of a growing buffer.
    assert (held[end] - held[begin]) / (end - begin) < 1000


def test_metrics_in_memory_and_in_a_temporary_file_give_equal_files(write, tmp_path, monkeypatch):
    scenario = write(
        f"{QUIET}steps: 40\nrecord: {{picture: false}}\n".replace("label: 1", "count: 3")
    )
    kept = run(scenario, tmp_path / "memory")
    monkeypatch.setattr(table, "IN_MEMORY", 100)
    monkeypatch.setattr(table, "PART", 7)
    spilt = run(scenario, tmp_path / "file")
    names = ["metrics.csv", "pooled.csv", "events.csv"]
    same, _, _ = filecmp.cmpfiles(tmp_path / "memory", tmp_path / "file", names, shallow=False)
    assert same == names
    pd.testing.assert_frame_equal(kept.metrics, spilt.metrics)
    pd.testing.assert_frame_equal(kept.pooled, spilt.pooled)
    written = (tmp_path / "file" / "metrics.csv").read_bytes()
    whole = spilt.metrics.to_csv(index=False, float_format="%.9g", lineterminator="\n")
    assert written == whole.encode()
