"""Random damaged picture and IDX files: read, or refused by name, within time and memory.

A few files by default; 3,000 of each kind with SWARM_NCA_FUZZ=full.
"""

from __future__ import annotations

import gzip
import io
import os
import resource
import struct
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from PIL import Image

from swarm_nca.images import draw_glyph, read_picture
from swarm_nca.images.idx import read_idx

FULL = os.environ.get("SWARM_NCA_FUZZ") == "full"
COUNT = 3_000 if FULL else 150

#: Maximum seconds per file, and maximum bytes of memory for all files.
SLOWEST, LARGEST = 5.0, 700_000_000


def peak() -> int:
    """Peak memory of this process in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


# ------------------------------------------------------------------ pictures


def photographs() -> list[bytes]:
    """Valid files: all supported formats in many variants, and some unsupported formats."""
    grey = np.round(draw_glyph("7") * 255).astype(np.uint8)
    alpha = np.dstack([np.zeros_like(grey)] * 3 + [grey])
    exif = Image.Exif()
    exif[0x0112] = 6
    kinds: list[tuple[str, Any, str, dict[str, Any]]] = [
        ("PNG", grey, "L", {}),
        ("PNG", grey, "1", {"exif": exif}),
        ("PNG", grey, "P", {"transparency": 0}),
        ("PNG", grey.astype(np.uint16) * 257, "I;16", {}),
        ("PNG", alpha, "RGBA", {"exif": exif, "compress_level": 0}),
        ("JPEG", grey, "RGB", {"exif": exif, "progressive": True}),
        ("JPEG", grey, "CMYK", {}),
        ("MPO", grey, "RGB", {"save_all": True}),
        ("WEBP", alpha, "RGBA", {"lossless": True, "exif": exif}),
        ("WEBP", grey, "RGB", {}),
        ("WEBP", grey, "RGB", {"save_all": True, "append_images": [Image.new("RGB", (28, 28))]}),
        ("GIF", grey, "P", {}),
        ("GIF", grey, "L", {"save_all": True, "append_images": [Image.new("L", (28, 28), 99)]}),
        ("BMP", grey, "P", {}),
        ("BMP", grey, "RGB", {}),
        ("TIFF", grey, "L", {"compression": "tiff_lzw"}),
        ("ICO", alpha, "RGBA", {}),
        ("PDF", grey, "L", {}),
        ("JPEG2000", grey, "RGB", {}),
    ]
    files = []
    for format_, values, mode, options in kinds:
        written, image = io.BytesIO(), Image.fromarray(values)
        (image if mode == "I;16" else image.convert(mode)).save(written, format_, **options)
        files.append(written.getvalue())
    files.append(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n")
    return [*files, run_length_bmp(b"\x05\x01\x00\x00\x00\x02\x03\x03" * 9 + b"\x00\x01")]


def run_length_bmp(runs: bytes, side: int = 28) -> bytes:
    """A BMP of 8 bits with run-length encoding, written after its specification."""
    start = 14 + 40 + 1024
    palette = bytes(value for grey in range(256) for value in (grey, grey, grey, 0))
    head = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(runs), 0, 0, 256, 0)
    return struct.pack("<2sIHHI", b"BM", start + len(runs), 0, 0, start) + head + palette + runs


def broken(random: Random, valid: list[bytes]) -> bytes:
    """A valid file cut, changed, mixed with another, or with another size in its header."""
    data = bytearray(random.choice(valid))
    for _ in range(random.choice((0, 1, 1, 1, 1, 2, 8))):
        random.choice(BREAKERS)(random, data, valid)
    return mended(bytes(data)) if random.random() < 0.5 else bytes(data)


def _change(random: Random, data: bytearray, valid: list[bytes]) -> None:
    """Change bytes, most of them near the beginning, where the headers are."""
    for _ in range(random.choice((1, 2, 4, 30))):
        if data:
            within = random.choice((64, 64, len(data)))
            data[random.randrange(min(within, len(data)))] = random.choice(
                (0, 1, 127, 128, 255, random.randrange(256))
            )


def _cut(random: Random, data: bytearray, valid: list[bytes]) -> None:
    del data[random.randrange(len(data) + 1) :]


def _drop(random: Random, data: bytearray, valid: list[bytes]) -> None:
    first = random.randrange(len(data) + 1)
    del data[first : first + random.choice((1, 4, 100))]


def _double(random: Random, data: bytearray, valid: list[bytes]) -> None:
    first = random.randrange(len(data) + 1)
    piece = data[first : first + random.choice((2, 12, 200))]
    data[first:first] = piece * random.choice((1, 3, 1_000))


def _mix(random: Random, data: bytearray, valid: list[bytes]) -> None:
    other = random.choice(valid)
    first = random.randrange(len(data) + 1)
    data[first:] = other[random.randrange(len(other)) :]


def _resize(random: Random, data: bytearray, valid: list[bytes]) -> None:
    """Replace a 28 in the header by another number, for integers of all widths and byte orders."""
    width = random.choice((1, 2, 4))
    order = random.choice(("<", ">"))
    code = order + {1: "B", 2: "H", 4: "I"}[width]
    sides = (0, 1, 29, 4_000, 4_096, 4_097, 13_000, 65_535, 2**24, 2**31 - 1, 2**32 - 1)
    at = data.find(struct.pack(code, 28))
    while at >= 0:
        side = random.choice([side for side in sides if side < 256**width])
        data[at : at + width] = struct.pack(code, side)
        at = data.find(struct.pack(code, 28), at + width) if random.random() < 0.8 else -1


BREAKERS: tuple[Callable[[Random, bytearray, list[bytes]], None], ...] = (
    _change,
    _change,
    _cut,
    _drop,
    _double,
    _mix,
    _resize,
    _resize,
)


def mended(data: bytes) -> bytes:
    """Recompute a PNG's checksums, so that the damage reaches the decoder."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        return data
    parts, at = [data[:8]], 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        body = data[at + 4 : at + 8 + length]
        parts += [data[at : at + 4], body, zlib.crc32(body).to_bytes(4, "big")]
        at += 12 + length
    return b"".join(parts)


