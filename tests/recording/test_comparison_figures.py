"""Figures of several rules: all lines look different, and bands, dots and marks are drawn."""

from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
from PIL import Image

from swarm_nca.recording.comparison import (
    Dot,
    Line,
    curves_figure,
    look,
    ordering_figure,
    settled_floor,
)

METRICS = ("cell_accuracy", "total_agreement", "state_magnitude", "residual_magnitude")


def line(label: str, level: float, spread: float = 0.0) -> Line:
    step = np.arange(1.0, 81.0)
    middle = {metric: np.full(80, level) for metric in METRICS}
    return Line(
        label,
        step,
        middle,
        {metric: values - spread for metric, values in middle.items()},
        {metric: values + spread for metric, values in middle.items()},
    )


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_315_lines_look_different_and_neighbours_differ_in_all_three_ways() -> None:
    styles = map(look, range(315))
    looks = [(style["color"], str(style["linestyle"]), style["marker"]) for style in styles]
    assert len(set(looks)) == 315
    for first, second in itertools.pairwise(looks):
        assert all(a != b for a, b in zip(first, second, strict=True))


def test_every_line_is_drawn_in_its_colour_in_every_panel() -> None:
    picture = pixels(curves_figure([line("a", 0.9), line("b", 0.5)], 40, ["note"]).png())
    middle = picture.shape[1] // 2
    for color in ((0, 114, 178), (213, 94, 0)):
        found = (picture == color).all(axis=2)
        for half in (found[:500, :middle], found[:500, middle:], found[500:, :middle]):
            assert half.sum() > 300


def test_a_band_is_drawn_around_its_line() -> None:
    bare, banded = (
        pixels(curves_figure([line("a", 0.7, spread)], 40, ["note"]).png()) for spread in (0, 0.05)
    )
    tinted = ((banded != bare).any(axis=2)) & (banded.astype(int).min(axis=2) > 150)
    assert tinted.sum() > 5_000


@pytest.mark.parametrize(
    ("levels", "floor"),
    [((0.96, 0.93), 0.9), ((0.96, 0.905), 0.8), ((0.96, 0.9), 0.8), ((0.0,), 0.0)],
)
def test_panels_of_shares_start_at_a_tenth_below_the_worst_settled_share(levels, floor) -> None:
    lines = [line(str(level), level) for level in levels]
    assert settled_floor("cell_accuracy", lines, 40) == pytest.approx(floor)


def test_curves_of_short_phases_stay_within_the_panel() -> None:
    climb = line("climb", 0.9, spread=0.02)
    for metric in ("cell_accuracy", "total_agreement"):
        climb.middle[metric][:19] = climb.low[metric][:19] = np.linspace(0.35, 0.9, 19)
    assert settled_floor("cell_accuracy", [climb], 20) == pytest.approx(0.3)
    assert settled_floor("cell_accuracy", [climb], 400) == pytest.approx(
        0.8
    )  # without the first rise
    wide = line("wide", 0.9, spread=0.25)
    assert settled_floor("cell_accuracy", [wide], 40) == pytest.approx(0.6)


@pytest.mark.parametrize("level", [0.75, 5e12])
def test_magnitudes_have_tick_labels_at_every_level(level: float) -> None:
    far = line("far", 0.5)
    far.middle["state_magnitude"][-1] = far.high["state_magnitude"][-1] = level
    picture = pixels(curves_figure([line("a", 0.6), far], 40, ["note"]).png())
    beside = picture[620:1000, 20:90]  # of the panel of mean |state|
    rows = (beside.min(axis=2) < 160).any(axis=1)
    assert np.diff(rows.astype(int)).clip(0).sum() >= 2  # separate numbers, one above another


def test_non_finite_values_do_not_hide_other_curves() -> None:
    broken = line("broken", np.nan)
    assert settled_floor("cell_accuracy", [broken, line("a", 0.75)], 40) == pytest.approx(0.7)
    assert settled_floor("cell_accuracy", [broken], 40) == 0.0
    picture = pixels(curves_figure([broken, line("a", 0.75)], 40, ["note"]).png())
    assert (picture == (213, 94, 0)).all(axis=2).sum() > 300


def test_the_ordering_has_a_dot_for_every_rule_phase_and_metric() -> None:
    dots = {metric: Dot(0.9, 0.88, 0.92, 0.89, 0.91) for metric in METRICS[:2]}
    rows = {label: {"fresh": dots, "mutation": dots} for label in "ab"}
    figure = ordering_figure(rows, METRICS[:2], ["note"])
    picture = pixels(figure.png())
    for color in ((0, 114, 178), (213, 94, 0)):
        assert (picture == color).all(axis=2).sum() > 4 * 30
    assert figure.pdf().startswith(b"%PDF")


def test_a_pdf_holds_text_as_text_and_is_reproducible() -> None:
    first, second = (curves_figure([line("a", 0.9)], 40, ["note"]).pdf() for _ in range(2))
    assert first == second
    assert b"/FontType 3" not in first
    assert b"CreationDate" not in first
