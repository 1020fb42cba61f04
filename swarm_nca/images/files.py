"""Reads picture files (PNG, JPEG, WebP, BMP or GIF) as grey ink on an empty background.

Cells are alive on ink, so ink and paper must be told apart. By default (`ink="auto"`) the paper is
the median of the border: if it is transparent or light, darker pixels are ink; if it is dark,
lighter pixels are ink. The paper's brightness becomes 0, so scans on greyish paper work.
`ink="dark"` assumes white paper and `ink="light"` black paper, for any border.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from swarm_nca.images.decoding import decoded
from swarm_nca.images.pictures import MOST_PIXELS, Grey, Pictures

Ink: TypeAlias = Literal["auto", "dark", "light"]

_SYSTEM_FILES = ("thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx")  # of file managers


def read_picture(
    path: str | Path, *, size: tuple[int, int] | None = None, ink: Ink = "auto"
) -> Grey:
    """The ink of a picture file, [H, W] in [0, 1].

    `size`: (rows, columns) to fit with the aspect kept; None keeps the picture's own size.
    Raises ValueError naming the file if it is missing, too large (see `decoding.MOST`),
    unreadable, or without ink.
    """
    path = Path(path)
    if ink not in ("auto", "dark", "light"):
        raise ValueError(f"ink is auto, dark or light, got {ink!r}")
    brightness, opacity = decoded(path)
    grey = _inked(brightness, opacity, ink)
    if size is not None:
        factor = min(size[0] / grey.shape[0], size[1] / grey.shape[1])
        grey = resized(grey, (round(grey.shape[0] * factor), round(grey.shape[1] * factor)))
    if not grey.any():
        raise ValueError(
            f"{path}: shows no ink: draw something that differs from the border, or set "
            "ink: dark or ink: light"
        )
    return grey


def read_folder(
    path: str | Path, *, size: tuple[int, int] | None = None, ink: Ink = "auto"
) -> Pictures:
    """All pictures of a folder with one subfolder per class, in the order of their names.

    The classes are the subfolders' names, sorted. Hidden files and files of file managers
    (`Thumbs.db`, `__MACOSX`, …) are skipped.
    Raises ValueError naming a missing, empty or unreadable file or folder.
    """
    path = Path(path)
    folders = _listed(path, Path.is_dir)
    if not folders:
        raise ValueError(f"{path}: has no subfolders: put the pictures of each class into one")
    grey, labels, pixels = [], [], 0
    for label, folder in enumerate(folders):
        files = _listed(folder, Path.is_file)
        if not files:
            raise ValueError(f"{folder}: holds no pictures: add some, or remove the folder")
        for file in files:
            grey.append(read_picture(file, size=size, ink=ink))
            pixels += grey[-1].size
            if pixels > MOST_PIXELS:
                raise ValueError(
                    f"{file}: the pictures of {path} up to this one have more than "
                    f"{MOST_PIXELS:,} pixels, too many for memory: set a size, or use fewer"
                )
        labels += [label] * len(files)
    return Pictures(tuple(grey), np.array(labels), tuple(folder.name for folder in folders))


def resized(grey: Grey, size: tuple[int, int]) -> Grey:
    """A picture [H, W] resampled to (rows, columns), bicubic; at least 1 × 1."""
    rows, columns = (max(1, side) for side in size)
    if grey.shape == (rows, columns):
        return grey
    image = Image.fromarray(np.ascontiguousarray(grey, np.float32))
    smooth = image.resize((columns, rows), Image.Resampling.BICUBIC)
    return np.clip(np.asarray(smooth, np.float32), 0.0, 1.0)


def _inked(brightness: Grey, opacity: Grey, ink: Ink) -> Grey:
    paper = {"dark": 1.0, "light": 0.0}.get(ink)
    if paper is None:
        paper = _paper(brightness, opacity)
    shown = opacity * brightness
    behind = 1 - opacity
    behind *= paper
    shown += behind
    grey: Grey = shown
    if paper > 0.5:
        np.subtract(paper, shown, out=grey)
        grey /= paper
    else:
        grey -= paper
        grey /= 1 - paper
    np.clip(grey, 0.0, 1.0, out=grey)
    return grey


def _paper(brightness: Grey, opacity: Grey) -> float:
    """The paper's brightness: the border's; for a transparent border, the opposite of the ink's."""
    if np.median(_border(opacity)) < 0.5:
        seen = opacity.sum()
        return 1.0 if seen == 0 or (brightness * opacity).sum() / seen <= 0.5 else 0.0
    return float(np.median(_border(brightness)))


def _border(values: Grey) -> npt.NDArray[np.float32]:
    return np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])


def _listed(folder: Path, wanted: Callable[[Path], bool]) -> list[Path]:
    """The files or subfolders of a folder, sorted by name; without files of file managers.

    Raises ValueError naming the folder if it is missing or cannot be listed.
    """
    if not os.path.isdir(folder):
        raise ValueError(f"{folder}: there is no such folder")
    try:
        found = [each for each in folder.iterdir() if wanted(each)]
    except OSError as error:
        raise ValueError(f"{folder}: cannot be listed ({error.strerror or error})") from error
    # Sorted by name: paths sort differently on Windows, and the order sets the classes' numbers.
    return sorted((each for each in found if not _is_skipped(each.name)), key=attrgetter("name"))


def _is_skipped(name: str) -> bool:
    return name.startswith(".") or name.lower() in _SYSTEM_FILES
