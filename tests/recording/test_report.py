"""The report page: complete, self-contained, and safe for any text."""

from __future__ import annotations

import base64
import dataclasses
import re
from html.parser import HTMLParser
from itertools import pairwise

import pandas as pd
import pytest

from swarm_nca.recording import Expectation, Run
from swarm_nca.recording.provenance import provenance
from swarm_nca.recording.report import report_html

from .conftest import MakeRun


class Page(HTMLParser):
    """Tags with their attributes, the text, and whether every tag was closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        self.text = re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def page_of(run: Run, pictures: dict[str, bytes] | None = None) -> Page:
    return Page(report_html(run, pictures or {}, provenance(run)))


def test_the_page_is_valid_and_self_contained(make_run: MakeRun) -> None:
    pictures = {"run.webp": b"moving", "summary.png": b"moments", "channels.png": b"states"}
    page = page_of(make_run(), pictures)
    assert page.open == []
    assert not {"script", "link", "iframe"} & {tag for tag, _ in page.tags}
    sources = [attrs["src"] for tag, attrs in page.tags if tag == "img"]
    assert all("href" not in attrs for _, attrs in page.tags)
    heads, data = zip(*(str(source).split(";base64,") for source in sources), strict=True)
    assert heads == ("data:image/webp", *["data:image/png"] * 3)
    moving, still, *sheets = (base64.b64decode(part) for part in data)
    assert [moving, *sheets] == list(pictures.values())
    assert still.startswith(b"\x89PNG")
    assert "url(" not in "".join(page.words)
    assert "@import" not in "".join(page.words)


def test_the_page_shows_expectations_and_measured_values(make_run: MakeRun) -> None:
    run = make_run(
        expectations=[
            Expectation("cell_accuracy", 20, 0.95, None, 1.0),
            Expectation("state_magnitude", 40, None, 0.4, 0.5),
            Expectation("label_flips", 40, None, 0.05, 0.012),
        ]
    )
    text = page_of(run).text
    assert "2 of 3 expectations met" in text
    assert re.search(r"cell accuracy 20 ≥ 95 % 100 % met", text)
    assert re.search(r"label flips 40 ≤ 5 % 1.2 % met", text)
    assert re.search(r"state magnitude 40 ≤ 0.4 0.500 missed", text)


def test_the_page_shows_events_metrics_scenario_and_provenance(make_run: MakeRun) -> None:
    text = page_of(make_run(steps=40)).text
    for words in ("mutate 7 → 2", "After step 40", "images : {dataset: strokes}", "ab" * 32):
        assert words in text


def test_unknown_metrics_are_dashes_and_empty_tables_are_left_out(
    make_run: MakeRun,
) -> None:
    text = page_of(make_run(swaps=(), labelled=False)).text
    assert "–" in text
    assert "nan" not in text.lower().replace("provenance", "")
    assert "Perturbations" not in text
    assert "Expectations" not in text


def test_agreement_is_yes_or_no_for_one_world_and_a_share_for_several(make_run: MakeRun) -> None:
    alone = reversed_pairs(page_of(make_run()))
    for words in ("yes all cells agree", "no all agree and are wrong", "no the swarm abstains"):
        assert words in alone
    several = reversed_pairs(page_of(make_run(worlds=3)))
    for words in ("100 % total agreement", "0 % agree though wrong", "0 % abstain"):
        assert words in several


def test_an_expectation_without_a_value_gives_the_reason(make_run: MakeRun) -> None:
    unknown = Expectation("vote_accuracy", 20, 0.95, None, float("nan"))
    text = page_of(make_run(expectations=[unknown])).text
    assert "– (the rule has no class for these pictures) missed" in text


def test_agreement_is_unknown_while_all_states_are_zero(make_run: MakeRun) -> None:
    run = make_run(steps=0, swaps=())
    silent = dataclasses.replace(run, pooled=run.pooled.assign(state_magnitude=0.0))
    assert "no all cells agree" in reversed_pairs(page_of(run))
    assert "– all cells agree" in reversed_pairs(page_of(silent))
    assert "silent largest vote" in reversed_pairs(page_of(silent))


@pytest.mark.parametrize(("count", "words"), [(1, "1 core, 1 thread"), (2, "2 cores, 2 threads")])
def test_cores_and_threads_are_singular_or_plural(
    make_run: MakeRun, count: int, words: str
) -> None:
    run = make_run(steps=2)
    facts = provenance(run)
    facts["machine"] |= {"cores": count, "threads": count}
    assert f", {words}</dd>" in report_html(run, {}, facts)


def reversed_pairs(page: Page) -> str:
    """Values with their labels, in their visual order."""
    words = [word.strip() for word in page.words if word.strip()]
    return " ".join(f"{value} {label}" for label, value in pairwise(words))


@pytest.mark.parametrize("words", ["<script>alert(1)</script>", '"><img src=x>', "a & b"])
def test_text_of_the_user_is_escaped(make_run: MakeRun, words: str) -> None:
    run = dataclasses.replace(
        make_run(name=words),
        rule=words,
        scenario=f"name: {words}\n",
        events=pd.DataFrame([[3, words, words]], columns=["step", "kind", "what"]),
    )
    page = page_of(run)
    assert page.open == []
    assert not {"script", "img"} & {tag for tag, _ in page.tags}
    assert page.text.count(words) >= 6
