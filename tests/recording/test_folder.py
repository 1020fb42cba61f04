"""The run folder: its files, their bytes, and their content for common readers."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from swarm_nca.recording import Expectation, write_run
from swarm_nca.recording.folder import FILES

from .conftest import MakeRun

WRITTEN = {"scenario.yaml", "provenance.json", "report.html"}
WRITTEN |= {"metrics.csv", "pooled.csv", "events.csv"}
PICTURES = {"run.webp", "summary.png", "channels.png"}


def test_a_run_writes_all_its_files(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(expectations=[Expectation("cell_accuracy", 20, 0.9, None, 1.0)])
    write_run(tmp_path / "new" / "run", run, states=True)
    files = {path.name: path.read_bytes() for path in (tmp_path / "new" / "run").iterdir()}
    assert set(files) == WRITTEN | PICTURES | {"states.npz"} == set(FILES) - {"live.html"}
    assert files["scenario.yaml"].decode() == run.scenario
    for name in PICTURES:
        assert Image.open(io.BytesIO(files[name])).size[0] > 100
    facts = json.loads(files["provenance.json"])
    assert facts["seed"] == 3
    assert facts["rule_hash"] == run.rule_hash
    assert facts["passed"] is True
    assert {"python", "torch", "numpy"} <= set(facts["versions"])


def test_pictures_and_states_are_optional(make_run: MakeRun, tmp_path: Path) -> None:
    write_run(tmp_path, make_run(), pictures=False)
    assert {path.name for path in tmp_path.iterdir()} == WRITTEN
    write_run(tmp_path / "bare", dataclasses.replace(make_run(), frames=()), states=True)
    assert {path.name for path in (tmp_path / "bare").iterdir()} == WRITTEN


def test_the_tables_have_the_same_bytes_every_time(make_run: MakeRun, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_run(tmp_path / name, make_run(swaps=(10, 20)), pictures=False)
    for table in ("metrics.csv", "pooled.csv", "events.csv", "scenario.yaml"):
        first = (tmp_path / "one" / table).read_bytes()
        assert first == (tmp_path / "two" / table).read_bytes()
        assert b"\r" not in first
    assert (tmp_path / "one" / "metrics.csv").read_text().splitlines()[2] == (
        "1,0,0.1,0,1,1,0,1,0,0.5,0.333333333,0.1,2.5,0"
    )
    assert (tmp_path / "one" / "events.csv").read_text(encoding="utf-8").splitlines() == [
        "step,kind,what",
        "10,mutate,7 → 2",
        "20,mutate,7 → 2",
    ]


def test_the_files_hold_the_run_for_common_readers(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(expectations=[Expectation("cell_accuracy", 20, 0.9, None, 0.25)], labelled=False)
    write_run(tmp_path, run, pictures=False)
    for name in ("metrics", "pooled", "events"):
        table = pd.read_csv(tmp_path / f"{name}.csv")
        pd.testing.assert_frame_equal(table, getattr(run, name), rtol=1e-8, check_dtype=False)
    facts = json.loads((tmp_path / "provenance.json").read_text(encoding="utf-8"))
    for name in ("name", "seed", "rule", "rule_hash", "seconds"):
        assert facts[name] == getattr(run, name)
    [expectation] = facts["expectations"]
    assert expectation.items() >= dataclasses.asdict(run.expectations[0]).items()
    assert (tmp_path / "scenario.yaml").read_text(encoding="utf-8") == run.scenario


def test_provenance_is_valid_json_for_non_finite_values(make_run: MakeRun, tmp_path: Path) -> None:
    values = [float("nan"), float("inf"), float("-inf")]
    wanted = [Expectation("state_largest", 40, None, 2.0, value) for value in values]
    write_run(tmp_path, make_run(expectations=wanted), pictures=False)

    def refuse(constant: str) -> None:
        raise AssertionError(f"JSON has no {constant}")

    text = (tmp_path / "provenance.json").read_text(encoding="utf-8")
    facts = json.loads(text, parse_constant=refuse)
    results = facts["expectations"]
    assert [result["value"] for result in results] == [None, "inf", "-inf"]
    assert [result["passed"] for result in results] == [False, False, True]


def test_a_failed_write_keeps_the_earlier_files(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path, make_run(), pictures=False)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(_: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_run(tmp_path, make_run(steps=50), pictures=False)
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_an_event_without_words_has_an_empty_cell(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    events = pd.DataFrame([[20, "restart", ""]], columns=["step", "kind", "what"])
    write_run(tmp_path, dataclasses.replace(run, events=events))
    assert (tmp_path / "events.csv").read_text().splitlines()[1:] == ["20,restart,"]


def test_states_hold_every_cell_of_every_frame(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(steps=12, swaps=(5,), worlds=2, every=3)
    write_run(tmp_path, run, pictures=False, states=True)
    kept = np.load(tmp_path / "states.npz", allow_pickle=False)
    assert kept["step"].tolist() == [0, 3, 5, 5, 6, 9, 12]
    ends = np.cumsum(kept["rows"])
    for frame, end, rows in zip(run.frames, ends, kept["rows"], strict=True):
        part = slice(end - rows, end)
        assert (kept["state"][part] == frame.world.state.numpy()).all()
        assert (kept["site"][part] == frame.world.site.numpy()).all()
        assert (kept["world"][part] == frame.world.world_of.numpy()).all()


def test_a_table_without_its_columns_is_refused(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    lacking = dataclasses.replace(run, metrics=run.metrics.drop(columns="undecided"))
    with pytest.raises(ValueError, match=r"metrics.*\['undecided'\]"):
        write_run(tmp_path / "unwritten", lacking)
    assert not (tmp_path / "unwritten").exists()
