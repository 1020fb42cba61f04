"""Sources: the keys of a scenario's pictures, and the pictures they give."""

import numpy as np
import pydantic
import pytest
from PIL import Image

from swarm_nca.images import ALPHABETS, Source, compose, draw_glyph, load, strokes

SCHEMA = pydantic.TypeAdapter(Source)
DIGITS = ALPHABETS["digits"]
THREE = Source(dataset="strokes", label=3, seed=1)
FIVE = Source(dataset="strokes", label=5, seed=1)


@pytest.fixture
def shapes(tmp_path):
    """A folder with pictures of a star and two circles, and one picture beside the folder."""
    for name, glyph in (("star/1", "X"), ("circle/1", "O"), ("circle/2", "Q"), ("seven", "7")):
        path = tmp_path / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.round(draw_glyph(glyph) * 255).astype(np.uint8)).save(path)
    return tmp_path


def test_strokes_depend_on_seed_label_and_index():
    pictures = load(Source(dataset="strokes", label=7, count=3, index=4), seed=9)
    assert np.array_equal(pictures.grey, strokes(3, 9, start=4, label=7).grey)
    assert pictures.labels.tolist() == [7, 7, 7]
    own = load(Source(dataset="strokes", label=7, seed=9), seed=1)
    assert np.array_equal(own.grey, strokes(1, 9, label=7).grey)


def test_a_letter_has_no_label_among_ten_digits():
    letter = load(Source(dataset="strokes", label="A"))
    assert [letter.classes[label] for label in letter.labels] == ["A"]
    assert letter.labels_for(DIGITS).tolist() == [-1]
    assert load(Source(dataset="letters", count=9)).classes == ALPHABETS["letters"]
    assert load(Source(dataset="strokes", label="7")).labels_for(DIGITS).tolist() == [7]


def test_a_file_has_the_source_s_label(shapes):
    unknown = load(Source(file="seven.png"), base=shapes)
    assert np.abs(unknown.grey[0] - draw_glyph("7")).max() < 0.01
    assert unknown.labels_for(DIGITS).tolist() == [-1]
    for label in (7, "7"):
        known = load(Source(file="seven.png", label=label, count=2), base=shapes)
        assert known.labels_for(DIGITS).tolist() == [7, 7]
    named = load(Source(file="seven.png", label=1), base=shapes, classes=("circle", "star"))
    assert named.labels_for(("star",)).tolist() == [0]


def test_a_folder_gives_all_its_pictures_or_a_selection(shapes):
    folder = shapes / "shapes"
    folder.mkdir()
    (shapes / "star").rename(folder / "star")
    (shapes / "circle").rename(folder / "circle")
    everything = load(Source(folder="shapes"), base=shapes)
    assert everything.labels.tolist() == [0, 0, 1]
    circles = load(Source(folder="shapes", label="circle"), base=shapes)
    assert np.array_equal(circles.grey, everything.grey[:2])
    small = load(Source(folder="shapes", index=2, size=(14, 14)), base=shapes)
    assert small.grey.shape == (1, 14, 14)
    with pytest.raises(ValueError, match="label 'square' is no class"):
        load(Source(folder="shapes", label="square"), base=shapes)


def test_a_glyph_has_no_variation_and_has_its_label():
    seven = load(Source(glyph=7))
    assert np.array_equal(seven.grey[0], draw_glyph("7"))
    assert seven.labels_for(DIGITS).tolist() == [7]
    assert load(Source(glyph="Q")).labels_for(DIGITS).tolist() == [-1]


def test_a_chimera_has_a_label_only_from_equal_halves_or_the_source():
    both = load(Source(chimera=(THREE, FIVE)))
    expected = compose.chimera(load(THREE).grey[0], load(FIVE).grey[0])
    assert np.array_equal(both.grey[0], expected)
    assert both.labels_for(DIGITS).tolist() == [-1]
    assert load(Source(chimera=(THREE, FIVE), label=3)).labels_for(DIGITS).tolist() == [3]
    assert load(Source(chimera=(THREE, THREE))).labels_for(DIGITS).tolist() == [3]


def test_labels_of_parts_are_classes_of_the_rule(shapes):
    left = Source(file="seven.png", label="left")
    right = Source(file="seven.png", label="right")
    names = ("left", "right")
    for pair, answer in (((left, left), 0), ((right, right), 1), ((left, right), -1)):
        for whole in (Source(row=pair), Source(chimera=pair), Source(row=(Source(row=pair),))):
            loaded = load(whole, base=shapes, classes=names)
            assert loaded.labels_for(names).tolist() == [answer]


def test_rows_are_side_by_side_and_can_be_nested():
    inner = Source(chimera=(THREE, FIVE))
    row = load(Source(row=(THREE, inner, FIVE), join=True))
    assert row.grey.shape == (1, 28, 84)
    open_row = load(Source(row=(THREE, inner, FIVE)))
    assert row.grey.sum() > open_row.grey.sum()


def test_equal_parts_of_a_row_are_drawn_differently():
    seven = Source(dataset="strokes", label=7)
    row = load(Source(row=(seven, seven))).grey[0]
    assert not np.array_equal(row[:, :28], row[:, 28:])


