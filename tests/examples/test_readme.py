"""The README's Python runs as it stands there."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

README = Path(__file__).parents[2] / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.M | re.S)

#: What the README leaves out.
IMPORTS = """
from __future__ import annotations
import torch
import swarm_nca as sn
"""


def block(beginning: str) -> dict[str, Any]:
    """What the one block that contains these words leaves behind when it has run."""
    (code,) = (code for code in BLOCKS if beginning in code)
    module = ModuleType("readme")
    sys.modules["readme"] = module  # where dataclasses look for what annotations mean
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
