"""Speed of an exported page at 140×140 cells, with the browser's software rendering.

`python -m tests.export.bench` prints steps per second of both engines for a canvas of 8 and one of
25 digits. It needs what the tests in `tests/export/browser` need.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

import swarm_nca as sn
from swarm_nca.export import EXPORTS
from swarm_nca.export.picture_code import encoded

from .flags import FLAGS

SIDE, TILE = 140, 28

#: Steps, each with its picture on the screen's canvas, for three seconds.
MEASURE = """() => {
  const run = () => { swarm.step(); swarm.draw(); };
  for (let i = 0; i < 5; i++) run();
  const start = performance.now();
  let steps = 0;
  while (performance.now() - start < 3000) { run(); steps++; }
  return 1000 * steps / (performance.now() - start);
}"""


def main() -> None:
    """Measure and print."""
    pictures = sn.images.strokes(25, seed=1).grey
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        file = Path(folder) / "page.html"
        file.write_bytes(EXPORTS["html"].make(sn.load_rule("digits"), "", precision="float32"))
        for count in (8, 25):
            canvas = np.zeros((SIDE, SIDE), np.float32)
            for i, picture in enumerate(pictures[:count]):
                top, left = TILE * (i // 5), TILE * (i % 5)
                canvas[top : top + TILE, left : left + TILE] = picture
            for engine in ("javascript", "webgl"):
                page = browser.new_page()
                page.goto(f"{file.as_uri()}#picture={encoded(canvas)}&paused=1&engine={engine}")
                speed = page.evaluate(MEASURE)
                print(
                    f"{count} digits, {(canvas > 0.1).sum()} cells, {engine}: {speed:.1f} steps/s"
                )
                page.close()
        browser.close()


if __name__ == "__main__":
    main()
