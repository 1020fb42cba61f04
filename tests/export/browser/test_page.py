"""What a reader does on the page: draw, erase, wound, choose pictures, share a link."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

import swarm_nca as sn
from swarm_nca.export.picture_code import encoded
from swarm_nca.rules import Mlp, Rule

NO_WEBGL = """
const made = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...others) {
  return kind === "webgl2" ? null : made.call(this, kind, ...others);
};
"""


def draw(page: Page, line: np.ndarray[Any, Any]) -> None:
    """Draw along points (row, column) with the left button."""
    box = page.locator("#world").bounding_box()
    assert box is not None
    columns, rows = page.evaluate("swarm.size()")
    places = [
        (
            box["x"] + (column + 0.5) / columns * box["width"],
            box["y"] + (row + 0.5) / rows * box["height"],
        )
        for row, column in line
    ]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place)
    page.mouse.up()


def steps(page: Page, count: int) -> None:
    page.evaluate(f"for (let i = 0; i < {count}; i++) swarm.step(); swarm.draw()")


def wait_until(page: Page, condition: str) -> None:
    """Wait for a condition; Playwright's own way needs an eval that the page forbids."""
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"in 20 seconds it never came to {condition}")


def magnitude(page: Page) -> float:
    return float(page.evaluate("swarm.state().reduce((sum, value) => sum + Math.abs(value), 0)"))


@pytest.mark.parametrize(
    ("name", "digit", "engine"),
    [
        ("digits", 0, "javascript"),
        ("digits", 7, "javascript"),
        ("digits", 3, "webgl"),
        ("mnist", 3, "javascript"),
    ],
)
def test_a_drawn_digit_is_recognised_within_forty_steps(
    opened: Callable[..., Page], name: str, digit: int, engine: str
) -> None:
    page = opened(sn.load_rule(name), f"paused=1&engine={engine}")
    for line in sn.images.glyph_strokes(str(digit), size=28):
        draw(page, line + 14)
    steps(page, 40)
    counts = page.evaluate("swarm.summary().counts")
    assert sum(counts) > 50
    assert counts[digit] >= 0.95 * sum(counts)
    assert str(digit) in page.inner_text("#verdict")


def test_several_digits_are_judged_one_by_one(opened: Callable[..., Page]) -> None:
    page = opened(sn.load_rule("digits"), "paused=1")
    for digit in (7, 2, 5):
        page.click(f"#samples button:nth-child({digit + 1})")
    steps(page, 100)
    assert page.inner_text("#verdict") == "7, 2, 5"
    assert page.inner_text("#detail").startswith("3 of 3 pieces agree")


def test_wounded_cells_forget_and_erased_cells_are_gone(opened: Callable[..., Page]) -> None:
    rule = sn.load_rule("digits")
    code = encoded(np.asarray(sn.images.strokes(1, seed=4).grey[0]))
    page = opened(rule, f"picture={code}&paused=1")
    steps(page, 60)
    cells, before = page.evaluate("swarm.summary().counts.reduce((a, b) => a + b)"), magnitude(page)
    page.click("[data-value=wound]")
    draw(page, np.array([[4.0, 14.0], [24.0, 14.0]]))
    assert page.evaluate("swarm.summary().counts.reduce((a, b) => a + b)") == cells
    assert 0 < magnitude(page) < 0.8 * before
    page.click("[data-value=erase]")
    draw(page, np.array([[4.0, 14.0], [24.0, 14.0]]))
    assert page.evaluate("swarm.summary().counts.reduce((a, b) => a + b)") < cells
    page.click("#restart")
    assert magnitude(page) == 0
    page.click("#clear")
    assert page.inner_text("#verdict") == "No cells yet"


def test_strokes_wounds_and_clear_are_undone_and_redone(opened: Callable[..., Page]) -> None:
    page = opened(sn.load_rule("digits"), "paused=1")
    # Weighted sums tell the moments apart.
    total = "one.reduce((sum, value, i) => sum + value * (1 + (i % 89)), 0)"
    now = f"[swarm.grey(), swarm.state()].map((one) => {total})"
    assert page.is_disabled("#undo")
    moments = [page.evaluate(now)]
    draw(page, np.array([[10.0, 10.0], [40.0, 16.0]]))
    moments.append(page.evaluate(now))
    steps(page, 20)
    lively = page.evaluate(now)
    page.click("[data-value=wound]")
    draw(page, np.array([[12.0, 10.0], [30.0, 14.0]]))
    moments.append(page.evaluate(now))
    page.click("#clear")
    moments.append(page.evaluate(now))
    assert len({tuple(one) for one in (*moments[1:], lively)}) == 4
    page.keyboard.press("Control+z")
    assert page.evaluate(now) == moments[2]
    assert page.inner_text("#clock") == "Step 20"
    page.click("#undo")
    assert page.evaluate(now) == lively  # before the wound
    page.click("#undo")
    assert page.evaluate(now) == moments[0]
    assert page.is_disabled("#undo")
    page.keyboard.press("Control+z")  # nothing is left to undo
    page.keyboard.press("Control+Shift+Z")
    assert page.evaluate(now) == lively  # the moment that the undo left
    page.click("#redo")
    page.click("#redo")
    assert page.evaluate(now) == moments[3]
    assert page.is_disabled("#redo")
    # Another canvas is an edit too; after a new edit there is nothing to redo.
    page.keyboard.press("Control+z")
    page.select_option("#size", "28 × 28")
    assert page.evaluate("swarm.size()") == [28, 28]
    assert page.is_disabled("#redo")
    page.click("#undo")
    assert page.evaluate("swarm.size()") == [56, 56]
    assert page.evaluate(now) == moments[2]


