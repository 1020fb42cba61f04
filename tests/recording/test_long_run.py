from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from swarm_nca.measure.metrics import METRICS
from swarm_nca.recording.long_run import draw, long_run_figure


def document(steps: int = 1_000, swaps: int = 0, wrong_from: int | None = None):
    curve = []
    for step in [1, 10, *range(100, steps * (1 + swaps) + 1, 100)]:
        wrong = wrong_from is not None and step >= wrong_from
        row = {"step": step, **dict.fromkeys(METRICS, 0.5), "state_largest": 4.0, "nonfinite": 0}
        curve.append(row | ({"state_largest": None, "nonfinite": 7} if wrong else {}))
    return {
        "rule": "somewhere/digits.safetensors",
        "dataset": "mnist",
        "protocol": "mutation" if swaps else "fresh",
        "pictures": 1_000,
        "labelled": 1_000,
        "seed": 0,
        "steps": steps,
        "swaps": swaps,
        "curve": curve,
    }


def axes_of(paper):
    return paper._figure.axes


def test_without_swaps_steps_are_logarithmic_and_with_swaps_each_is_marked() -> None:
    upper, lower = axes_of(long_run_figure(document()))
    assert (upper.get_xscale(), lower.get_xscale(), lower.get_yscale()) == ("log", "log", "log")
    plain = len(lower.lines)
    upper, lower = axes_of(long_run_figure(document(100, swaps=3)))
    assert upper.get_xscale() == "linear"
    marks = [line.get_xdata()[0] for line in lower.lines if len(set(line.get_xdata())) == 1]
    assert marks[:3] == [100, 200, 300]
    assert plain == 2


@pytest.mark.parametrize(
    ("steps", "ticks"), [(200, [1, 10, 100, 200]), (120, [1, 10, 120]), (1000, [1, 10, 100, 1000])]
)
def test_a_logarithmic_axis_has_a_tick_at_the_last_step(steps: int, ticks: list[int]) -> None:
    given = document(steps)
    given["curve"] = [row for row in given["curve"] if row["step"] < steps]
    given["curve"].append(given["curve"][-1] | {"step": steps})
    for axes in axes_of(long_run_figure(given)):
        assert list(axes.get_xticks()) == ticks


def words_of(paper) -> str:
    return " ".join(text.get_text() for text in paper._figure.texts)


def test_the_figure_gives_the_numbers_of_swaps_and_labelled_pictures() -> None:
    assert "1 swap, 100 steps each" in words_of(long_run_figure(document(100, swaps=1)))
    assert "3 swaps, 100 steps each" in words_of(long_run_figure(document(100, swaps=3)))
    mixed = document() | {"labelled": 300}
    assert "accuracy of the 300 with a class of the rule" in words_of(long_run_figure(mixed))
    assert "accuracy of" not in words_of(long_run_figure(document()))


def test_lines_break_at_swaps() -> None:
    upper, _ = axes_of(long_run_figure(document(200, swaps=1)))
    runs = [line.get_xdata() for line in upper.lines if len(line.get_xdata()) > 2]
    assert all(run.max() <= 200 or run.min() > 200 for run in map(np.asarray, runs))


def test_steps_with_non_finite_states_are_named_and_shaded() -> None:
    _, lower = axes_of(long_run_figure(document(wrong_from=600)))
    assert lower.get_title(loc="right") == "no finite numbers in 7 cells, from step 600"
    assert any("∞" in text.get_text() for text in lower.texts)
    assert axes_of(long_run_figure(document()))[1].get_title(loc="right") == ""


def test_metrics_without_values_are_left_out() -> None:
    unlabelled = document()
    for row in unlabelled["curve"]:
        row["cell_accuracy"] = None
    upper, _ = axes_of(long_run_figure(unlabelled))
    labels = [text.get_text() for text in upper.texts]
    assert not any("accuracy" in label for label in labels)
    assert any("agreement" in label for label in labels)


@pytest.mark.parametrize("steps", [1, 5, 10_000])
def test_figures_are_written_as_png_and_pdf(steps: int) -> None:
    given = document(steps)
    given["curve"] = [row for row in given["curve"] if row["step"] <= steps]
    image = Image.open(io.BytesIO(draw(given, ".png")))
    assert image.width > image.height > 500
    assert draw(given, ".pdf").startswith(b"%PDF")
