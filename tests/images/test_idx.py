"""IDX files: written values are read back, and damaged files are refused by name."""

import gzip
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from swarm_nca.images.idx import read_idx


def idx(values: np.ndarray) -> bytes:
    """A file written with `struct` only, from the authors' description of the format."""
    header = struct.pack(f">BBBB{values.ndim}i", 0, 0, 8, values.ndim, *values.shape)
    return header + values.astype(np.uint8).tobytes()


@given(
    arrays(np.uint8, array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)), st.booleans()
)
def test_written_values_are_read_back_compressed_or_not(tmp_path_factory, values, compressed):
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(gzip.compress(idx(values), mtime=0) if compressed else idx(values))
    assert np.array_equal(read_idx(path, values.ndim), values)


GOOD = idx(np.arange(60).reshape(3, 4, 5))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an IDX file"),
        (b"<html>not found</html>", "not an IDX file"),
        (b"\0\0\x0d" + GOOD[3:], "not an IDX file"),
        (GOOD[:9], "truncated"),
        (GOOD[:-7], "truncated, 7 bytes are missing"),
        (GOOD + b"\0", "damaged"),
        (b"\0\0\x08\x03" + struct.pack(">iii", -1, -1, 4) + bytes(4), "damaged"),
        (gzip.compress(GOOD, mtime=0)[:-12], "damaged or truncated gzip"),
        (gzip.compress(GOOD, mtime=0)[:40] + b"\xff" * 20, "damaged or truncated gzip"),
        (gzip.compress(GOOD, mtime=0)[:-8] + b"\xff" * 8, "damaged or truncated gzip"),
        (gzip.compress(GOOD, mtime=0) + b"\0", "gzip file .other data follows"),
        (gzip.compress(GOOD + b"\0", mtime=0), "damaged, it is longer than its sizes"),
        (b"\0\0\x08\x03" + struct.pack(">iii", 2**27, 1, 2), "268,435,456 values, more than the"),
        (idx(np.arange(3)), "holds 1 dimensions, expected 3: check that the files of images"),
    ],
)
def test_a_damaged_file_is_refused_by_name(tmp_path, content, message):
    path = tmp_path / "t10k-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_idx(path, 3)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(ValueError, match=r"nowhere: cannot be read"):
        read_idx(tmp_path / "nowhere", 3)


def test_a_compressed_bomb_is_refused_by_its_sizes(tmp_path):
    zeros = bytes(1 << 23)
    promised = b"\0\0\x08\x03" + struct.pack(">iii", 1, 1 << 16, 1 << 16)
    modest = b"\0\0\x08\x03" + struct.pack(">iii", 1, 28, 28)
    for header, message in ((promised, "4,294,967,296 values"), (modest, "it is longer")):
        packer = zlib.compressobj(1, wbits=31)
        parts = [packer.compress(header), *(packer.compress(zeros) for _ in range(3))]
        path = tmp_path / "bomb.gz"
        path.write_bytes(b"".join(parts) + packer.flush())
        tracemalloc.start()
        with pytest.raises(ValueError, match=message):
            read_idx(path, 3)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 5_000_000
