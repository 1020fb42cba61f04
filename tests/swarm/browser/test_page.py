"""The SolaraViz page in a browser: it steps, plays, and starts anew with other parameters."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from playwright.sync_api import Error, Locator, Page, expect

#: The contents of the figures, which the page shows as blobs of changing addresses.
FIGURES = """async () => Promise.all([...document.querySelectorAll("img.widget-image")].map(
    async image => {
        const bytes = new Uint8Array(await (await fetch(image.src)).arrayBuffer());
        return bytes.reduce((text, byte) => text + String.fromCharCode(byte), "");
    }
))"""


def steps_taken(page: Page, step: int) -> Locator:
    """Where the page says so; Mesa 3.5 and later call it time."""
    return page.get_by_text(re.compile(rf"^(Step: {step}|Time: {step}(\.0)?)$"))


def figures(page: Page, step: int, until: Callable[[list[str]], bool] = bool) -> list[str]:
    """Picture, curves and the two histograms, once the page shows a step and they fit `until`."""
    expect(steps_taken(page, step)).to_be_visible()
    end = time.monotonic() + 60
    while True:
        try:
            shown = page.evaluate(FIGURES)
        except Error:  # a figure was replaced meanwhile
            shown = []
        if len(shown) == 4 and until(shown):
            return list(shown)
        assert time.monotonic() < end, f"{len(shown)} figures do not change as they should"
        page.wait_for_timeout(100)


def press(page: Page, button: str) -> None:
    page.get_by_role("button", name=button, exact=True).click()


def test_a_step_changes_picture_and_charts(page: Page) -> None:
    expect(page.get_by_text("swarm_nca").first).to_be_visible()
    for label in ("Rule", "Digit", "Seed", "Fire rate", "Noise"):
        expect(page.get_by_text(label, exact=True)).to_be_visible()
    before = figures(page, 0)
    press(page, "Step")
    figures(page, 1, lambda now: not set(now) & set(before))


def test_reset_starts_with_the_parameters_of_the_sliders(page: Page) -> None:
    start = figures(page, 0)
    press(page, "Step")
    figures(page, 1, lambda now: now[0] != start[0])
    slider = page.get_by_role("slider", name="Fire rate")
    slider.press("Home")
    expect(slider).to_have_attribute("aria-valuenow", "0")
    press(page, "Reset")
    figures(page, 0, lambda now: now == start)
    press(page, "Step")
    figures(page, 1, lambda now: now[1] != start[1] and now[0] == start[0])  # no cell fires


def test_another_digit_is_another_picture(page: Page) -> None:
    start = figures(page, 0)
    page.locator(".v-select", has=page.get_by_text("Digit", exact=True)).click()
    page.get_by_role("option", name="1", exact=True).click()
    press(page, "Reset")
    figures(page, 0, lambda now: now[0] != start[0])


def test_the_swarm_plays_until_it_is_paused(page: Page) -> None:
    figures(page, 0)
    press(page, "▶")
    expect(page.get_by_text(re.compile(r"^(Step|Time): ([3-9]|\d\d+)(\.0)?$"))).to_be_visible()
    press(page, "❚❚")
    expect(page.get_by_role("button", name="▶")).to_be_visible()
