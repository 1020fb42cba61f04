"""Curves in figures: no empty entries, and no overlapping labels."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from swarm_nca.recording.curves import draw_shares, draw_votes, label_places
from swarm_nca.recording.moments import Mark
from swarm_nca.recording.paper import Paper

from .conftest import MakeRun

WIDTH = 1500


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 60)), max_size=30))
def test_labels_do_not_overlap(events: list[tuple[int, int]]) -> None:
    marks = [Mark(at, at, "x" * long) for at, long in sorted(events)]
    boxes = []
    for mark, (line, ends_there) in zip(marks, label_places(marks, (0, 300), WIDTH), strict=True):
        at, long = mark.start / 300 * WIDTH, 7.5 * len(mark.label)
        boxes.append((line, at - long if ends_there else at, at if ends_there else at + long))
        assert boxes[-1][1] >= 0
        assert boxes[-1][2] <= WIDTH
    for number, (line, left, right) in enumerate(boxes):
        for other, start, end in boxes[:number]:
            assert line != other or left >= end or right <= start


def test_labels_far_apart_share_the_lowest_line() -> None:
    marks = [Mark(at, at, "mutate: 7 → 2") for at in (0, 100, 200, 295)]
    assert label_places(marks, (0, 300), WIDTH) == [(0, False)] * 3 + [(0, True)]


def legend(axes) -> list[str]:
    return axes.get_legend_handles_labels()[1]


def test_the_legend_has_no_agreement_if_cells_never_agree(make_run: MakeRun) -> None:
    for last, expected in ((4, []), (9, ["all cells agree"])):  # the run agrees from step 6 on
        axes = Paper(600, 400).axes(50, 50, 500, 300)
        table = make_run(steps=last, swaps=()).pooled
        draw_shares(axes, table, ["total_agreement"], alone=True)
        assert legend(axes) == expected


def test_the_largest_vote_is_drawn_where_there_is_no_label(make_run: MakeRun) -> None:
    run = make_run(steps=5, swaps=())
    axes = Paper(600, 400).axes(50, 50, 500, 300)
    draw_votes(axes, run.frames, run.shown_above)
    (line,) = axes.get_lines()
    assert legend(axes) == ["largest vote"]
    assert list(line.get_ydata()) == [0, 0, 0, 1, 1, 1]


def test_shares_are_nan_while_all_states_are_zero(make_run: MakeRun) -> None:
    run = make_run(steps=3, swaps=())
    pooled = run.pooled.copy()
    pooled.loc[0, ["state_magnitude", "total_agreement", "undecided"]] = 0.0, 1.0, 0.0
    silent = dataclasses.replace(run, pooled=pooled).told
    shares = ["cell_accuracy", "total_agreement", "vote_accuracy", "undecided"]
    assert silent.loc[0, shares].isna().all()
    assert silent.loc[0, "state_magnitude"] == 0
    assert silent.loc[1:, shares].equals(pooled.loc[1:, shares])
    assert pooled.loc[0, "total_agreement"] == 1  # the table itself stays as measured
