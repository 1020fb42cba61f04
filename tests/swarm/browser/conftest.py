"""The page on a server of its own, opened in headless Chromium; a script error fails a test."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, expect

#: Seconds: a busy machine takes long to import torch, and to draw four figures.
PATIENCE = 120

expect.set_options(timeout=1000 * PATIENCE)


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of `solara run swarm_nca.swarm.visualization`."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("solara")
    command = [sys.executable, "-m", "solara", "run", "swarm_nca.swarm.visualization"]
    options = ["--no-open", "--production", "--host", "localhost", "--port", str(port)]
    root = str(Path(__file__).parents[3])
    paths = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    with (folder / "log.txt").open("w") as log:
        server = subprocess.Popen(
            [*command, *options],
            cwd=folder,
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONPATH": paths},
        )
        try:
            url = f"http://localhost:{port}"
            end = time.monotonic() + PATIENCE
            while not _answers(url):
                if server.poll() is not None or time.monotonic() > end:
                    pytest.fail(f"no page: {(folder / 'log.txt').read_text()}")
                time.sleep(0.2)
            yield url
        finally:
            server.terminate()
            server.wait(30)


@pytest.fixture
def page(address: str, browser: Browser) -> Iterator[Page]:
    """The page, newly opened."""
    errors: list[str] = []
    page = browser.new_page(viewport={"width": 1400, "height": 1100})
    page.set_default_timeout(1000 * PATIENCE)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    yield page
    page.close()
    assert errors == []


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=PATIENCE):
            return True
    except (URLError, ConnectionError):
        return False
