"""A search with Optuna: finds the better values, resumes, keeps trials apart from runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from swarm_nca.sweeps import running, sweep
from swarm_nca.sweeps.plans import Plan
from swarm_nca.sweeps.work import Outcome
from tests.sweeps.conftest import Inline

SEARCH = """\
base: board.yaml
search:
  trials: {trials}
  minimize: alive
  images.soup: {{uniform: [0, 1]}}
  topology.torus: {{choice: [false, true]}}
seeds: 0-1
"""


def cost(plan: Plan, folder: Path, keep: bool) -> Outcome:
    """A stand-in for a run: the best share is 0.3, on a torus."""
    off = (plan.values["images.soup"] - 0.3) ** 2 + (not plan.values["topology.torus"])
    return Outcome({"alive": off + 0.001 * plan.seed})


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_draw", lambda opening, swept: None)
    monkeypatch.setattr(running, "perform", cost)


def test_a_search_comes_closer_to_the_best_values_than_its_first_trials(
    write: Callable[..., Path], tmp_path: Path, inline: Inline
) -> None:
    swept = sweep(write(SEARCH.format(trials=30)), tmp_path / "out", executor=inline, workers=1)
    best = json.loads(swept.best)
    assert best["topology.torus"] is True
    assert abs(best["images.soup"] - 0.3) < 0.1
    costs = [float(row["alive"]) for row in swept.rows]
    means = [(costs[n] + costs[n + 1]) / 2 for n in range(0, len(costs), 2)]
    assert best["alive"] == pytest.approx(min(means))
    assert sum(means[15:]) < sum(means[:15])


def test_a_search_goes_on_with_new_values_and_repeats_no_run(
    write: Callable[..., Path], tmp_path: Path, inline: Inline
) -> None:
    sweep(write(SEARCH.format(trials=3)), tmp_path / "out", executor=inline, workers=1)
    assert inline.calls == 6
    swept = sweep(write(SEARCH.format(trials=5)), tmp_path / "out", executor=inline, workers=1)
    assert (inline.calls, swept.repeated, len(swept.rows)) == (10, 6, 10)
    assert len({row["images.soup"] for row in swept.rows}) == 5


def test_a_trial_that_was_broken_off_is_tried_again_with_its_values(
    write: Callable[..., Path], tmp_path: Path, inline: Inline
) -> None:
    def stop(finished: int, failed: int, runs: int) -> None:
        if finished == 3:  # the first run of the second trial
            raise KeyboardInterrupt

    path = write(SEARCH.format(trials=3))
    with pytest.raises(KeyboardInterrupt):
        sweep(path, tmp_path / "out", executor=inline, workers=1, progress=stop)
    swept = sweep(path, tmp_path / "out", executor=inline, workers=1)
    assert (inline.calls, swept.repeated) == (6, 3)


def test_a_journal_of_another_search_is_refused(
    write: Callable[..., Path], tmp_path: Path, inline: Inline
) -> None:
    sweep(write(SEARCH.format(trials=1)), tmp_path / "out", executor=inline)
    other = SEARCH.format(trials=1).replace("minimize", "maximize")
    with pytest.raises(ValueError, match="another measure, base or seeds, or other keys"):
        sweep(write(other), tmp_path / "out", executor=inline)


def test_a_search_with_a_grid_is_refused(write: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="search cannot be combined with grid"):
        sweep(write(SEARCH.format(trials=1) + "grid: {steps: [1]}\n"), tmp_path / "out")


@pytest.mark.parametrize("other", ["base", "seeds"])
def test_a_journal_of_another_base_or_other_seeds_is_refused(
    write: Callable[..., Path], tmp_path: Path, inline: Inline, other: str
) -> None:
    text = SEARCH.format(trials=1)
    sweep(write(text), tmp_path / "out", executor=inline)
    changes = ["steps=4"] if other == "base" else []
    text = text.replace("seeds: 0-1", "seeds: 0-2") if other == "seeds" else text
    with pytest.raises(ValueError, match="another measure, base or seeds"):
        sweep(write(text), tmp_path / "out", executor=inline, overrides=changes)
