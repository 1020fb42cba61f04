"""Decodes picture files to brightness and opacity, with bounds on size and time.

Pillow reads more than forty formats, some with other programs (PostScript with Ghostscript) and
some at great cost, and chooses by the file's content, not by its name. So only `FORMATS` are tried.
The size is in the file's header: a picture with more than `MOST` pixels is refused before its
pixels are read.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from swarm_nca.images.pictures import Grey

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
"""The formats that are read, by Pillow's names; the first picture of an animation."""

MOST = 1 << 24
"""Maximum pixels of a picture file, 4096×4096: decoding takes about 0.5 GB and a second."""

_SCANS = 100
"""Maximum passes over all pixels in a JPEG; encoders write about ten."""

_LUMA = np.array((0.299, 0.587, 0.114), np.float32)  # ITU-R BT.601, as in Pillow
_DEEP = ("I", "I;16")  # 16-bit greys, which Pillow would clip
_BAND = 1 << 18  # pixels converted at once: all colours as float32 would take too much memory


def decoded(path: Path) -> tuple[Grey, Grey]:
    """Brightness and opacity [H, W] in [0, 1] of a picture file, in its EXIF orientation.

    Raises ValueError naming the file if it is missing, too large, or cannot be decoded.
    """
    with opened(path) as image, _errors_named(path):
        return _measured(image)


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """A picture file, decoded and in its EXIF orientation; open within the block.

    Raises ValueError naming the file if it is missing, too large, or cannot be decoded.
    """
    if not os.path.isfile(path):  # a named pipe would block
        raise ValueError(f"{path}: there is no such file")
    with warnings.catch_warnings():
        # Pillow's warnings concern files that are refused below, or do not affect the pixels.
        warnings.simplefilter("ignore")
        with _errors_named(path):
            image = Image.open(path, formats=FORMATS)
        with image:
            _check_cost(path, image)
            with _errors_named(path):
                image.load()
                ImageOps.exif_transpose(image, in_place=True)
            yield image


@contextmanager
def _errors_named(path: Path) -> Iterator[None]:
    """Convert Pillow's errors to ValueErrors that name the file.

    Pillow's decoders raise almost any exception on damaged files, so all are caught: use this
    around calls of Pillow only.
    """
    try:
        yield
    except UnidentifiedImageError as error:
        names = f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
        raise ValueError(f"{path}: not a readable picture: save it as {names}") from error
    except Image.DecompressionBombError as error:
        size = f"more than {2 * (Image.MAX_IMAGE_PIXELS or 0):,}"
        raise ValueError(_too_large(path, size)) from error
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{path}: not a readable picture ({reason})") from error


def _check_cost(path: Path, image: Image.Image) -> None:
    """Refuse a picture that takes too much memory or time, by its header.

    Raises:
        ValueError: too many pixels, or a JPEG with too many scans.
    """
    columns, rows = image.size
    if columns * rows > MOST:
        raise ValueError(_too_large(path, f"{rows:,}×{columns:,}"))
    if image.format in ("JPEG", "MPO"):
        with _errors_named(path):
            scans = path.read_bytes().count(b"\xff\xda")  # the marker at the start of a scan
        if scans > _SCANS:
            raise ValueError(
                f"{path}: a JPEG of {scans:,} scans takes too long to read, the maximum is "
                f"{_SCANS}: save it as PNG"
            )


def _too_large(path: Path, size: str) -> str:
    return (
        f"{path}: a picture of {size} pixels is too large, the maximum is {MOST:,}: scale it "
        "down, or cut out a part"
    )


def _measured(image: Image.Image) -> tuple[Grey, Grey]:
    columns, rows = image.size
    if image.mode in _DEEP:
        brightness: Grey = np.clip(np.asarray(image, np.float32) / np.float32(65535), 0, 1)
        return brightness, np.ones_like(brightness)
    brightness, opacity = (
        np.empty((rows, columns), np.float32),
        np.empty((rows, columns), np.float32),
    )
    height = max(1, _BAND // max(1, columns))
    for top in range(0, rows, height):
        bottom = min(rows, top + height)
        band = image.crop((0, top, columns, bottom)).convert("RGBA")
        colours: Grey = np.asarray(band, np.float32) / np.float32(255)
        brightness[top:bottom] = np.clip(colours[..., :3] @ _LUMA, 0, 1)
        opacity[top:bottom] = colours[..., 3]
    return brightness, opacity
