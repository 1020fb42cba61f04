"""The README's Python runs unchanged; the YAML of the README and of `scenarios` is valid."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.testing import CliRunner

from swarm_nca.cli import app

ROOT = Path(__file__).parents[2]
README, SCENARIOS = ROOT / "README.md", "scenarios/README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.M | re.S)

#: The imports that the README leaves out.
IMPORTS = """
from __future__ import annotations
import torch
import swarm_nca as sn
"""


def block(beginning: str) -> dict[str, Any]:
    """The names defined by the one block that contains these words."""
    (code,) = (code for code in BLOCKS if beginning in code)
    module = ModuleType("readme")
    sys.modules["readme"] = module  # dataclasses resolve annotations there
    exec(compile(IMPORTS + code, str(README), "exec"), vars(module))
    return vars(module)


def test_no_block_is_left_out() -> None:
    assert len(BLOCKS) == 1


def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = block("sn.run(")
    assert names["agent"].neighbors
    assert len(names["world"]) == 1
    assert names["soup"].step.tolist() == [100]


def test_the_readme_fits_two_hundred_lines() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 200


PAGE_FILES = [
    file
    for pattern in ("*.md", "assets/*/README.md", "scenarios/README.md", "**/README.md")
    for file in sorted(ROOT.glob(pattern))
    if not {".git", "runs", ".venv", "node_modules"} & set(file.relative_to(ROOT).parts)
]


@pytest.mark.parametrize(
    "page", sorted(set(PAGE_FILES)), ids=lambda page: str(page.relative_to(ROOT))
)
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)(?:#[\w-]+)?\)", text) + re.findall(r'src="([^"]+)"', text)
    for link in links:
        if not link.startswith(("http", "mailto:")):
            assert (page.parent / link).exists(), link


PAGES = {page: (ROOT / page).read_text(encoding="utf-8") for page in ("README.md", SCENARIOS)}
FILES = [
    (page, text)
    for page, content in PAGES.items()
    for text in re.findall(r"^```yaml\n(.*?)^```", content, re.M | re.S)
]


@pytest.mark.parametrize(("page", "text"), FILES, ids=[text.split()[1] for _, text in FILES])
def test_yaml_of_the_pages_is_valid(page: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "shown.yaml").write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, ["check", str(tmp_path / "shown.yaml")])
    assert result.exit_code == 0, result.output


def test_every_scenario_and_recipe_is_listed_on_its_page() -> None:
    listed = set(re.findall(r"`([\w-]+)`", PAGES[SCENARIOS]))
    existing = {file.stem for file in (ROOT / "scenarios").rglob("*.yaml")}
    assert existing - listed == set()
