from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from rich.console import Console

from swarm_nca.measure.confusion import NOBODY, Confusion
from swarm_nca.measure.metrics import METRICS
from swarm_nca.measure.protocols import Evaluation
from swarm_nca.measure.tables import (
    confusion_table,
    curve_table,
    group_table,
    runaway,
    settling,
)


def text_of(table, width: int = 80) -> list[str]:
    console = Console(record=True, width=width)
    console.print(table)
    text = console.export_text()
    assert "…" not in text
    return text.splitlines()


def evaluation(steps: int, swaps: int = 0, every: int = 1, wrong: int = 0) -> Evaluation:
    looks = [step for step in range(1, steps + 1) if step % every == 0 or step == 1]
    curve = [
        {"step": phase * steps + look, **dict.fromkeys(METRICS, 0.25), "nonfinite": wrong * look}
        for phase in range(1 + swaps)
        for look in looks
    ]
    protocol = "mutation" if swaps else "fresh"
    nothing = torch.zeros(1, dtype=torch.int64)
    return Evaluation(protocol, 0, steps, swaps, every, 1, curve, None, nothing)


def test_a_long_curve_is_printed_at_round_steps() -> None:
    lines = text_of(curve_table(evaluation(10_000, every=10), "t"))
    steps = [line.split()[0] for line in lines if "25.0 %" in line]
    assert " ".join(steps) == "1 10 20 50 100 200 500 1,000 2,000 5,000 10,000"


def test_of_many_swaps_only_the_ends_are_printed_and_the_last_in_full() -> None:
    lines = text_of(curve_table(evaluation(20, swaps=4), "t"))
    steps = [" ".join(line.split("25.0 %")[0].split()) for line in lines if "25.0 %" in line]
    middle = ["swap 1 +20", "swap 2 +20", "swap 3 +20"]
    assert steps == ["1", "10", "20", *middle, "swap 4 +1", "swap 4 +10", "swap 4 +20"]


def test_settling_has_the_share_that_agrees_and_the_median_step() -> None:
    settled = torch.tensor([23, 40, 7, -1])
    fresh, swapped = (
        replace(evaluation(100, swaps), settled=settled, pictures=4) for swaps in (0, 1)
    )
    since = "75.0 % of the pictures agree at the end, half of these have agreed since step 23"
    assert settling(fresh) == f"{since} (fresh)"
    assert settling(swapped) == f"{since} after the swap (mutation)"
    assert "half" not in settling(replace(fresh, settled=torch.tensor([-1])))


def test_nonfinite_states_are_reported_with_step_and_cells() -> None:
    assert runaway(evaluation(20)) is None
    line = runaway(evaluation(20, every=10, wrong=3))
    assert line is not None
    assert "3 cells at step 1 (measured every 10 steps), of 60 at the end" in line


def test_a_table_of_votes_of_fashion_fits_100_columns_with_readable_names() -> None:
    classes = ("T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt")
    classes = (*classes, "sneaker", "bag", "ankle boot")
    votes = torch.randint(10, 1000, (10, 11), generator=torch.Generator().manual_seed(0))
    lines = text_of(confusion_table(Confusion(classes, (*classes, NOBODY), votes)), 100)
    head = " ".join(lines[:3])
    for name in ("T-shirt", "/top", "trouser", "pullov.", "ankle", "boot", "sneaker", NOBODY):
        assert name in head
    rows = [line for line in lines if line.startswith(classes)]
    assert [row[:11].strip() for row in rows] == list(classes)


def test_votes_are_printed_in_percent_of_their_class_without_empty_rows() -> None:
    votes = torch.tensor([[3, 1, 0], [0, 0, 0]])
    lines = text_of(confusion_table(Confusion(("a", "b"), ("a", "b", NOBODY), votes)))
    assert lines[-1].split() == ["a", "75.0", "25.0"]
    assert NOBODY not in " ".join(lines)


def test_groups_have_agreement_with_its_interval_and_both_numbers_of_trust() -> None:
    row = {
        "group": "2–3",
        "pictures": 1200,
        "cell_accuracy": np.nan,
        "vote_accuracy": np.nan,
        "total_agreement": 0.75,
        "agreement_low": 0.7,
        "agreement_high": 0.8,
        "agree_though_wrong": 0.05,
        "abstains": 0.26,
        "undecided": 0.0,
        "label_flips": 0.015,
    }
    last = text_of(group_table("holes", [row]))[-1]
    assert " ".join(last.split()) == "2–3 1,200 – – 75.0 % 70.0–80.0 5.0 % 26.0 % 0 % 1.5 %"
