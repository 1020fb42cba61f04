from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from swarm_nca.images import Pictures, strokes
from swarm_nca.images.silhouettes import holes
from swarm_nca.measure.eval_set import eval_set_for, exam_pictures
from swarm_nca.rules import Classes, Mlp, Rule


@pytest.fixture(scope="module")
def digits() -> Rule:
    return Mlp()


def test_evaluation_pictures_are_drawn_from_other_seeds_than_recipes() -> None:
    eval_set, training = exam_pictures("strokes", limit=5, seed=0), strokes(5, 0)
    assert not np.array_equal(eval_set.grey, training.grey)
    assert not np.array_equal(eval_set.grey, exam_pictures("strokes", limit=5, seed=1).grey)


@pytest.mark.parametrize("name", ["strokes", "letters", "garments", "chimeras", "joined"])
def test_a_picture_does_not_depend_on_the_limit(name: str) -> None:
    few, many = (exam_pictures(name, limit=limit) for limit in (3, 30))
    assert np.array_equal(few.grey, many.grey[:3])
    assert np.array_equal(few.labels, many.labels[:3])


def test_a_folder_gives_equally_many_pictures_of_every_class(tmp_path) -> None:
    for name in ("hat", "shoe"):
        (tmp_path / name).mkdir()
        for number in "12":
            file = tmp_path / name / f"{number}.png"
            Image.fromarray(np.eye(8, dtype=np.uint8) * 255).save(file)
    assert exam_pictures(str(tmp_path)).classes == ("hat", "shoe")
    assert exam_pictures(str(tmp_path), limit=2).labels.tolist() == [0, 1]


def test_data_sets_are_joined_and_the_limit_applies_to_each(digits: Rule) -> None:
    eval_set = eval_set_for(digits, "strokes+letters+chimeras", limit=4)
    assert eval_set.datasets == ("strokes", "letters", "chimeras")
    assert eval_set.dataset_of.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    for number, name in enumerate(eval_set.datasets):
        part = eval_set.pictures[eval_set.dataset_of == number]
        assert np.array_equal(part.grey, exam_pictures(name, limit=4).grey)


def test_pictures_without_a_class_of_the_rule_have_no_label_but_keep_their_own(
    digits: Rule,
) -> None:
    eval_set = eval_set_for(digits, "strokes+letters", limit=4)
    assert eval_set.pictures.classes == digits.classes.names
    assert (eval_set.pictures.labels[:4] >= 0).all()
    assert eval_set.pictures.labels[4:].tolist() == [-1] * 4
    letters = exam_pictures("letters", limit=4)
    names = [eval_set.own.classes[label] for label in eval_set.own.labels[4:]]
    assert names == [letters.classes[label] for label in letters.labels]
    assert eval_set.strange == ["letters"]


def test_a_data_set_with_only_some_classes_of_the_rule_is_refused() -> None:
    rule = Mlp(Classes.named("0", "1", "ten"))
    with pytest.raises(ValueError, match=r"lacks 2, 3, 4"):
        eval_set_for(rule, "strokes", limit=2)


def test_silhouettes_can_be_filled(digits: Rule) -> None:
    plain = eval_set_for(digits, "strokes", limit=30)
    filled = eval_set_for(digits, "strokes", limit=30, fill_holes=True)
    assert holes(plain.pictures, digits.alive_above).any()
    assert not holes(filled.pictures, digits.alive_above).any()
    assert np.array_equal(plain.pictures.labels, filled.pictures.labels)
    for eval_set in (plain, filled):
        assert isinstance(eval_set.own, Pictures)
        assert np.array_equal(eval_set.own.grey, eval_set.pictures.grey)


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ("strokes+leters", r"no data set 'leters' \(did you mean 'letters'\?\)"),
        ("strokes+strokes", "names strokes twice: name it once"),
        ("strokes+", "no data set ''"),
    ],
)
def test_unknown_names_are_refused(dataset: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        exam_pictures(dataset, limit=1)
