"""A report on paper: no empty page, tables inside their borders, the last step of the run."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

import swarm_nca as sn
from swarm_nca.recording.provenance import provenance
from swarm_nca.recording.report import report_html


def png(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((height, width), 200, np.uint8)).save(file, "png")
    return file.getvalue()


@pytest.fixture(scope="module")
def report(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The report of a run of mnist, whose sheet of channels is three times as high as wide."""
    run = sn.run("seven-becomes-two", overrides=["steps=320", "expect=[]"])
    film = io.BytesIO()
    first, last = (Image.new("RGB", (90, 60), color) for color in ("white", "black"))
    first.save(film, "webp", save_all=True, append_images=[last])
    pictures = {
        "run.webp": film.getvalue(),
        "summary.png": png(1680, 1000),
        "channels.png": png(1250, 3750),
    }
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(report_html(run, pictures, provenance(run)), encoding="utf-8")
    page = browser.new_page(viewport={"width": 680, "height": 900})
    page.goto(file.as_uri())
    yield page
    page.close()


def test_paper_has_no_empty_page_and_no_wide_table(report: Page) -> None:
    for paper in ("A4", "Letter"):
        pages = re.findall(rb"/Type ?/Page\b", report.pdf(format=paper))
        assert 2 <= len(pages) <= 5
    report.emulate_media(media="print")
    too_wide = "[...document.querySelectorAll('table')].filter((one) => "
    too_wide += "one.scrollWidth > one.parentElement.clientWidth).length"
    assert report.evaluate(too_wide) == 0
    page_height = 215 / 25.4 * 96
    sheets = report.locator(".sheet img").all()
    boxes = [box for box in (sheet.bounding_box() for sheet in sheets) if box]
    assert max(box["height"] for box in boxes) <= page_height + 1


def test_paper_shows_the_last_step_and_the_screen_the_film(report: Page) -> None:
    report.emulate_media(media="screen")
    film, still = report.locator("img.moving"), report.locator("img.still")
    assert (film.is_visible(), still.is_visible()) == (True, False)
    report.emulate_media(media="print")
    assert (film.is_visible(), still.is_visible()) == (False, True)
