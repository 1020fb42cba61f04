"""People's own pictures: any file that Pillow reads becomes grey ink on nothing.

A cell lives where there is ink, so a file has to say which is the ink and which the paper. By
default (`ink="auto"`) the paper is what most of the border shows: where that is transparent or
light, ink is what is darker than it; where it is dark, ink is what is lighter. The paper's own
brightness counts as 0, so a scan on greyish paper works too. `ink="dark"` takes white for
paper, `ink="light"` black, whatever the border shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from swarm_nca.images.pictures import Grey, Pictures

Ink: TypeAlias = Literal["auto", "dark", "light"]

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow's own greyscale
_LEFT_BEHIND = ("thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx")  # by file managers
_DEEP = ("I", "I;16", "I;16L", "I;16B", "I;16N")  # 16-bit greys, which Pillow would clip


def read_picture(
    path: str | Path, *, size: tuple[int, int] | None = None, ink: Ink = "auto"
) -> Grey:
    """The ink of a picture file, [H, W] in [0, 1].

    `size`: (rows, columns) to fit, the aspect kept; without it, pixels stay as they are.
    Raises ValueError naming the file where it is missing, unreadable or shows no ink at all.
    """
    path = Path(path)
    if ink not in ("auto", "dark", "light"):
        raise ValueError(f"ink is auto, dark or light, got {ink!r}")
    try:
        with Image.open(path) as image:
            brightness, opacity = _measured(image)
    except FileNotFoundError as error:
        raise ValueError(f"{path}: there is no such file") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path}: not a picture that can be read ({error})") from error
    grey = _inked(brightness, opacity, ink)
    if size is not None:
        factor = min(size[0] / grey.shape[0], size[1] / grey.shape[1])
        grey = resized(grey, (round(grey.shape[0] * factor), round(grey.shape[1] * factor)))
    if not grey.any():
        raise ValueError(
            f"{path}: shows no ink: draw something that differs from the border, or say "
            "ink: dark or ink: light"
        )
    return grey


def read_folder(
    path: str | Path, *, size: tuple[int, int] | None = None, ink: Ink = "auto"
) -> Pictures:
    """All pictures of a folder with one subfolder per class, in the order of their names.

    The classes are the subfolders' names, sorted. Hidden files are passed over, and so is what
    file managers leave behind (`Thumbs.db`, `__MACOSX`, …).
    Raises ValueError naming what is missing, empty or unreadable.
    """
    path = Path(path)
    if not path.is_dir():
        raise ValueError(f"{path}: there is no such folder")
    folders = _by_name(each for each in path.iterdir() if each.is_dir())
    if not folders:
        raise ValueError(f"{path}: has no subfolders: put the pictures of each class into one")
    grey, labels = [], []
    for label, folder in enumerate(folders):
        files = _by_name(each for each in folder.iterdir() if each.is_file())
        if not files:
            raise ValueError(f"{folder}: holds no pictures: add some, or remove the folder")
        grey += [read_picture(file, size=size, ink=ink) for file in files]
        labels += [label] * len(files)
    return Pictures(tuple(grey), np.array(labels), tuple(folder.name for folder in folders))


def resized(grey: Grey, size: tuple[int, int]) -> Grey:
    """A picture [H, W] at another size (rows, columns), smoothly; at least one pixel each way."""
    rows, columns = (max(1, side) for side in size)
    if grey.shape == (rows, columns):
        return grey
    image = Image.fromarray(np.ascontiguousarray(grey, np.float32))
    smooth = image.resize((columns, rows), Image.Resampling.BICUBIC)
    return np.clip(np.asarray(smooth, np.float32), 0.0, 1.0)


def _measured(image: Image.Image) -> tuple[Grey, Grey]:
    """Brightness and opacity [H, W] in [0, 1], turned as the camera was held."""
    image = ImageOps.exif_transpose(image)
    if image.mode in _DEEP:
        brightness: Grey = np.clip(np.asarray(image, np.float32) / np.float32(65535), 0, 1)
        return brightness, np.ones_like(brightness)
    colours: Grey = np.asarray(image.convert("RGBA"), np.float32) / np.float32(255)
    brightness = np.clip(colours[..., :3] @ np.array(_LUMA, np.float32), 0, 1)
    return brightness, colours[..., 3]


def _inked(brightness: Grey, opacity: Grey, ink: Ink) -> Grey:
    paper = {"dark": 1.0, "light": 0.0}.get(ink)
    if paper is None:
        paper = _paper(brightness, opacity)
    shown = opacity * brightness + (1 - opacity) * paper
    light = paper > 0.5
    grey = (paper - shown) / paper if light else (shown - paper) / (1 - paper)
    return np.clip(grey, 0.0, 1.0).astype(np.float32)


def _paper(brightness: Grey, opacity: Grey) -> float:
    """The brightness of the paper: the border's, or where that is transparent, not the ink's."""
    if np.median(_border(opacity)) < 0.5:
        seen = opacity.sum()
        return 1.0 if seen == 0 or (brightness * opacity).sum() / seen <= 0.5 else 0.0
    return float(np.median(_border(brightness)))


def _border(values: Grey) -> npt.NDArray[np.float32]:
    return np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])


def _by_name(paths: Iterable[Path]) -> list[Path]:
    # Paths themselves sort differently on Windows, and the order decides the classes' numbers.
    wanted = (path for path in paths if not path.name.startswith(".") and not _left_behind(path))
    return sorted(wanted, key=attrgetter("name"))


def _left_behind(path: Path) -> bool:
    return path.name.lower() in _LEFT_BEHIND
