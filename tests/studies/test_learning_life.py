from __future__ import annotations

from pathlib import Path

import pytest
import torch

from swarm_nca.studies.learning_life import Result, Study, flip_signs
from swarm_nca.studies.life_figure import learning_figure
from swarm_nca.studies.life_networks import Architecture, initial_weights
from swarm_nca.studies.life_table import as_csv, row
from swarm_nca.studies.life_training import Outcome, Protocol

QUICK = Protocol(examples=3_000, rate=0.02, round=50, eval_set=64)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*.json")}


def run(folder: Path, tell=None) -> list[Result]:
    study = Study(folder, QUICK, tell)
    cells = [study.cell(1, width, 3) for width in (1, 6)]
    return [*cells, *(one for k in (0, 2) if (one := study.flips(cells[1], k)) is not None)]


class Stopped(Exception):
    """Raised by a test."""


def test_a_stopped_study_resumes_and_gives_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr("swarm_nca.studies.learning_life.FLIPPED", 4)
    whole = run(tmp_path / "whole")
    assert [one.flips for one in whole] == [None, None, 0, 2]
    assert [one.protocol.examples for one in whole] == [3_000, 3_000, 750, 750]
    names: list[str] = []

    def stop(name: str, examples: int, learned: int, left: int) -> None:
        names.append(name)
        if name == "n1-m6":
            raise Stopped

    with pytest.raises(Stopped):
        run(tmp_path / "stopped", stop)
    assert list(contents(tmp_path / "stopped")) == ["cells/n1-m1.json"]
    names.clear()
    again = run(tmp_path / "stopped", lambda name, *_: names.append(name))
    assert "n1-m1" not in names
    assert again == whole
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")
    assert Study(tmp_path / "whole", QUICK).kept() == whole


@pytest.mark.parametrize("other", ["protocol", "seeds"])
def test_a_cell_of_another_protocol_or_size_is_refused(tmp_path, other: str) -> None:
    quick = Protocol(examples=8, round=1)
    Study(tmp_path, quick).cell(1, 1, 2)
    asked = Protocol(examples=16, round=1) if other == "protocol" else quick
    message = r"examples 8 \(not 16\)" if other == "protocol" else r"networks 2 \(not 3\)"
    with pytest.raises(ValueError, match=message + ".*choose another --out"):
        Study(tmp_path, asked).cell(1, 1, 2 if other == "protocol" else 3)


def test_a_damaged_cell_is_refused(tmp_path) -> None:
    study = Study(tmp_path, Protocol(examples=8, round=1))
    study.cell(1, 1, 2)
    (file,) = (tmp_path / "cells").iterdir()
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(ValueError, match="delete the file to train the cell again"):
        study.cell(1, 1, 2)


@pytest.mark.parametrize("count", [0, 1, 6])
def test_flips_change_the_signs_of_count_kernel_weights_only(count: int) -> None:
    architecture = Architecture(1, 1)
    before = initial_weights(architecture, 0, range(50))
    before[:, [18, 19, 22, 24]] = 0.5  # biases, which start at 0
    after = before.clone()
    flip_signs(architecture, after, count, seed=3)
    changed = after != before
    assert torch.equal(after[changed], -before[changed])
    assert changed.sum(dim=1).tolist() == [count] * 50
    assert not changed[:, [18, 19, 22, 24]].any()
    if count == 1:
        assert int(changed.any(dim=0).sum()) > 15  # of 21


def test_more_flips_than_kernel_weights_are_refused() -> None:
    architecture = Architecture(1, 1)
    with pytest.raises(ValueError, match="flips must be 0 to 21, the kernel weights, got 22"):
        flip_signs(architecture, torch.zeros(1, 25), 22, seed=0)


def test_only_networks_that_learned_are_flipped(tmp_path) -> None:
    study, none = Study(tmp_path, QUICK), (Outcome(None, True), Outcome(None, False))
    assert study.flips(Result(1, 1, None, QUICK, none), 1) is None
    assert not contents(tmp_path)


def test_a_row_has_counts_and_wilsons_interval() -> None:
    outcomes = (Outcome(4_000, False), Outcome(None, True), Outcome(9_000, False))
    result = Result(1, 2, None, QUICK, outcomes + (Outcome(None, False),) * 7)
    # Wilson's interval of 2 of 10, from the literature: 5.67 % to 50.98 %.
    assert row(result) == {
        "n": 1,
        "m": 2,
        "weights": 53,
        "seeds": 10,
        "learned": 2,
        "share": 0.2,
        "low": 0.0567,
        "high": 0.5098,
        "median_examples": 6_500,
        "dead": 1,
        "limit": 3_000,
    }
    assert as_csv([row(result), row(Result(1, 2, None, QUICK, outcomes[1:2]))]).splitlines() == [
        "n,m,weights,seeds,learned,share,low,high,median_examples,dead,limit",
        "1,2,53,10,2,0.2,0.0567,0.5098,6500,1,3000",
        "1,2,53,1,0,0.0,0.0,0.7935,,1,3000",
    ]


@pytest.mark.parametrize("flips", [False, True])
def test_the_figure_is_a_png_and_has_a_panel_for_flips(flips: bool) -> None:
    outcomes = (Outcome(8, False), Outcome(None, False))
    cells = [Result(n, m, None, QUICK, outcomes) for n in (1, 2) for m in (1, 3)]
    turned = [Result(1, 1, k, QUICK, outcomes) for k in range(3)] if flips else []
    paper = learning_figure(cells, turned)
    assert paper.png().startswith(b"\x89PNG")
    assert paper.width > (1_200 if flips else 0)
