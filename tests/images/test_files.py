"""Picture files: ink and paper, and files that are refused."""

import io
import os
import warnings
import zlib

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

from swarm_nca.images import draw_glyph, files, read_folder, read_picture

SEVEN = draw_glyph("7")
BYTES = np.round(SEVEN * 255).astype(np.uint8)


def save(path, values, mode=None):
    image = Image.fromarray(values)
    (image.convert(mode) if mode else image).save(path)
    return path


def with_opacity(colour, opacity):
    colours = np.broadcast_to(np.array(colour, np.uint8), (28, 28, 3))
    return np.dstack([colours, opacity])


@pytest.mark.parametrize(
    ("values", "mode"),
    [
        (BYTES, None),
        (255 - BYTES, None),
        (BYTES, "RGB"),
        (255 - BYTES, "P"),
        (BYTES, "RGBA"),
        (255 - BYTES, "LA"),
        (BYTES.astype(np.uint16) * 257, None),
        (with_opacity((0, 0, 0), BYTES), None),
        (with_opacity((255, 255, 255), BYTES), None),
    ],
    ids=["light", "dark", "rgb", "palette", "rgba", "la", "16 bit", "black ink", "white ink"],
)
def test_all_kinds_of_pictures_give_the_same_ink(tmp_path, values, mode):
    grey = read_picture(save(tmp_path / "seven.png", values, mode))
    assert grey.dtype == np.float32
    assert np.abs(grey - SEVEN).max() < 0.01


def test_grey_paper_becomes_zero(tmp_path):
    scan = np.round(204 * (1 - SEVEN)).astype(np.uint8)
    grey = read_picture(save(tmp_path / "scan.png", scan))
    assert np.abs(grey - SEVEN).max() < 0.01
    as_dark = read_picture(tmp_path / "scan.png", ink="dark")
    assert as_dark.min() == pytest.approx(0.2)


def test_ink_can_be_set_to_light_or_dark_for_any_border(tmp_path):
    path = save(tmp_path / "light.png", BYTES)
    assert np.abs(read_picture(path, ink="light") - SEVEN).max() < 0.01
    assert np.abs(read_picture(path, ink="dark") - (1 - SEVEN)).max() < 0.01
    with pytest.raises(ValueError, match="auto, dark or light, got 'red'"):
        read_picture(path, ink="red")


@pytest.mark.parametrize(
    ("size", "shape"), [((14, 14), (7, 14)), ((28, 100), (28, 56)), ((1, 1), (1, 1))]
)
def test_a_picture_is_scaled_to_fit_with_its_aspect_kept(tmp_path, size, shape):
    path = save(tmp_path / "wide.png", np.concatenate([BYTES, BYTES], axis=1))
    assert read_picture(path, size=size).shape == shape


def test_a_folder_gives_its_subfolders_names_as_classes(tmp_path):
    for name, glyphs in (("star", "XY"), ("circle", "O")):
        (tmp_path / name).mkdir()
        for glyph in glyphs:
            save(tmp_path / name / f"{glyph}.png", np.round(draw_glyph(glyph) * 255).astype("u1"))
    for left_behind in (".hidden", ".DS_Store", "Thumbs.db", "desktop.ini"):
        (tmp_path / "star" / left_behind).write_text("not a picture")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "Thumbs.db").write_text("not a folder")
    pictures = read_folder(tmp_path)
    assert pictures.classes == ("circle", "star")
    assert pictures.labels.tolist() == [0, 1, 1]
    for picture, glyph in zip(pictures, "OXY", strict=True):
        assert np.abs(picture - draw_glyph(glyph)).max() < 0.01


def test_pictures_of_a_folder_may_differ_in_size(tmp_path):
    (tmp_path / "a").mkdir()
    save(tmp_path / "a" / "1.png", BYTES)
    save(tmp_path / "a" / "2.png", BYTES[:20])
    assert [each.shape for each in read_folder(tmp_path)] == [(28, 28), (20, 28)]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"not a picture", "not a readable picture"), (b"", "not a readable picture")],
)
def test_an_unreadable_picture_is_refused_by_name(tmp_path, content, message):
    path = tmp_path / "bad.png"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_picture(path)
    assert str(path) in str(caught.value)


def test_a_truncated_picture_is_refused_by_name(tmp_path):
    path = save(tmp_path / "cut.png", BYTES)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match=r"cut\.png: not a readable picture"):
        read_picture(path)


def test_a_missing_and_a_blank_picture_are_refused_by_name(tmp_path):
    with pytest.raises(ValueError, match=r"none\.png: there is no such file"):
        read_picture(tmp_path / "none.png")
    with pytest.raises(ValueError, match=r"blank\.png: shows no ink"):
        read_picture(save(tmp_path / "blank.png", np.full((5, 5), 255, np.uint8)))


