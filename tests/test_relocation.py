"""Paths in a file, made relative to another folder: `config.relocation`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm_nca.config import folder_name, parse, path_from, relocated

FOLDERS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=3).map(lambda parts: "/".join(parts))
PATHS = st.lists(st.sampled_from(["..", "a", "b"]), max_size=3).map(
    lambda parts: "/".join([*parts, "x.png"])
)


@given(old=FOLDERS, new=FOLDERS, path=PATHS)
def test_a_path_made_relative_to_another_folder_leads_to_the_same_file(
    old: str, new: str, path: str
) -> None:
    root = Path.cwd() / "p" / "q" / "r" / "s"
    moved = path_from(root / new, root / old, path)
    assert not Path(moved).is_absolute()
    assert os.path.normpath(root / new / moved) == os.path.normpath(root / old / path)


def test_paths_at_any_depth_are_relocated_and_nothing_else() -> None:
    absolute = str(Path("/pictures/seven.png").absolute())
    data = {
        "file": "x.png",
        "row": [{"folder": "signs"}, {"chimera": [{"file": "y.png"}, {"dataset": "a/b"}]}],
        "name": "x.png",
        "data": ({"folder": None}, {"file": absolute}),
    }
    assert relocated(data, Path("here"), Path("there/below")) == {
        "file": "../../here/x.png",
        "row": [
            {"folder": "../../here/signs"},
            {"chimera": [{"file": "../../here/y.png"}, {"dataset": "a/b"}]},
        ],
        "name": "x.png",
        "data": [{"folder": None}, {"file": absolute}],
    }


@pytest.mark.parametrize(
    ("change", "path", "found"),
    [
        ("images.file=x.png", ("images", "file"), "x.png"),
        ("row.0.folder=signs", ("row", 0, "folder"), "signs"),
        ("rule=runs/mine/rule.safetensors", ("rule",), "runs/mine/rule.safetensors"),
        ("rule.weights=own.safetensors", ("rule", "weights"), "own.safetensors"),
    ],
)
def test_a_path_in_an_override_is_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str, path: tuple[Any, ...], found: str
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    document = parse("row: [{}]", str(tmp_path / "there" / "x.yaml")).with_overrides([change])
    data: Any = document.data
    for step in path:
        data = data[step]
    assert os.path.normpath(tmp_path / "there" / data) == str(tmp_path / "here" / found)


def test_a_path_through_a_link_keeps_the_link_unless_it_goes_up_after_it(tmp_path: Path) -> None:
    for folder in ("big/deep/shapes", "project/runs"):
        (tmp_path / folder).mkdir(parents=True)
    project = tmp_path / "project"
    (project / "data").symlink_to(tmp_path / "big" / "deep")
    (project / "linked").symlink_to(tmp_path / "big" / "deep")
    assert path_from(project / "runs", project, "data/shapes") == "../data/shapes"
    up = path_from(project / "runs", project, "data/../x")
    assert (project / "runs" / up).resolve() == tmp_path / "big" / "x"
    back = path_from(project / "linked", project, "data/shapes")
    assert (project / "linked" / back).resolve() == tmp_path / "big" / "deep" / "shapes"


def test_names_in_an_override_stay_names(tmp_path: Path) -> None:
    document = parse("{}", str(tmp_path / "x.yaml"))
    changed = document.with_overrides(["rule=digits", "rules.weights=mnist", "name=a/b"])
    assert changed.data == {"rule": "digits", "rules": {"weights": "mnist"}, "name": "a/b"}


def test_paths_at_any_depth_of_an_override_are_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path)
    changed = parse("a: 1", str(tmp_path / "there" / "x.yaml")).with_overrides(
        ["data=[{folder: pics, name: a/b}]", "images={chimera: [{file: a.png}, {glyph: A}]}"]
    )
    assert changed.data == {
        "a": 1,
        "data": [{"folder": "../pics", "name": "a/b"}],
        "images": {"chimera": [{"file": "../a.png"}, {"glyph": "A"}]},
    }


def test_the_files_of_rules_are_relocated_but_neither_names_nor_settings_of_families() -> None:
    data = {
        "rule": {"kind": "life", "rule": "B3/S23"},
        "perturbations": [
            {"kind": "immigrants", "rule": "guest.safetensors"},
            {"kind": "immigrants", "rule": "guest"},
            {"kind": "immigrants", "rule": "digits"},
        ],
    }
    moved = relocated(data, Path("here"), Path("there"), ("digits", "mnist"))
    assert moved["rule"] == data["rule"]
    assert [each["rule"] for each in moved["perturbations"]] == [
        "../here/guest.safetensors",
        "../here/guest",
        "digits",
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("seven", "seven"),
        ("my first (2)", "my-first--2-"),
        ("--größe", "größe"),
        ("...", "unnamed"),
        ("é" * 80, "é" * 50),
    ],
)
def test_any_text_becomes_the_name_of_a_folder(text: str, name: str) -> None:
    assert folder_name(text) == name
    ended = folder_name(text, "-from-7")
    assert ended.endswith("-from-7")
    assert len(ended.encode()) <= 100
