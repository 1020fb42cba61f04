"""IDX, the file format in which MNIST was published: a magic number, the sizes, the bytes.

The magic number is two zero bytes, a type code (8: unsigned bytes, the only one the data sets
use) and the number of dimensions; then one big-endian int32 per dimension, then the values in
C order. Compressed (gzip) and plain files are told apart by content, not by name. A compressed
file may hold a thousand times its own length: the sizes are checked first, and only as many bytes
as they need are unpacked.
(LeCun, Cortes, Burges: The MNIST database of handwritten digits.)
"""

from __future__ import annotations

import math
import zlib
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
import numpy.typing as npt

MOST = 1 << 27
"""Maximum values of one file: almost three times MNIST's 60,000 training pictures."""

_GZIP = b"\x1f\x8b"
_GZIP_WINDOW = 31  # zlib's value for a gzip header and checksum
_PIECE = 1 << 16  # compressed bytes read at once
_UNSIGNED_BYTES = 8
_CURE = "replace it by a new copy, or delete it to download it again"


def read_idx(path: str | Path, dimensions: int) -> npt.NDArray[np.uint8]:
    """The array of unsigned bytes in an IDX file: [B, H, W] for images, [B] for labels.

    `dimensions`: required number of dimensions (3 for images, 1 for labels).
    Raises ValueError naming the file if it is damaged, truncated, followed by other data,
    larger than `MOST` values, or not an IDX file.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP
            file.seek(0)
            return _array(path, _Unpacked(file) if packed else file, dimensions)
    except (EOFError, zlib.error) as error:
        raise ValueError(f"{path}: damaged or truncated gzip file ({error}); {_CURE}") from error
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror or error})") from error


class _Readable(Protocol):
    def read(self, count: int, /) -> bytes:
        """The next `count` bytes; fewer at the end of the file."""


class _Unpacked:
    """The content of a gzip file, unpacked only as far as it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._unpacker = zlib.decompressobj(_GZIP_WINDOW)

    def read(self, count: int, /) -> bytes:
        """The next `count` bytes; fewer at the end of the content.

        Raises:
            EOFError: the file ends before its checksum, or continues after it.
            zlib.error: damaged data, or a wrong checksum.
        """
        found, unpacker = bytearray(), self._unpacker
        while len(found) < count and not unpacker.eof:
            packed = unpacker.unconsumed_tail or self._file.read(_PIECE)
            part = unpacker.decompress(packed, count - len(found))
            if not packed and not part:
                raise EOFError("it ends before its checksum")
            found += part
        if unpacker.eof and (unpacker.unused_data or self._file.read(1)):
            raise EOFError("other data follows its checksum")
        return bytes(found)


def _array(path: Path, file: _Readable, dimensions: int) -> npt.NDArray[np.uint8]:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] != _UNSIGNED_BYTES:
        raise ValueError(
            f"{path}: not an IDX file of unsigned bytes (it begins with {magic.hex(' ')!r}, "
            f"expected '00 00 08 {dimensions:02x}'); {_CURE}"
        )
    if magic[3] != dimensions:
        raise ValueError(
            f"{path}: holds {magic[3]} dimensions, expected {dimensions}: check that the files of "
            "images and labels are not interchanged"
        )
    sizes = file.read(4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise ValueError(f"{path}: truncated within its sizes; {_CURE}")
    shape = tuple(int(size) for size in np.frombuffer(sizes, ">i4"))
    if min(shape) < 0:
        raise ValueError(f"{path}: damaged, its sizes {shape} are below 0; {_CURE}")
    total = math.prod(shape)
    if total > MOST:
        raise ValueError(
            f"{path}: its sizes {shape} give {total:,} values, more than the maximum of {MOST:,}; "
            f"{_CURE}"
        )
    values = file.read(total)
    if len(values) < total:
        missing = total - len(values)
        raise ValueError(f"{path}: truncated, {missing} bytes are missing; {_CURE}")
    if file.read(1):
        raise ValueError(f"{path}: damaged, it is longer than its sizes {shape} say; {_CURE}")
    return np.frombuffer(values, np.uint8).reshape(shape)