def bombs() -> Iterator[bytes]:
    """Small files that need much memory or time, with valid headers."""
    yield saved(13_000, "PNG", "1")
    yield run_length_bmp(b"\x01\x01\x00\x00" * 3 + b"\x00\x01", 1_000)
    if FULL:
        for format_, mode in (("PNG", "1"), ("PNG", "LA"), ("JPEG", "L"), ("GIF", "P")):
            yield saved(4_096, format_, mode)
        yield run_length_bmp(b"\x00\x02\xff\xff" * 400, 4_096)
        yield run_length_bmp(b"\x01\x01\x00\x00" * 3 + b"\x00\x01", 4_096)


def saved(side: int, format_: str, mode: str) -> bytes:
    written = io.BytesIO()
    Image.new(mode, (side, side)).save(written, format_)
    return written.getvalue()


# ------------------------------------------------------------------ IDX files


def idx(shape: tuple[int, ...], values: bytes, code: int = 8) -> bytes:
    return struct.pack(f">BBBB{len(shape)}i", 0, 0, code, len(shape) % 256, *shape) + values


def broken_idx(random: Random) -> bytes:
    """An IDX file with wrong sizes, too few or too many values, changed bytes, packed or not."""
    shape = tuple(random.choice((0, 1, 3, 28)) for _ in range(random.choice((1, 3, 3, 3, 4))))
    valid = idx(shape, random.randbytes(int(np.prod(shape))))
    data = bytearray(valid)
    sizes = (-(2**31), -1, 0, 1, 29, 1_000, 2**16, 2**24, 2**31 - 1)
    for _ in range(random.choice((0, 1, 1, 2))):
        kind = random.randrange(4)
        if kind == 0:
            at = 4 + 4 * random.randrange(len(shape))
            data[at : at + 4] = struct.pack(">i", random.choice(sizes))
        elif kind == 1:
            _cut(random, data, [])
        elif kind == 2:
            data += bytes(random.choice((1, 100, 100_000)))
        else:
            _change(random, data, [])
    if random.random() < 0.5:
        data = bytearray(gzip.compress(bytes(data), random.choice((1, 9)), mtime=0))
        if random.random() < 0.6:
            breaker = random.choice((_change, _cut, _drop, _double))
            breaker(random, data, [])
    return bytes(data)


def packed_bombs() -> Iterator[bytes]:
    """Gzip files that unpack to a thousand times their length, with modest and huge sizes."""
    zeros = bytes(1 << (26 if FULL else 21))
    for shape in ((1, 28, 28), (1 << 27, 1, 1), (2**15, 2**15, 4), (2**31 - 1,) * 3):
        packer = zlib.compressobj(1, wbits=31)
        start = packer.compress(idx(shape, b""))
        yield start + b"".join(packer.compress(zeros) for _ in range(8)) + packer.flush()
    yield b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * 3_000_000  # an unterminated file name
    yield gzip.compress(b"", mtime=0) * 50_000


# ------------------------------------------------------------------ the limits


def outcomes(path: Path, files: Iterator[bytes], read: Callable[[Path], Any]) -> tuple[int, int]:
    """The numbers of files read and refused; fails for other results, or beyond the limits."""
    read_whole = refused = 0
    before, slowest = peak(), 0.0
    for number, data in enumerate(files):
        path.write_bytes(data)
        began = time.process_time()
        try:
            found = read(path)
        except ValueError as error:
            message = str(error)
            assert message.startswith(str(path)), (number, message)
            assert "\n" not in message, (number, message)
            assert len(message) < len(str(path)) + 400, (number, message)
            refused += 1
        else:
            assert 0.0 <= found.min(initial=0) <= found.max(initial=0), number
            read_whole += 1
        slowest = max(slowest, time.process_time() - began)
        assert slowest < SLOWEST, number
    assert peak() - before < LARGEST
    print(
        f"\n{read_whole} read, {refused} refused, slowest {slowest:.2f} s, "
        f"{(peak() - before) / 1e6:.0f} MB more at most"
    )
    return read_whole, refused


@pytest.mark.filterwarnings("error")
def test_broken_pictures_are_read_or_refused_by_name_in_time_and_memory(tmp_path: Path) -> None:
    random, valid = Random(5), photographs()
    files = (broken(random, valid) for _ in range(COUNT))
    read_whole, refused = outcomes(tmp_path / "picture.png", files, read_picture)
    assert read_whole > COUNT // 20
    assert refused > COUNT // 4


@pytest.mark.filterwarnings("error")
def test_small_pictures_with_huge_sizes_stay_within_time_and_memory(tmp_path: Path) -> None:
    def fitted(path: Path) -> Any:
        return read_picture(path, size=(28, 28))

    _, refused = outcomes(tmp_path / "bomb.png", bombs(), fitted)
    assert refused >= 1


@pytest.mark.filterwarnings("error")
def test_broken_idx_files_are_read_or_refused_by_name_in_time_and_memory(tmp_path: Path) -> None:
    random = Random(6)

    def files() -> Iterator[bytes]:
        yield from packed_bombs()
        yield from (broken_idx(random) for _ in range(COUNT))

    read_whole, refused = outcomes(tmp_path / "images", files(), lambda path: read_idx(path, 3))
    assert read_whole > COUNT // 20
    assert refused > COUNT // 4