def test_a_link_starts_the_same_run(opened: Callable[..., Page]) -> None:
    rule = sn.load_rule("digits")
    page = opened(rule, "paused=1")
    draw(page, np.array([[10.0, 10.0], [12.0, 30.0], [40.0, 16.0]]))
    page.fill("#seed", "77")
    page.dispatch_event("#seed", "change")
    page.evaluate("document.getElementById('fire').value = 0.8")
    for kind in ("input", "change"):
        page.dispatch_event("#fire", kind)
    page.click("#restart")
    steps(page, 15)
    fragment = page.url.partition("#")[2]
    assert "seed=77" in fragment
    assert "fire=0.8" in fragment
    again = opened(rule, f"{fragment}&paused=1")
    steps(again, 15)
    both = [one.evaluate("swarm.state().join()") for one in (page, again)]
    assert magnitude(page) > 0
    assert both[0] == both[1]


@pytest.mark.parametrize(
    "fragment", ["picture=%%%", "picture=AAAA", "seed=-1&fire=9&noise=x&view=y"]
)
def test_a_broken_link_opens_an_empty_page(opened: Callable[..., Page], fragment: str) -> None:
    page = opened(sn.load_rule("digits"), fragment)
    assert page.inner_text("#verdict") == "No cells yet"
    assert page.input_value("#fire") == "0.5"


def test_without_webgl_the_page_runs_in_javascript(opened: Callable[..., Page]) -> None:
    page = opened(sn.load_rule("digits"), "engine=webgl&paused=1", setup=NO_WEBGL)
    page.click("#samples button:nth-child(4)")
    steps(page, 100)
    assert page.evaluate("swarm.engine()") == "JavaScript"
    assert "WebGL2" in page.evaluate("swarm.trouble()")
    assert page.inner_text("#verdict") == "All cells say 3"


def test_states_survive_a_lost_context(opened: Callable[..., Page]) -> None:
    page = opened(
        sn.load_rule("digits"),
        "engine=webgl&paused=1",
        setup="""const made = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (...given) {
          const context = made.apply(this, given);
          if (given[0] === "webgl2") window.lastContext = context;
          return context;
        };""",
    )
    page.click("#samples button:nth-child(4)")
    steps(page, 10)
    before = magnitude(page)
    page.evaluate("window.lastContext.getExtension('WEBGL_lose_context').loseContext()")
    wait_until(page, "window.lastContext.isContextLost()")
    steps(page, 1)
    assert magnitude(page) == pytest.approx(before, rel=1e-6)
    assert page.evaluate("swarm.engine()") == "JavaScript"
    steps(page, 90)
    assert page.inner_text("#verdict") == "All cells say 3"


@pytest.mark.parametrize("view", ["messages", "change"])
def test_other_views_show_something(opened: Callable[..., Page], view: str) -> None:
    page = opened(sn.load_rule("mnist"), "paused=1")
    page.click("#samples button:nth-child(5)")
    steps(page, 20)
    page.click(f"[data-value={view}]")
    assert f"view={view}" in page.url
    colors = page.evaluate(
        """() => {
          const canvas = document.getElementById("world");
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return new Set(new Uint32Array(data.buffer)).size;
        }"""
    )
    assert colors > 20


def test_play_goes_on_by_itself_and_pause_stops(opened: Callable[..., Page]) -> None:
    page = opened(sn.load_rule("digits"))
    page.click("#samples button:nth-child(2)")
    wait_until(page, "/\\d{2}/.test(document.getElementById('clock').textContent)")
    page.click("#play")
    held = page.inner_text("#clock")
    page.wait_for_timeout(300)
    assert page.inner_text("#clock") == held


@pytest.mark.parametrize("kind", ["classes", "growing", "life"])
def test_the_page_fits_a_phone_and_names_its_controls(
    opened: Callable[..., Page], kind: str
) -> None:
    rules: dict[str, Callable[[], Rule]] = {
        "classes": lambda: sn.load_rule("fashion-mnist"),
        "growing": Mlp.growing,
        "life": lambda: sn.make_rule(kind="life"),
    }
    page = opened(
        rules[kind](), viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    unnamed = page.evaluate(
        """[...document.querySelectorAll("input, select, button, canvas[tabindex]")].filter(
          (one) => !one.labels?.length && !one.getAttribute("aria-label") && !one.textContent.trim()
        ).map((one) => one.outerHTML)"""
    )
    assert unnamed == []
    page.touchscreen.tap(180, 350)
    assert page.evaluate("swarm.grey().some((value) => value > 0)")


def test_life_begins_with_a_pattern_and_takes_strokes(opened: Callable[..., Page]) -> None:
    page = opened(sn.make_rule(kind="life"), "paused=1")
    begun = page.evaluate("swarm.summary().counts[0]")
    assert begun == 7
    draw(page, np.array([[5.0, 5.0], [5.0, 25.0]]))
    assert page.evaluate("swarm.summary().counts[0]") > begun + 10


def test_the_page_tells_how_many_neighbours_a_cell_hears(opened: Callable[..., Page]) -> None:
    for name, words in (("digits", "eight"), ("digits-hex", "six"), ("digits-4", "four")):
        page = opened(sn.load_rule(name), "paused=1")
        assert f"It hears only its {words} neighbours" in page.inner_text("#lead")
