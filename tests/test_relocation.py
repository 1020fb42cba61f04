"""Paths in a file, told from another folder: `located.relocation`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm_nca.config import parse, path_from, relocated

FOLDERS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=3).map(lambda parts: "/".join(parts))
PATHS = st.lists(st.sampled_from(["..", "a", "b"]), max_size=3).map(
    lambda parts: "/".join([*parts, "x.png"])
)


@given(old=FOLDERS, new=FOLDERS, path=PATHS)
def test_a_path_told_from_another_folder_leads_to_the_same_file(
    old: str, new: str, path: str
) -> None:
    root = Path.cwd() / "p" / "q" / "r" / "s"
    told = path_from(root / new, root / old, path)
    assert not Path(told).is_absolute()
    assert os.path.normpath(root / new / told) == os.path.normpath(root / old / path)


def test_paths_move_however_deep_they_lie_and_nothing_else_does() -> None:
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
def test_a_path_set_on_the_way_starts_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str, path: tuple[Any, ...], found: str
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    document = parse("row: [{}]", str(tmp_path / "there" / "x.yaml")).with_overrides([change])
    data: Any = document.data
    for step in path:
        data = data[step]
    assert os.path.normpath(tmp_path / "there" / data) == str(tmp_path / "here" / found)


def test_a_path_through_a_link_stays_one_unless_it_goes_up_behind_it(tmp_path: Path) -> None:
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


def test_names_set_on_the_way_stay_names(tmp_path: Path) -> None:
    document = parse("{}", str(tmp_path / "x.yaml"))
    changed = document.with_overrides(["rule=digits", "rules.weights=mnist", "name=a/b"])
    assert changed.data == {"rule": "digits", "rules": {"weights": "mnist"}, "name": "a/b"}


def test_paths_anywhere_in_a_change_start_from_the_working_directory(
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
