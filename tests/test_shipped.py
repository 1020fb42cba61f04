"""The data folders of the package are found in a wheel and in a checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from swarm_nca import shipped

PACKAGE = Path(shipped.__file__).parent


@pytest.mark.parametrize("name", ["scenarios", "assets"])
def test_this_installation_has_both_folders(name: str) -> None:
    assert any(shipped.folder(name).iterdir())


def look_up(site: Path, name: str) -> subprocess.CompletedProcess[str]:
    """Output of the look-up when the package is in `site`."""
    (site / "swarm_nca").mkdir(parents=True, exist_ok=True)
    for file in ("__init__.py", "shipped.py"):
        shutil.copy(PACKAGE / file, site / "swarm_nca" / file)
    code = f"from swarm_nca.shipped import folder; print(folder({name!r}))"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=site, capture_output=True, text=True, check=False
    )


def test_in_a_wheel_the_folder_is_inside_the_package(tmp_path: Path) -> None:
    inside = tmp_path / "swarm_nca" / "_shipped" / "assets"
    inside.mkdir(parents=True)
    # A folder of that name beside an installed package belongs to another package.
    (tmp_path / "assets").mkdir()
    assert Path(look_up(tmp_path, "assets").stdout.strip()).samefile(inside)


def test_in_a_checkout_the_folder_is_beside_the_package(tmp_path: Path) -> None:
    beside = tmp_path / "scenarios"
    beside.mkdir()
    assert Path(look_up(tmp_path, "scenarios").stdout.strip()).samefile(beside)


def test_a_missing_folder_asks_for_a_reinstallation(tmp_path: Path) -> None:
    error = look_up(tmp_path, "assets").stderr
    assert "FileNotFoundError" in error
    assert "reinstall the package" in error
