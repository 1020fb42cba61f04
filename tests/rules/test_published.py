"""Files that are not the published rule's are refused; `tests/data` reads the rule itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from swarm_nca.rules import load_rule


@pytest.mark.parametrize(
    "text",
    ["", "{", "not json at all", "\xff\xfe", "PK\x03\x04"],
    ids=["empty", "cut", "prose", "bytes", "zip"],
)
def test_what_is_no_json_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rule.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match="not a readable JSON file"):
        load_rule(path)


@pytest.mark.parametrize(
    "other",
    [
        {},
        [],
        3,
        None,
        {"modelTopology": []},
        {"modelTopology": {"node": 7}},
        {"modelTopology": {"node": ["a"]}},
        {"modelTopology": {"node": [{"op": "Const", "name": 3}]}},
    ],
    ids=str,
)
def test_other_json_is_refused_with_the_cure(tmp_path: Path, other: Any) -> None:
    path = tmp_path / "rule.json"
    path.write_text(json.dumps(other))
    with pytest.raises(ValueError, match=r"not a TensorFlow\.js graph.*\.safetensors"):
        load_rule(path)
