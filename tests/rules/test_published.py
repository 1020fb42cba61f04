"""Files other than the published rule are refused; `tests/data` reads the published rule."""

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
def test_files_without_json_are_refused(tmp_path: Path, text: str) -> None:
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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 200_000, "nested more than 64 deep"),
        ('{"size": ' + "9" * 10_000 + "}", "a whole number of 10,000 digits"),
        ('{"size": Infinity}', "Infinity is not a finite number"),
        ('{"size": 1e999}', "beyond the range of floats"),
        (" " * (4 << 20) + "{}", "characters of JSON, at most 4,194,304 are read"),
    ],
    ids=["deep", "digits", "infinity", "float", "long"],
)
def test_extreme_json_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "rule.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        load_rule(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("size", [1.5, -1, True, None, [3], "٣", "3 ", "9" * 30, 10**30])
def test_invalid_sizes_are_refused(tmp_path: Path, size: Any) -> None:
    shape = {"dim": [{"size": size}]}
    node = {
        "op": "Const",
        "name": "two\nlines/resource",
        "attr": {"value": {"tensor": {"tensorShape": shape, "tensorContent": ""}}},
    }
    path = tmp_path / "rule.json"
    path.write_text(json.dumps({"modelTopology": {"node": [node] * 6}}))
    with pytest.raises(ValueError, match=r"constant two\\nlines/resource is damaged") as caught:
        load_rule(path)
    assert len(str(caught.value).splitlines()) == 1
