"""The site holds every README of the project, executes its tutorials, and stays out of wheels.

Building it is a step of `.ci/run`: these checks need no Sphinx.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SITE = ROOT / "assets" / "site"
FOLDERS = ("assets", "scenarios", "swarm_nca", "tests")


def pages() -> dict[str, str]:
    """Every page of the site, by its name without suffix."""
    return {
        page.relative_to(SITE).with_suffix("").as_posix(): page.read_text(encoding="utf-8")
        for suffix in ("md", "rst")
        for page in SITE.rglob(f"*.{suffix}")
        if page != SITE / "README.md"
    }


def test_every_readme_is_included_in_one_page() -> None:
    readmes = {file.relative_to(ROOT) for name in FOLDERS for file in (ROOT / name).rglob("*.md")}
    readmes = {file for file in readmes if file.name == "README.md"}
    readmes |= {Path("README.md"), Path("CHANGELOG.md")}
    included = [
        Path(path)
        for text in pages().values()
        for path in re.findall(r"^```\{readme\} (\S+)$", text, re.M)
    ]
    assert readmes <= set(included)
    assert len(set(included)) == len(included)


def test_every_page_stands_in_a_table_of_contents() -> None:
    named = {"index"}
    for page, text in pages().items():
        for block in re.findall(r"^```\{toctree\}\n(.*?)^```", text, re.M | re.S):
            folder = Path(page).parent
            named |= {(folder / line).as_posix() for line in re.findall(r"^[\w/-]+$", block, re.M)}
    assert set(pages()) == named


@pytest.mark.parametrize(
    "tutorial", ["first-run", "own-classes", "agents-and-tests", "rule-family"]
)
def test_a_tutorial_has_no_python_or_command_that_is_not_executed(tutorial: str) -> None:
    text = (SITE / "tutorials" / f"{tutorial}.md").read_text(encoding="utf-8")
    assert "```{run-python}" in text
    assert not re.search(r"^```(python|sh|bash)$", text, re.M)


def test_the_wheel_carries_every_folder_of_assets_but_the_site() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    carried = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    folders = {f"assets/{folder.name}" for folder in (ROOT / "assets").iterdir() if folder.is_dir()}
    assert carried.keys() == folders - {"assets/site"} | {"scenarios"}
    assert all(target == f"swarm_nca/_shipped/{source}" for source, target in carried.items())
