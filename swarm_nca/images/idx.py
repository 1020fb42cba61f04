"""IDX, the file format in which MNIST was published: a magic number, the sizes, the bytes.

The magic number is two zero bytes, a type code (8: unsigned bytes, the only one the data sets
use) and the number of dimensions; then one big-endian int32 per dimension, then the values in
C order. Files are read compressed (gzip) or not, by their content and not by their name.
(LeCun, Cortes, Burges: The MNIST database of handwritten digits.)
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

_GZIP = b"\x1f\x8b"
_UNSIGNED_BYTES = 8


def read_idx(path: str | Path, dimensions: int) -> npt.NDArray[np.uint8]:
    """The array of unsigned bytes in an IDX file: [B, H, W] for images, [B] for labels.

    `dimensions`: how many the file must have (3 for images, 1 for labels).
    Raises ValueError naming the file where it is damaged, truncated or something else.
    """
    path = Path(path)
    data = _read(path)
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != _UNSIGNED_BYTES:
        raise ValueError(
            f"{path}: not an IDX file of unsigned bytes (it begins with {data[:4].hex(' ')!r}, "
            f"expected '00 00 08 {dimensions:02x}'); {_CURE}"
        )
    if data[3] != dimensions:
        raise ValueError(
            f"{path}: holds {data[3]} dimensions, expected {dimensions}: are the images and the "
            "labels interchanged?"
        )
    start = 4 + 4 * dimensions
    if len(data) < start:
        raise ValueError(f"{path}: truncated within its sizes; {_CURE}")
    shape = tuple(int(size) for size in np.frombuffer(data, ">i4", dimensions, offset=4))
    missing = start + math.prod(shape) - len(data)
    if missing > 0:
        raise ValueError(f"{path}: truncated, {missing} bytes are missing; {_CURE}")
    if missing < 0 or min(shape) < 0:
        raise ValueError(f"{path}: damaged, its sizes {shape} do not fit its length; {_CURE}")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


_CURE = "replace it by a fresh copy, or delete it to have it downloaded again"


def _read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if data[:2] == _GZIP else data
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path}: damaged or truncated gzip file ({error}); {_CURE}") from error
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror or error})") from error