def test_compositions_use_as_many_pictures_of_each_part():
    seven = Source(dataset="strokes", label=7)
    rows = load(Source(row=(seven, Source(glyph="1")), count=5))
    assert rows.grey.shape == (5, 28, 56)
    assert len(np.unique(rows.grey, axis=0)) == 5
    with pytest.raises(ValueError, match="part 1 has 3 pictures where others have 5"):
        load(Source(row=(seven, Source(dataset="strokes", count=3)), count=5))


def test_transforms_apply_to_all_origins_in_one_order():
    plain = load(THREE).grey[0]
    changed = Source(
        dataset="strokes", label=3, seed=1, scale=1.5, rotate=20, thickness=1, shift=(2, -1)
    )
    expected = compose.rotate(compose.scale(plain, 1.5), 20)
    expected = compose.shift(compose.thickness(expected, 1), (2, -1))
    assert np.array_equal(load(changed).grey[0], expected)
    assert load(Source(row=(THREE, FIVE), scale=0.5)).grey.shape == (1, 14, 28)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({}, "exactly one of dataset, file, .* got none"),
        ({"dataset": "mnist", "file": "a.png"}, "got dataset and file"),
        ({"dataset": "mnits"}, "no dataset 'mnits' .did you mean 'mnist'"),
        ({"dataset": "strokes", "label": 11}, "label 11 is no class: give 0–9"),
        ({"dataset": "fashion-mnist", "label": "Hat"}, "give 0–9, or a name .T-shirt,"),
        ({"dataset": "letters", "label": "a"}, "give 0–25, or a name .A, …, Z"),
        ({"dataset": "strokes", "split": "test"}, "is drawn and has no split"),
        ({"dataset": "mnist", "count": 0}, "count must be at least 1, got 0"),
        ({"dataset": "mnist", "index": -1}, "index must be at least 0, got -1"),
        ({"dataset": "mnist", "scale": 0.0}, "scale must be above 0, got 0"),
        ({"glyph": 7, "scale": 1e9}, "scale must be at most 100, got 1000000000"),
        ({"glyph": 7, "thickness": -1e9}, "thickness must be at least -100, got -1000000000"),
        (
            {"dataset": "mnist", "shift": (0, float("nan"))},
            r"shift\[1\] must be a finite number, got nan",
        ),
        ({"dataset": "mnist", "ink": "dark"}, "ink does not go with dataset: use split"),
        ({"file": "a.png", "join": True}, "join does not go with file"),
        ({"file": "a.png", "size": (0, 3)}, r"size\[0\] must be at least 1, got 0"),
        ({"file": "a.png", "size": (99_999, 9_999)}, r"size\[0\] must be at most 4096, got 99999"),
        ({"file": "a.png", "size": (4096, 99), "count": 1999}, "1,999 pictures of 4096×99 pix"),
        ({"glyph": "é"}, "glyph is a digit 0–9 or a capital A–Z, got 'é'"),
        ({"chimera": (THREE,)}, "made of 2 sources, got 1"),
        ({"row": ()}, "at least one source, got none"),
    ],
)
def test_an_invalid_source_is_refused_with_the_cure(keys, message):
    with pytest.raises(ValueError, match=message):
        Source(**keys)


@pytest.mark.parametrize(
    "source",
    [
        Source(dataset="strokes", count=2_000, scale=20),
        Source(glyph=7, count=2_000, scale=20),
        Source(row=(Source(row=(Source(glyph=7, scale=100),), scale=100),)),
    ],
)
def test_too_many_pixels_for_memory_are_refused_before_loading(source):
    with pytest.raises(ValueError, match="too many for memory"):
        load(source)
    with pytest.raises(ValueError, match="too many for memory"):
        load(Source(glyph=7, count=100)).centred_on((4096, 4096))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Source(file="none.png"), "none.png: there is no such file"),
        (Source(folder="none"), "none: there is no such folder"),
        (Source(glyph="7", label=11), "label 11 is no class: give 0–9"),
    ],
)
def test_missing_files_labels_and_indices_are_refused_on_loading(source, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        load(source, base=tmp_path)


def test_thickness_that_would_take_minutes_is_refused():
    with pytest.raises(ValueError, match="thickness 100 on 7,840,000 pixels takes minutes"):
        load(Source(glyph=7, scale=100, thickness=100))


def test_a_schema_is_derived_from_the_record_and_refuses_unknown_keys_at_any_depth():
    given = {"row": [{"dataset": "strokes", "label": 3, "seed": 1}, {"glyph": 5}], "join": True}
    expected = Source(row=(THREE, Source(glyph=5)), join=True)
    assert SCHEMA.validate_python(given) == expected
    with pytest.raises(pydantic.ValidationError) as caught:
        SCHEMA.validate_python({"row": [{"dataset": "strokes", "lable": 3}]})
    assert caught.value.errors()[0]["loc"] == ("row", 0, "lable")
    properties = SCHEMA.json_schema()["$defs"]["Source"]["properties"]
    assert all(each.get("description") for each in properties.values())
