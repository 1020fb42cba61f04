"""Finds the data folders of the package in every kind of installation.

In a wheel they are inside the package, in a checkout (an editable install) beside it.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """The folder `scenarios` or `assets`.

    Raises:
        FileNotFoundError: the installation has no such folder.
    """
    for place in (_PACKAGE / "_shipped" / name, _PACKAGE.parent / name):
        if place.is_dir():
            return place
    raise FileNotFoundError(
        f"the folder {name!r} that travels with swarm_nca is missing; reinstall the package"
    )
