"""Exported pages in the browser; any script error on them fails a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from swarm_nca.export import EXPORTS, Precision
from swarm_nca.rules import Rule


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """opened(rule, fragment, precision=…, setup=…, **context): the exported page of a rule.

    `setup` is a script that runs before the page's own.
    """
    errors: list[str] = []
    contexts = []

    def open_page(
        rule: Rule,
        fragment: str = "",
        *,
        precision: Precision = "float32",
        setup: str = "",
        **context: Any,
    ) -> Page:
        file = tmp_path / "page.html"
        file.write_bytes(EXPORTS["html"].make(rule, "a rule", precision=precision))
        contexts.append(browser.new_context(**context))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith(("file:", "data:"))
                else errors.append(f"a request to {request.url}")
            ),
        )
        if setup:
            page.add_init_script(setup)
        page.goto(f"{file.as_uri()}#{fragment}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []
