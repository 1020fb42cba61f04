"""The choice of moments, and their captions."""

from __future__ import annotations

import pandas as pd
import pytest

from swarm_nca.recording import Frame
from swarm_nca.recording.moments import largest_votes, marks, moments, verdict
from swarm_nca.recording.paper import Paper
from swarm_nca.recording.strip import draw_legend

from .conftest import MakeRun, with_labels


@pytest.mark.parametrize("most", [4, 7, 10])
@pytest.mark.parametrize("swaps", [(), (20,), (20, 100), (0,), tuple(range(10, 90, 2))])
def test_start_and_end_are_chosen_in_order_within_the_maximum_number(
    make_run: MakeRun, swaps: tuple[int, ...], most: int
) -> None:
    run = make_run(steps=150, swaps=swaps)
    shown = [moment.frame for moment in moments(run, most)]
    order = [run.frames.index(frame) for frame in shown]
    assert order == sorted(set(order))
    assert order[0] == 0
    assert order[-1] == len(run.frames) - 1
    assert len(shown) <= most


def test_both_sides_of_every_perturbation_are_chosen(make_run: MakeRun) -> None:
    shown = moments(make_run(steps=200, swaps=(60, 130)))
    assert [moment.after for moment in shown if moment.frame.step == 60] == ["", "mutate"]
    assert [moment.after for moment in shown if moment.frame.step == 130] == ["", "mutate"]


def test_a_drawing_of_many_strokes_is_shown_before_its_first_and_after_its_last(
    make_run: MakeRun,
) -> None:
    run = make_run(steps=200, swaps=tuple(range(50, 110, 3)))
    shown = moments(run)
    assert "" in [moment.after for moment in shown if moment.frame.step == 50]
    assert [moment.after for moment in shown if moment.frame.step == 107][-1:] == ["mutate"]
    between = [m for m in shown if m.after and 50 < m.frame.step < 107]
    assert len(between) >= 2


def test_the_first_steps_have_priority(make_run: MakeRun) -> None:
    steps = [moment.frame.step for moment in moments(make_run(steps=400, swaps=()))]
    assert {0, 1, 5, 10, 20, 50, 400} <= set(steps)


def test_moments_of_a_sparse_run_use_the_frames_it_has(make_run: MakeRun) -> None:
    run = make_run(steps=100, swaps=(50,), every=25)
    assert [moment.frame for moment in moments(run)] == list(run.frames)


def test_the_verdict_names_the_most_common_class(make_run: MakeRun) -> None:
    world = make_run(worlds=2).frames[0].world
    assert verdict(with_labels(world, -1, 3), 0, 0.01) == "silent"
    assert verdict(with_labels(world, -1, 3), 1, 0.01) == "all say 3"
    mixed = with_labels(world, 4, 4).state.clone()
    mixed[:9] = 0.0
    cells = int(world.counts[0])
    assert verdict(world.with_state(mixed), 0, 0.01) == f"{100 - 900 / cells:.0f} % say 4"


def test_the_largest_vote_is_the_one_before_perturbations(make_run: MakeRun) -> None:
    run = make_run(steps=6, swaps=(5,), worlds=2)
    last = run.frames[-1]
    halved = last.world.state.clone()
    halved[last.world.world_of == 1] = 0.0  # one of two equal worlds becomes silent
    frames = [*run.frames[:-1], Frame(last.step, last.world.with_state(halved))]
    steps, shares = largest_votes(frames, 0.01)
    assert steps == list(range(7))
    assert shares == [0, 0, 0, 1, 1, 1, 0.5]


def test_events_of_a_kind_in_quick_succession_share_one_label() -> None:
    rows = [(10, "draw", "a"), (12, "draw", "b"), (14, "draw", ""), (90, "draw", "c")]
    events = pd.DataFrame([*rows, (91, "damage", "")], columns=["step", "kind", "what"])
    shown = [(mark.start, mark.end, mark.label) for mark in marks(events, 100)]
    assert shown == [(10, 14, "draw × 3"), (90, 90, "draw: c"), (91, 91, "damage")]


def test_the_legend_names_classes_at_the_end_then_earlier_ones(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_run(worlds=2).frames[0].world
    end, before = with_labels(world, 3, 5), [with_labels(world, 4, -1), with_labels(world, 4, 3)]
    written: list[str] = []
    monkeypatch.setattr(Paper, "text", lambda self, x, y, text, *style: written.append(text))
    draw_legend(Paper(900, 40), 0, 20, end, 0.01, "cells", before=before)
    three, five = end.counts.tolist()
    counts = sorted([(three, "3"), (five, "5")], key=lambda entry: -entry[0])
    assert written == ["cells", *(f"{name}: {count}" for count, name in counts), "4", "silent"]
