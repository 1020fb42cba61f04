"""Picture files: which is ink, which is paper, and what is refused."""

import numpy as np
import pytest
from PIL import Image

from swarm_nca.images import draw_glyph, read_folder, read_picture

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
def test_the_same_ink_is_read_from_any_kind_of_picture(tmp_path, values, mode):
    grey = read_picture(save(tmp_path / "seven.png", values, mode))
    assert grey.dtype == np.float32
    assert np.abs(grey - SEVEN).max() < 0.01


def test_grey_paper_counts_as_nothing(tmp_path):
    scan = np.round(204 * (1 - SEVEN)).astype(np.uint8)
    grey = read_picture(save(tmp_path / "scan.png", scan))
    assert np.abs(grey - SEVEN).max() < 0.01
    asked = read_picture(tmp_path / "scan.png", ink="dark")
    assert asked.min() == pytest.approx(0.2)


def test_ink_can_be_said_to_be_light_or_dark_whatever_the_border(tmp_path):
    path = save(tmp_path / "light.png", BYTES)
    assert np.abs(read_picture(path, ink="light") - SEVEN).max() < 0.01
    assert np.abs(read_picture(path, ink="dark") - (1 - SEVEN)).max() < 0.01
    with pytest.raises(ValueError, match="auto, dark or light, got 'red'"):
        read_picture(path, ink="red")


@pytest.mark.parametrize(
    ("size", "shape"), [((14, 14), (7, 14)), ((28, 100), (28, 56)), ((1, 1), (1, 1))]
)
def test_a_picture_is_made_to_fit_with_its_aspect_kept(tmp_path, size, shape):
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
    [(b"not a picture", "not a picture that can be read"), (b"", "not a picture")],
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
    with pytest.raises(ValueError, match=r"cut\.png: not a picture"):
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
