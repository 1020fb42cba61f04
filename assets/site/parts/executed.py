"""Runs the code of a page while the site is built, and shows what it prints and draws.

Three blocks, executed in the order of the page by one new process, in an empty folder:

- `{run-python}`: Python in one name space per page. What it prints is shown, then the value of a
  last expression, as in a notebook. With `:alt:`, which describes it, the value is shown as a
  picture.
- `{run-command}`: lines that call `swarm-nca` or `pytest`. `:status:` is the exit code that the
  last line must have, 0 without it.
- `{write-file} PATH`: writes the block into a file. `:hidden:` leaves it out of the page.

A block that fails, or a page that takes more than `LIMIT` seconds of processor time, stops the
build.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

#: Seconds of processor time that one page may take (210 on a slow processor of 2017), and seconds
#: after which it counts as hung.
LIMIT, HUNG = 360, 900

_LANGUAGES = {".py": "python", ".yaml": "yaml", ".toml": "toml"}
_LOGGER = logging.getLogger(__name__)


class Block(nodes.General, nodes.Element):
    """A block that was read and not yet executed; `work` is what the runner takes."""


class _Executed(SphinxDirective):
    has_content = True
    kind: ClassVar[str]

    def run(self) -> list[nodes.Node]:
        """One `Block`."""
        work = {
            "kind": self.kind,
            "code": "\n".join(self.content) + "\n",
            "line": self.lineno,
            "name": self.arguments[0] if self.arguments else "",
            "alt": self.options.get("alt", ""),
            "status": self.options.get("status", 0),
            "hidden": "hidden" in self.options,
        }
        return [Block(work=work)]


class RunPython(_Executed):
    """`{run-python}`, see the module."""

    kind = "python"
    option_spec: ClassVar = {"alt": directives.unchanged_required}


class RunCommand(_Executed):
    """`{run-command}`, see the module."""

    kind = "command"
    option_spec: ClassVar = {"status": directives.nonnegative_int}


class WriteFile(_Executed):
    """`{write-file} PATH`, see the module."""

    kind = "file"
    required_arguments = 1
    option_spec: ClassVar = {"hidden": directives.flag}


def execute(app: Sphinx, doctree: nodes.document) -> None:
    """Executes the blocks of a page and puts their results in their places."""
    blocks = list(doctree.findall(Block))
    if not blocks:
        return
    page = app.env.docname
    pictures = Path(app.doctreedir) / "executed" / page.replace("/", "-")
    results = _results(page, [block["work"] for block in blocks], pictures)
    seconds = sum(result["seconds"] for result in results)
    _LOGGER.info("executed %s in %.0f s of processor time", page, seconds)
    if seconds > LIMIT:
        raise ExtensionError(f"{page}: its code takes {seconds:.0f} s, more than {LIMIT}")
    for block, result in zip(blocks, results, strict=True):
        block.replace_self(_shown(app, block["work"], result))


def _results(page: str, work: list[dict[str, Any]], pictures: Path) -> list[dict[str, Any]]:
    pictures.mkdir(parents=True, exist_ok=True)
    runner = Path(__file__).with_name("runner.py")
    with tempfile.TemporaryDirectory() as folder:
        path = os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH")]))
        settings = {"PYTHONPATH": path, "COLUMNS": "88", "NO_COLOR": "1", "PYTHONUTF8": "1"}
        try:
            done = subprocess.run(
                [sys.executable, str(runner), str(pictures)],
                input=json.dumps(work),
                cwd=folder,
                env=os.environ | settings,
                capture_output=True,
                encoding="utf-8",
                timeout=HUNG,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ExtensionError(f"{page}: its code does not end within {HUNG} s") from None
    if done.returncode:
        raise ExtensionError(f"{page}: its code fails\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    results: list[dict[str, Any]] = json.loads((pictures / "results.json").read_text("utf-8"))
    return results


def _shown(app: Sphinx, work: dict[str, Any], result: dict[str, Any]) -> list[nodes.Node]:
    if work["hidden"]:
        return []
    language = {"python": "python", "command": "sh"}.get(work["kind"])
    language = language or _LANGUAGES.get(Path(work["name"]).suffix, "text")
    code: nodes.Element = nodes.literal_block(work["code"], work["code"], language=language)
    if work["kind"] == "file":
        caption = nodes.caption("", "", nodes.literal("", work["name"]))
        code = nodes.container("", caption, code, literal_block=True)
        code["classes"] = ["literal-block-wrapper"]
        code["ids"] = [f"file-{work['line']}"]  # Sphinx numbers captions by it
    shown: list[nodes.Node] = [code]
    if result["text"].strip():
        text = result["text"].rstrip() + "\n"
        shown.append(nodes.literal_block(text, text, language="text", classes=["output"]))
    if result["picture"]:
        address = "/" + Path(os.path.relpath(result["picture"], app.srcdir)).as_posix()
        shown.append(nodes.image(uri=address, alt=work["alt"], classes=["output"]))
    return shown


def setup(app: Sphinx) -> dict[str, Any]:
    """Connects the extension."""
    app.add_node(Block)
    app.add_directive("run-python", RunPython)
    app.add_directive("run-command", RunCommand)
    app.add_directive("write-file", WriteFile)
    app.connect("doctree-read", execute, priority=100)  # before Sphinx collects pictures
    return {"parallel_read_safe": True, "parallel_write_safe": True, "env_version": 1}
