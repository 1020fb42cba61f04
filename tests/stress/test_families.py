"""Every family of the table makes what it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from swarm_nca.engine import rollout
from swarm_nca.images import Pictures, strokes
from swarm_nca.images.silhouettes import pieces
from swarm_nca.rules import Mlp, load_rule
from swarm_nca.shipped import folder
from swarm_nca.stress import families, pictures
from swarm_nca.stress.families import FAMILIES, Fault, Shift, chosen
from swarm_nca.stress.measuring import world_of
from swarm_nca.stress.subject import Subject, subject_of
from swarm_nca.world.fields import RULE


@pytest.fixture(scope="module")
def invaded(subject: Subject) -> Subject:
    """The subject with an untrained rule of the same shape for immigrants."""
    other = Mlp(hidden=(5,), generator=torch.Generator().manual_seed(8)).requires_grad_(False)
    other.output.normal_(std=0.05, generator=torch.Generator().manual_seed(9))
    return replace(subject, immigrants=other)


SHIFTS = [name for name, family in FAMILIES.items() if isinstance(family, Shift)]
FAULTS = [name for name, family in FAMILIES.items() if isinstance(family, Fault)]

#: Families of pictures of which no class is right.
UNKNOWN = {"chimeras", "joined", "letters", "foreign", "noise-pictures"}


@pytest.mark.parametrize("name", SHIFTS)
def test_every_setting_makes_pictures_with_a_label_only_if_a_class_is_right(
    name: str, subject: Subject
) -> None:
    family, small = FAMILIES[name], replace(subject, pictures=subject.pictures[:3], count=3)
    assert isinstance(family, Shift)
    settings = family.settings_for(small)
    assert settings
    for setting in settings[:: 9 if name == "chimeras" else 1]:
        made = family.make(small, setting)
        assert len(made) == 3
        assert (made.labels_for(small.rule.classes.names) >= 0).all() == (name not in UNKNOWN)
        assert sum(float(grey.sum()) for grey in made) > 0


@pytest.mark.parametrize("name", SHIFTS)
def test_the_neutral_setting_leaves_the_pictures_as_they_are(name: str, subject: Subject) -> None:
    family = FAMILIES[name]
    assert isinstance(family, Shift)
    if (neutral := family.neutral_for(subject)) is not None:
        assert neutral in family.settings_for(subject)
        made = family.make(subject, neutral)
        np.testing.assert_allclose(made.grey, subject.pictures.grey, atol=1e-6)
        assert made.labels.tolist() == subject.pictures.labels.tolist()


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_changes_the_course_except_at_its_neutral_setting(
    name: str, invaded: Subject
) -> None:
    family, subject = FAMILIES[name], invaded
    assert isinstance(family, Fault)
    rule, sound = subject.rule, world_of(subject.pictures, subject.rule)
    sound = rollout(sound, rule, family.begin)
    plain = rollout(sound, rule, 12)
    neutral = family.neutral_for(subject)
    assert family.settings_for(subject)
    for setting in family.settings_for(subject):
        assert isinstance(setting, float)
        after = rollout(family.make(sound, setting, subject), rule, 12)
        same = after.cells == plain.cells and torch.equal(after.state, plain.state)
        assert same == (setting == neutral), setting


def test_shares_of_cells_and_links_are_those_of_the_setting(subject: Subject) -> None:
    sound = world_of(subject.pictures, subject.rule)
    dead = FAMILIES["dead"].make(sound, 0.3, subject)
    assert dead.cells == sum(count - round(0.3 * count) for count in sound.counts.tolist())
    cut = FAMILIES["cut"].make(sound, 0.3, subject)
    before, after = ((world.neighbors < world.cells).sum() - world.cells for world in (sound, cut))
    assert int(after) / int(before) == pytest.approx(0.7, abs=0.04)


def test_a_wide_gap_cuts_a_bar_in_two_and_its_middle_is_empty(subject: Subject) -> None:
    grey = np.zeros((20, 28, 28), np.float32)
    grey[:, 4:24, 4:24] = 1.0
    square = replace(subject, pictures=Pictures(grey, [1] * 20, tuple("0123456789")))
    assert pieces(pictures.broken(square, 0.0), 0.1).tolist() == [1] * 20
    assert pieces(pictures.broken(square, 4.0), 0.1).tolist() == [2] * 20
    lost = grey.sum() - np.sum(pictures.broken(square, 4.0).grey)
    # A strip of width 4 through a square of side 20 covers 80 pixels, and up to √2 as many.
    assert 75 <= lost / 20 <= 115


def test_chimeras_have_halves_of_both_classes_in_both_orders(subject: Subject) -> None:
    made = np.asarray(pictures.chimeras(subject, "3-5").grey)
    three, five = (np.asarray(subject.of_class(name, 10).grey) for name in "35")
    for number in range(10):
        left, right = (three, five) if number % 2 else (five, three)
        if np.array_equal(made[number, :, :14], three[number, :, :14]):
            left, right = three, five
        np.testing.assert_array_equal(made[number, :, :14], left[number, :, :14])
        np.testing.assert_array_equal(made[number, :, 14:], right[number, :, 14:])
    orders = [np.array_equal(made[n, :, :14], three[n, :, :14]) for n in range(10)]
    assert sum(orders) == 5


def test_joined_pictures_hang_together_and_neighbours_differ(subject: Subject) -> None:
    made = pictures.joined_digits(subject, 3.0)
    assert {grey.shape for grey in made} == {(28, 84)}
    drawn = pieces(subject.source, 0.1)
    assert pieces(made, 0.1).mean() <= 1 + 3 * (drawn.mean() - 1) + 0.5


def test_letters_that_are_digits_to_the_eye_stand_apart() -> None:
    alphabets = pictures.ALPHABETS
    assert set("IOSZ") == set(alphabets["I O S Z"])
    assert sorted("".join(alphabets.values())) == sorted("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def test_letters_of_an_alphabet_come_in_turn(subject: Subject) -> None:
    made = np.asarray(pictures.letters(replace(subject, count=5), "I O S Z").grey)
    from swarm_nca.measure.eval_set import EXAM_SEEDS

    expected = [
        strokes(2, EXAM_SEEDS, classes="letters", label=name).grey[turn]
        for turn, name in ((0, "I"), (0, "O"), (0, "S"), (0, "Z"), (1, "I"))
    ]
    np.testing.assert_array_equal(made, np.stack(expected))


def test_a_user_s_folder_is_one_of_the_hands(rule_file: str, tmp_path) -> None:
    from PIL import Image

    for name in "27":
        (tmp_path / "mine" / name).mkdir(parents=True)
        grey = strokes(1, 5, label=name).grey[0]
        ink = Image.fromarray((255 * (1 - grey)).astype(np.uint8))
        ink.save(tmp_path / "mine" / name / "a.png")
    mine = subject_of(rule_file, "strokes", count=4, pictures=tmp_path / "mine")
    hands = FAMILIES["hands"]
    assert hands.settings_for(mine)[-1] == "folder mine"
    made = hands.make(mine, "folder mine")
    assert made.labels_for(mine.rule.classes.names).tolist() == [2, 7]
    assert mine.plan != subject_of(rule_file, "strokes", count=4).plan


def test_immigrants_are_the_share_of_cells_that_obey_the_subject_s_other_rule(
    invaded: Subject,
) -> None:
    sound = world_of(invaded.pictures, invaded.rule)
    for share in (0.005, 0.2):
        world = FAMILIES["immigrants"].make(sound, share, invaded)
        assert [guest.hash() for guest in world.guests] == [invaded.immigrants.hash()]
        obeyed = torch.bincount(world.world_of, world.cell_fields[RULE].double())
        assert obeyed.tolist() == [round(share * count) for count in sound.counts.tolist()]


def test_the_attack_that_ships_is_the_default_for_its_rules_and_others_have_none(
    rule_file: str, subject: Subject
) -> None:
    attack = load_rule(folder("scenarios") / "faults" / "mislead.safetensors")
    for name in ("mnist", "mnist-97"):
        attacked = subject_of(name, "strokes", count=1)
        assert attacked.immigrants is not None
        assert attacked.immigrants.hash() == attacked.plan["immigrants"] == attack.hash()
    assert subject.immigrants is None
    assert "immigrants" not in chosen(None, subject)
    with pytest.raises(ValueError, match="name a rule with --immigrants"):
        chosen(["immigrants"], subject)
    given = subject_of(rule_file, "strokes", count=1, immigrants=rule_file)
    assert given.immigrants.hash() == given.rule.hash()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"immigrants": "growing-grow"}, "the immigrants' rule needs"),
        ({"immigrants": "digitz"}, "no rule 'digitz'"),
        ({"data": "mnits"}, r"no data set 'mnits' \(did you mean 'mnist'\?\)"),
        ({"data": "garments"}, "garments has none of the rule's classes"),
        ({"data": "chimeras"}, "have no right class"),
        ({"count": 0}, "count must be from 1"),
        ({"rule": "digitz"}, "no rule 'digitz'"),
        ({"rule": "growing-grow"}, "needs a rule with classes"),
    ],
)
def test_bad_subjects_are_refused(rule_file: str, arguments, message: str) -> None:
    arguments = {"rule": rule_file, "data": "strokes", **arguments}
    with pytest.raises(ValueError, match=message):
        subject_of(**arguments)


def test_without_published_pictures_the_drawn_ones_are_used(rule_file, monkeypatch) -> None:
    monkeypatch.delenv("SWARM_NCA_DATA", raising=False)
    small = subject_of(rule_file, count=2)
    assert small.data == "strokes"
    assert FAMILIES["hands"].settings_for(small) == ["doodles"]
    assert FAMILIES["foreign"].settings_for(small) == ["garments"]


def test_an_unknown_family_is_refused_with_the_nearest(subject: Subject) -> None:
    with pytest.raises(ValueError, match=r"no family 'rotaton' \(did you mean 'rotation'\?\)"):
        chosen(["rotaton"], subject)


def test_a_named_family_without_settings_is_refused_and_left_out_of_all(
    subject: Subject, monkeypatch
) -> None:
    nothing = Shift("nothing", "", pictures.clean, (), needs="give some")
    monkeypatch.setattr(families, "FAMILIES", {**FAMILIES, "nothing": nothing})
    with pytest.raises(ValueError, match="the family 'nothing' cannot be measured: give some"):
        chosen(["nothing"], subject)
    assert "nothing" not in chosen(None, subject)


def test_chimeras_are_made_of_the_classes_of_which_there_are_pictures(subject: Subject) -> None:
    held = np.isin(subject.source.labels, (0, 1, 7)).nonzero()[0]
    few = replace(subject, source=subject.source[held], count=2)
    settings = FAMILIES["chimeras"].settings_for(few)
    assert list(settings) == ["0-1", "0-7", "1-7"]
    family = FAMILIES["chimeras"]
    assert isinstance(family, Shift)
    assert len(family.make(few, "0-7")) == 2
    one = replace(few, source=subject.source[held[:1]])
    with pytest.raises(ValueError, match="pictures of two classes"):
        chosen(["chimeras"], one)
