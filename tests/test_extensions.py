"""Rule families of other packages are found by entry points."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import swarm_nca as sn
from swarm_nca.extensions import with_extensions
from swarm_nca.rules import RULES, Rule, family
from swarm_nca.testing import assert_same_trajectory, tiny_world

OUTSIDE = Path(__file__).parent / "outside_package"


def install(folder: Path, name: str, entries: dict[str, str], group: str = "rules") -> None:
    """Write the metadata of an installed package to a folder."""
    info = folder / f"{name.replace('-', '_')}-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n")
    lines = [f"[swarm_nca.{group}]", *(f"{key} = {value}" for key, value in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for installed packages."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.fixture
def majority(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install the package in `outside_package`."""
    monkeypatch.syspath_prepend(OUTSIDE)
    project = tomllib.loads((OUTSIDE / "pyproject.toml").read_text())["project"]
    install(site, project["name"], project["entry-points"]["swarm_nca.rules"])


def by_hand(grey: np.ndarray[Any, Any], share: float) -> np.ndarray[Any, Any]:
    """One step of the majority rule by sums of shifted arrays, over all nine slots."""
    padded = np.pad(grey, 1)
    rows, columns = grey.shape
    shifted = [padded[r : r + rows, c : c + columns] for r in range(3) for c in range(3)]
    mean: np.ndarray[Any, Any] = np.mean(shifted, axis=0)
    return (mean > share).astype(float)


@pytest.mark.usefixtures("majority")
@pytest.mark.parametrize("share", [0.4, 0.3])
def test_a_family_of_another_package_runs_and_is_saved(tmp_path: Path, share: float) -> None:
    rule = sn.make_rule(kind="majority", share=share)
    back = sn.load_rule(sn.save_rule(rule, tmp_path / "mine.safetensors"))
    assert back.hash() == rule.hash() != sn.make_rule(kind="majority", share=0.9).hash()
    assert (back.kind, back.settings()) == ("majority", {"share": share})
    grey = (np.random.default_rng(15).random((6, 7)) < 0.5).astype(float)
    world, expected = sn.World.from_images([grey], rule), grey
    for _ in range(4):
        world, expected = sn.rollout(world, back, 1), by_hand(expected, share)
        assert np.array_equal(back.readout.image(world), expected > 0.5)
    assert 0 < expected.sum() < expected.size


@pytest.mark.usefixtures("majority")
def test_agents_of_that_family_equal_its_batch() -> None:
    rule = sn.make_rule(kind="majority")
    world = tiny_world("##..#\n.##.#\n#.###\n.#.##", rule)
    assert_same_trajectory(world, rule, steps=5)
    assert torch.equal(sn.rollout(world, rule, 0).state, world.state)


@pytest.mark.usefixtures("majority")
def test_unknown_settings_of_that_family_are_refused() -> None:
    with pytest.raises(ValueError, match=r"no setting 'shar' \(did you mean 'share'\?\)"):
        sn.make_rule(kind="majority", shar=0.4)


def test_the_family_is_unknown_without_the_package() -> None:
    with pytest.raises(ValueError, match="no rule family 'majority':"):
        sn.make_rule(kind="majority")


def test_extensions_add_to_a_copy_of_the_table(site: Path) -> None:
    (site / "wide.py").write_text(
        "from swarm_nca.rules import Life\nclass Wide(Life):\n    kind = 'wide'\n"
    )
    install(site, "wide-life", {"wide": "wide:Wide"})
    extended = with_extensions("swarm_nca.rules", RULES, Rule)  # type: ignore[type-abstract]
    assert {name: extended[name] for name in RULES} == RULES
    assert extended.keys() - RULES.keys() == {"wide"}
    assert "wide" not in RULES
    assert family("wide")().kind == "wide"


BROKEN = {
    "absent": ({"odd": "absent_module:Odd"}, "", r"cannot be imported \(ModuleNotFoundError: .*\); "
               "repair or uninstall odd-rules"),
    "raising": ({"odd": "odd:Odd"}, "1 / 0", r"imported \(ZeroDivisionError: division by zero\)"),
    "nameless": ({"odd": "odd:Odd"}, "", r"cannot be imported \(AttributeError"),
    "no class": ({"odd": "odd:Odd"}, "Odd = 3", "odd-rules, must be a subclass of Rule, got 3"),
    "no rule": ({"odd": "odd:Odd"}, "class Odd: pass", "must be a subclass of Rule, got <class"),
    "taken": ({"life": "odd:Odd"}, "from swarm_nca.rules import Life as Odd",
              "takes a name that swarm_nca has itself; rename it there"),
    "another kind": ({"odd": "odd:Odd"}, "from swarm_nca.rules import Life as Odd",
                     "names a class of kind 'life'; the two must be the same"),
}  # fmt: skip


@pytest.mark.parametrize(("entries", "code", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_entry_point_gives_one_clear_line(
    site: Path, monkeypatch: pytest.MonkeyPatch, entries: dict[str, str], code: str, message: str
) -> None:
    monkeypatch.delitem(sys.modules, "odd", raising=False)
    (site / "odd.py").write_text(code)
    install(site, "odd-rules", entries)
    with pytest.raises(ValueError, match=message) as raised:
        sn.make_rule(kind="odd")
    assert "\n" not in str(raised.value)
    assert "odd-rules" in str(raised.value)
    assert sn.make_rule(kind="life").kind == "life"  # other families still work


def test_two_packages_with_the_same_entry_point_are_refused(site: Path) -> None:
    (site / "wide.py").write_text(
        "from swarm_nca.rules import Life\nclass Wide(Life):\n    kind = 'wide'\n"
    )
    install(site, "first-life", {"wide": "wide:Wide"})
    install(site, "second-life", {"wide": "wide:Wide"})
    with pytest.raises(ValueError, match="first-life and second-life, name an entry point 'wide'"):
        family("wide")