def test_a_folder_without_classes_or_pictures_is_refused_by_name(tmp_path):
    with pytest.raises(ValueError, match="nowhere: there is no such folder"):
        read_folder(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="has no subfolders: put the pictures"):
        read_folder(tmp_path)
    (tmp_path / "star").mkdir()
    (tmp_path / "star" / "Thumbs.db").write_text("no picture")
    with pytest.raises(ValueError, match="star: holds no pictures"):
        read_folder(tmp_path)


#: The stored pixels of a visible picture for each EXIF orientation, from the standard's table of
#: where the file's first row and first column are visible.
STORED = {
    1: lambda seen: seen,
    2: lambda seen: seen[:, ::-1],
    3: lambda seen: seen[::-1, ::-1],
    4: lambda seen: seen[::-1],
    5: lambda seen: seen.T,
    6: lambda seen: seen.T[::-1],
    7: lambda seen: seen[::-1, ::-1].T,
    8: lambda seen: seen.T[:, ::-1],
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_a_photograph_is_rotated_by_its_exif_orientation(tmp_path, orientation, suffix):
    seen = np.zeros((60, 40), np.uint8)
    seen[10:50, 10:14] = seen[46:50, 10:30] = 255  # an L: every rotation or reflection changes it
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"photo.{suffix}"
    stored = np.ascontiguousarray(STORED[orientation](seen))
    Image.fromarray(stored).convert("RGB").save(path, exif=exif, quality=95)
    grey = read_picture(path)
    assert grey.shape == seen.shape
    assert np.array_equal(grey > 0.5, seen > 0)


def test_a_file_with_several_pictures_gives_its_first(tmp_path):
    first, second = Image.fromarray(BYTES), Image.fromarray(255 - BYTES)
    for format_ in ("MPO", "GIF", "WEBP"):
        path = tmp_path / f"several.{format_}"
        first.convert("RGB").save(
            path, format_, save_all=True, append_images=[second.convert("RGB")], quality=100
        )
        assert np.abs(read_picture(path) - SEVEN).mean() < 0.03


POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n%%EndComments\nshowpage\n"


def test_postscript_named_as_a_picture_does_not_start_ghostscript(tmp_path, monkeypatch):
    called = tmp_path / "called"
    ghostscript = tmp_path / "gs"
    ghostscript.write_text(f"#!/bin/sh\necho 10 > {called}\n")
    ghostscript.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)  # Pillow searches for it only once
    path = tmp_path / "evil.png"
    path.write_bytes(POSTSCRIPT)
    with pytest.raises(ValueError, match=r"evil\.png: not a readable picture: save it as"):
        read_picture(path)
    assert not called.exists()


@pytest.mark.parametrize("format_", ["TIFF", "ICO", "PPM", "TGA", "JPEG2000", "PCX"])
def test_other_formats_are_refused_by_content_and_with_the_cure(tmp_path, format_):
    path = tmp_path / "other.png"
    Image.fromarray(BYTES).save(path, format_)
    with pytest.raises(ValueError, match="save it as PNG, JPEG, WEBP, BMP or GIF") as caught:
        read_picture(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("side", "size_text"),
    [(4097, "4,097×4,097"), (13_000, "13,000×13,000"), (30_000, "more than 178,956,970")],
)
def test_a_too_large_picture_is_refused_before_its_pixels_are_read(tmp_path, side, size_text):
    path = tmp_path / "huge.png"
    Image.new("1", (100, 100)).save(path)
    header = path.read_bytes()
    size = side.to_bytes(4, "big") * 2
    chunk = b"IHDR" + size + header[24:29]
    path.write_bytes(header[:12] + chunk + zlib.crc32(chunk).to_bytes(4, "big") + header[33:])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="is too large, the maximum is 16,777,216") as caught:
            read_picture(path)
    assert f"{path}: a picture of {size_text} pixels" in str(caught.value)


def test_a_jpeg_of_many_scans_is_refused_before_its_pixels_are_read(tmp_path):
    written = io.BytesIO()
    Image.fromarray(BYTES).save(written, "JPEG", progressive=True)
    data = written.getvalue()
    scan = data[data.rfind(b"\xff\xda") : -2]
    path = tmp_path / "scans.jpg"
    path.write_bytes(data[:-2] + 1_000 * scan + data[-2:])
    with pytest.raises(ValueError, match=r"scans\.jpg: a JPEG of 1,0\d\d scans takes too long"):
        read_picture(path)
    path.write_bytes(data)
    assert read_picture(path).shape == (28, 28)


def test_named_pipes_and_invalid_names_are_refused(tmp_path):
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, tmp_path / ("long" * 100), tmp_path / "zero\0.png"):
        with pytest.raises(ValueError, match="there is no such file"):
            read_picture(path)


def test_a_folder_too_large_for_memory_is_refused_while_reading(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MOST_PIXELS", 3 * 28 * 28)
    (tmp_path / "star").mkdir()
    for number in range(4):
        save(tmp_path / "star" / f"{number}.png", BYTES)
    with pytest.raises(ValueError, match=r"3\.png: the pictures of .* set a size"):
        read_folder(tmp_path)
    (tmp_path / "star" / "3.png").unlink()
    assert len(read_folder(tmp_path)) == 3
