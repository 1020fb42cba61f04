"""`{playable-rules}`: a web page for each shipped rule and for Life, by `swarm-nca export`.

The list ends with the rules that a page cannot run, and why.
Where the installed `swarm-nca` has no `export`, the directive says so instead of listing pages.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from swarm_nca.rules import shipped_rules

#: Shipped rules without a page.
LEFT_OUT = {
    "mnist-bnn": "its inputs are quantized, and pages compute floats",
    "mnist-messages-1bit": "it needs messages of one bit, and those of a page are floats",
}


def _swarm_nca(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "swarm_nca", *arguments],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


class PlayableRules(SphinxDirective):
    """The list of exported pages."""

    def run(self) -> list[nodes.Node]:
        """A list of links, or a note."""
        if _swarm_nca("export", "--help").returncode:
            text = "This site was built by a version of swarm-nca that has no command "
            rest = ". Draw in the viewer instead, or build the site with a later version."
            note = nodes.paragraph("", text, nodes.literal("", "export"), nodes.Text(rest))
            return [nodes.note("", note)]
        folder = _folder(self.env.app)
        folder.mkdir(parents=True, exist_ok=True)
        items = nodes.bullet_list()
        for rule in (*shipped_rules(), "life"):
            if rule in LEFT_OUT:
                continue
            file = folder / f"{rule}.html"
            done = _swarm_nca("export", rule, "--to", "html", "--out", str(file))
            if done.returncode or not file.is_file():
                raise ExtensionError(f"swarm-nca export {rule} --to html fails\n{done.stderr}")
            link = nodes.raw("", f'<a href="play/{rule}.html">{rule}</a>', format="html")
            items += nodes.list_item("", nodes.paragraph("", "", link))
        for rule, reason in LEFT_OUT.items():
            text = nodes.Text(f" has no page: {reason}.")
            items += nodes.list_item("", nodes.paragraph("", "", nodes.literal("", rule), text))
        return [items]


def _folder(app: Sphinx) -> Path:
    """Where pages lie between reading and writing, kept with the environment."""
    return Path(app.doctreedir) / "play"


def copy(app: Sphinx, problem: Exception | None) -> None:
    """Copies the exported pages into the site."""
    if problem is None and app.builder.name == "html" and _folder(app).is_dir():
        shutil.copytree(_folder(app), Path(app.outdir) / "play", dirs_exist_ok=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connects the extension."""
    app.add_directive("playable-rules", PlayableRules)
    app.connect("build-finished", copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
