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
    assert len(BLOCKS) == 3


def test_a_first_session_runs_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = block("sn.run(")
    assert names["agent"].neighbors
    assert len(names["world"]) == 1


def test_the_unit_test_of_one_agent_passes() -> None:
    block("lone_agent")["test_an_agent_surrounded_by_twos_turns_towards_two"]()


def test_a_glider_is_back_where_it_began() -> None:
    names = block('kind="life"')
    shown = names["life"].readout.image(names["world"])
    assert shown.dtype == bool
    assert (shown == names["board"][0].numpy()).all()
    assert names["world"].step.tolist() == [128]


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
