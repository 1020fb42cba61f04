"""The page of a training: scores in percent, curves, a labelled strip, safe for any text."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pandas as pd
from PIL import Image

from swarm_nca.recording.training_page import Training, curves_png, training_html

from .test_report import Page

PNG = b"\x89PNG strip"


def training(**changes: object) -> Training:
    iterations = np.arange(10, 210, 10)
    log = pd.DataFrame(
        {"iteration": iterations, "loss": 100.0 / iterations, "cell_accuracy": iterations / 200}
    )
    given = {
        "name": "signs",
        "recipe": "name: signs\nheld_out: 15\n",
        "log": log,
        "metrics": ["cell_accuracy"],
        "strip": PNG,
        "captions": ["left: 98 % say left", "right: 60 % say left"],
        "scores": {"cell_accuracy": 97.61, "error_at_96": 0.0002},
        "scored_on": "15 held-out pictures, step 200",
        "facts": ["200 iterations"],
        "origin": {"rule hash": "ab" * 32},
    }
    return Training(**(given | changes))  # type: ignore[arg-type]


def test_the_page_shows_scores_curves_strip_recipe_and_hash() -> None:
    html = training_html(training())
    page = Page(html)
    assert page.open == []
    assert not {"script", "link", "iframe", "a"} & {tag for tag, _ in page.tags}
    for words in ("97.61 %", "0.0002", "15 held-out pictures, step 200", "ab" * 32, "200 iter"):
        assert words in page.text
    assert [caption.replace("\u00a0", " ") for caption in re.findall("<li>(.*?)</li>", html)] == [
        "left: 98 % say left",
        "right: 60 % say left",
    ]
    assert "held_out : 15" in page.text
    curves, strip = re.findall(r"base64,([^\"]+)", html)
    assert base64.b64decode(strip) == PNG
    assert Image.open(io.BytesIO(base64.b64decode(curves))).width == 1680


def test_without_scores_captions_or_a_picture_the_page_says_why() -> None:
    bare = training(scores={}, captions=(), strip=b"no picture", scored_on="stopped <early>")
    page = Page(training_html(bare))
    assert "stopped <early>" in page.text
    assert [attrs["alt"] for tag, attrs in page.tags if tag == "img"] == [
        "The loss and a metric over iterations"
    ]


def test_the_loss_falls_in_the_upper_curve_and_the_metric_rises_in_the_lower() -> None:
    rgb = np.asarray(Image.open(io.BytesIO(curves_png(training()))).convert("RGB")).astype(int)
    loss = (rgb[..., 0] > 180) & (rgb[..., 1] < 130) & (rgb[..., 2] < 60)  # vermilion
    metric = (rgb[..., 0] < 60) & (rgb[..., 1] < 150) & (rgb[..., 2] > 140)  # blue

    def height(found: np.ndarray, part: slice) -> float:
        rows, columns = found.nonzero()
        within = (columns >= part.start) & (columns < part.stop)
        return float(rows[within].mean())

    early, late = slice(150, 500), slice(1200, 1600)
    assert height(loss, early) < height(loss, late) < height(metric, late) < height(metric, early)


def test_a_log_of_one_row_or_without_finite_loss_is_drawn() -> None:
    for loss in (0.5, np.nan, np.inf):
        log = pd.DataFrame({"iteration": [3], "loss": [loss]})
        assert curves_png(training(log=log, metrics=[])).startswith(b"\x89PNG")
