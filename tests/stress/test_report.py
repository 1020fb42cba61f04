"""Figures, page and trust tables of a suite."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from swarm_nca.measure.signals import SIGNALS
from swarm_nca.stress.report import files, table_of
from swarm_nca.stress.table import PictureRow
from swarm_nca.stress.trust import curves

from .conftest import MakeSuite


def picture(family: str, number: int, known: bool, wrong: bool, trust: float) -> PictureRow:
    return PictureRow(family, "all", number, known, wrong, True, dict.fromkeys(SIGNALS, trust))


def test_curves_compare_right_pictures_with_every_kind() -> None:
    random = np.random.default_rng(0)
    rows = [picture("clean", n, True, n < 3, random.integers(3, 9)) for n in range(10)]
    rows += [picture("letters", n, False, True, random.integers(0, 7)) for n in range(10)]
    right = [row for row in rows if not row.wrong]
    found = curves(rows)
    assert {curve.signal for curve in found} == set(SIGNALS)
    for kind in ("clean", "letters"):
        others = [row for row in rows if row.wrong and row.family == kind]
        pairs = [
            (one.signals["agreement"] > two.signals["agreement"])
            + (one.signals["agreement"] == two.signals["agreement"]) / 2
            for one, two in itertools.product(right, others)
        ]
        assert found[0].by_kind[kind] == pytest.approx(np.mean(pairs))
    assert found[0].risk[-1] == pytest.approx(13 / 20)


def test_ambiguous_letters_do_not_count_and_kinds_weigh_the_same() -> None:
    rows = [picture("clean", n, True, False, 2.0) for n in range(4)]
    rows += [picture("chimeras", n, False, True, 1.0) for n in range(40)]
    rows.append(PictureRow("letters", "I O S Z", 0, False, True, True, dict.fromkeys(SIGNALS, 9)))
    (best, *_) = curves(rows)
    assert best.auroc == 1.0
    assert set(best.by_kind) == {"clean", "chimeras"}
    assert len(best.risk) == 8


def test_there_are_no_curves_without_known_pictures() -> None:
    assert curves([picture("letters", 0, False, True, 1.0)]) == []


def test_a_finished_suite_has_a_figure_for_each_family_and_one_page(
    make_suite: MakeSuite, tmp_path: Path
) -> None:
    suite = make_suite(tmp_path, ["clean", "letters", "bits"])
    suite.run()
    written = dict(files(suite))
    figures = {name for name in written if name.startswith("figures/")}
    assert figures == {f"figures/{name}.png" for name in ("clean", "letters", "bits", "trust")}
    for name in figures:
        (tmp_path / "figure.png").write_bytes(written[name])
        with Image.open(tmp_path / "figure.png") as image:
            assert min(image.size) >= 640
            assert len(np.unique(np.asarray(image.convert("L")))) > 20
    page = written["report.html"].decode()
    for words in ("letters", "bits", "AUROC", "largest |state|", suite.subject.rule.hash()):
        assert words in page
    assert "http" not in page
    assert page.count("data:image/png;base64,") == len(figures)
    table = written["table.md"].decode()
    assert table.count("## ") == len(figures)


def test_a_table_has_a_row_for_each_setting_and_step(make_suite: MakeSuite, tmp_path: Path) -> None:
    suite = make_suite(tmp_path, ["letters", "bits"])
    suite.run()
    for name, rows in (("letters", 3), ("bits", 21)):
        heads, lines = table_of(
            suite.families[name], [row for row in suite.store.rows if row.family == name]
        )
        assert len(lines) == rows
        assert {len(line) for line in lines} == {len(heads)}
    assert "cells" not in table_of(suite.families["letters"], suite.store.rows[:3])[0]


def test_pairs_of_classes_fill_a_matrix(make_suite: MakeSuite, tmp_path: Path) -> None:
    suite = make_suite(tmp_path, ["chimeras"], count=1)
    suite.run()
    assert len(suite.store.rows) == 45
    assert dict(files(suite))["figures/chimeras.png"][1:4] == b"PNG"
