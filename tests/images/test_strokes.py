"""Handwriting: reproducible, similar to MNIST, and equal to its pen strokes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swarm_nca.images import ALPHABETS, Hand, draw_glyph, glyph_strokes, strokes
from swarm_nca.images.curves import SEGMENTS, glyph_ways
from swarm_nca.images.glyphs import GLYPHS
from swarm_nca.images.raster import segment_coverage
from swarm_nca.images.strokes import INK_SOFTNESS

WAYS = [(name, way) for name in GLYPHS for way in range(len(GLYPHS[name]))]
STEADY = Hand((2.5, 2.5), (0, 0), (0, 0), (1, 1), (1, 1), 0, 0, 0, 0, 0)


def centre_of_mass(grey):
    return (np.indices(grey.shape) * grey).sum((1, 2)) / grey.sum()


@settings(max_examples=25)
@given(st.integers(0, 2**63), st.integers(0, 600), st.integers(1, 300), st.sampled_from([20, 28]))
def test_a_picture_depends_on_its_number_and_not_on_the_range_drawn(seed, start, count, size):
    one = strokes(1, seed, start=start + count - 1, classes="all", size=size)
    many = strokes(count, seed, start=start, classes="all", size=size)
    assert np.array_equal(many.grey[-1], one.grey[0])
    assert many.labels[-1] == one.labels[0]


def test_seeds_and_numbers_give_different_handwriting():
    pictures = np.concatenate([strokes(50, seed, label=3).grey for seed in (0, 1)])
    assert len(np.unique(pictures, axis=0)) == 100


@pytest.mark.parametrize("alphabet", ALPHABETS)
def test_every_class_of_an_alphabet_is_about_equally_frequent(alphabet):
    pictures = strokes(3600, 5, classes=alphabet)
    counts = np.bincount(pictures.labels, minlength=len(pictures.classes))
    expected = 3600 / len(pictures.classes)
    assert np.abs(counts - expected).max() < 5 * np.sqrt(expected)


@pytest.mark.parametrize(("character", "way"), WAYS)
def test_every_way_of_every_character_fits_the_box_and_is_centred_by_mass(character, way):
    grey = draw_glyph(character, way=way)
    rows, columns = np.nonzero(grey > 0.1)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 in (19, 20)
    assert np.abs(centre_of_mass(grey) - 14).max() < 1
    assert (grey[[0, -1]] < 0.1).all()
    assert (grey[:, [0, -1]] < 0.1).all()


@pytest.mark.parametrize(("character", "way"), WAYS)
def test_drawing_stroke_by_stroke_gives_the_glyph(character, way):
    size, thickness = 40, 3.0
    canvas = np.zeros((size, size), np.float32)
    for line in glyph_strokes(character, size, 30, thickness, slant=0.2, way=way):
        rows, columns, coverage = segment_coverage(line, thickness / 2, canvas.shape, INK_SOFTNESS)
        canvas[rows, columns] = np.maximum(canvas[rows, columns], coverage)
    whole = draw_glyph(character, size, 30, thickness, slant=0.2, way=way)
    assert np.abs(canvas - whole).max() < 1e-3


def test_the_number_of_pen_strokes_is_that_of_the_table():
    assert [len(glyph_strokes(name)) for name in "1047EH"] == [1, 1, 2, 1, 2, 3]
    assert len(glyph_strokes("7", way=3)) == 2


@pytest.mark.parametrize("character", GLYPHS)
def test_the_curve_runs_through_the_control_points_in_equal_steps(character):
    for glyph in glyph_ways(character):
        starts, ends = glyph.starts @ glyph.control, glyph.ends @ glyph.control
        assert starts.shape == ends.shape == (SEGMENTS, 2)
        dots = np.concatenate([starts, ends])
        gaps = np.hypot(*(glyph.control[:, None] - dots).T).min(0)
        assert gaps.max() < 0.06
        for stroke in glyph.strokes:
            assert np.allclose(ends[stroke][:-1], starts[stroke][1:])
        assert np.allclose(glyph.starts.sum(1), 1)


def test_without_variation_handwriting_is_the_clean_glyph():
    drawn = strokes(60, 1, label="C", classes="letters", hand=STEADY)
    clean = [draw_glyph("C", thickness=2.5, way=way) for way in range(2)]
    off = np.abs(drawn.grey[:, None] - np.stack(clean)).max((2, 3)).min(1)
    assert off.max() < 1e-3


def test_handwriting_has_the_settings_of_its_hand():
    thin, thick = (
        strokes(50, 1, hand=Hand(thickness=(each, each))).grey.sum() for each in (1.5, 3.0)
    )
    assert 1.5 < thick / thin < 2.1
    small = strokes(50, 1, hand=Hand(scale=(0.5, 0.5))).grey > 0.1
    assert 9 <= small.any(2).sum(1).mean() <= 13
    still, moved = (strokes(200, 1, hand=Hand(shift=each)).grey for each in (0.0, 4.0))
    spread = [np.std([centre_of_mass(each) for each in grey]) for grey in (still, moved)]
    assert spread[1] > spread[0] + 1


def test_a_label_is_given_by_number_or_by_name():
    assert set(strokes(5, 0, label=7).labels) == {7}
    assert set(strokes(5, 0, label="7").labels) == {7}
    letters = strokes(5, 0, label="C", classes="letters")
    assert {letters.classes[label] for label in letters.labels} == {"C"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 0}, "at least 1, got 0"),
        ({"count": 1, "label": 11}, "label 11 is no class: give 0–9"),
        ({"count": 1, "label": "a", "classes": "letters"}, "give 0–25, or a name .A, …, Z"),
        ({"count": 1, "classes": "runes"}, "digits, letters, all, got 'runes'"),
        ({"count": 1, "seed": -1}, "at least 0, got seed -1"),
    ],
)
def test_invalid_arguments_are_refused_with_the_cure(arguments, message):
    with pytest.raises(ValueError, match=message):
        strokes(**arguments)


def test_an_unknown_glyph_or_way_is_refused():
    with pytest.raises(ValueError, match="there is no glyph for 'é'"):
        draw_glyph("é")
    with pytest.raises(ValueError, match="ways 0–1, got 2"):
        glyph_strokes("C", way=2)
