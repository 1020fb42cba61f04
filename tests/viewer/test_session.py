"""A session in time: replayed, rewound, branched, saved and run as a scenario."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
import torch

import swarm_nca as sn
from swarm_nca.images import Source
from swarm_nca.perturbations import Damage, Draw, Erase, Loss, Mutate, Noise, Perturbation, Restart
from swarm_nca.scenario import load, run
from swarm_nca.viewer import keyframes
from swarm_nca.viewer.app import App
from swarm_nca.viewer.edits import drop
from swarm_nca.viewer.keyframes import Keyframe, Keyframes
from swarm_nca.viewer.saving import scenario_text
from swarm_nca.viewer.session import Session
from swarm_nca.viewer.session_config import SessionConfig, from_rule, from_scenario
from swarm_nca.viewer.tools import cleared, whiteboard
from swarm_nca.world import World


def same(one: World, other: World) -> bool:
    return torch.equal(one.address, other.address) and torch.equal(one.state, other.state)


def random_edit(random: Random) -> Perturbation:
    def place() -> tuple[float, float]:
        return round(random.uniform(0, 27), 2), round(random.uniform(0, 27), 2)

    return random.choice(
        [
            Draw(points=(place(), place()), radius=round(random.uniform(0.6, 3), 2)),
            Draw(points=(place(),), label=-1),
            Erase(points=(place(), place()), radius=1.5),
            Damage(shape="disc", center=place(), radius=4.0),
            Mutate(images=Source(dataset="strokes", label=random.randrange(10), index=3, seed=0)),
            Noise(strength=round(random.uniform(0.1, 1.0), 2)),
            Loss(drop=round(random.random(), 2)),
            Restart(),
            cleared(28, 28),
        ]
    )


def play(session: Session, actions: int, seed: int) -> None:
    random = Random(seed)
    for _ in range(actions):
        kind = random.random()
        if kind < 0.5:
            for _ in range(random.randrange(1, 6)):
                session.advance()
        elif kind < 0.9:
            session.edit(random_edit(random))
        else:
            session.seek(random.randrange(session.reached + 1))


def test_a_session_steps_as_rollout_does(session: Session) -> None:
    for _ in range(40):
        session.advance()
    rolled = sn.rollout(session.opening.start, session.rule, 40, session.seed)
    assert same(session.world, rolled)
    assert session.world.step.tolist() == [40]


@pytest.mark.parametrize("seed", range(3))
def test_200_saved_random_actions_run_to_the_same_states(
    session: Session, tmp_path: Path, seed: int
) -> None:
    play(session, 200, seed)
    session.seek(session.reached)
    session.edit(Draw(points=((5.0, 5.0), (20.0, 20.0))))
    session.advance()
    file = tmp_path / "session.yaml"
    file.write_text(scenario_text(session, tmp_path), encoding="utf-8")
    run = sn.run(file)
    assert run.steps == session.step
    assert same(run.frames[-1].world, session.world)


def test_going_back_shows_every_step_as_it_was(session: Session) -> None:
    random, moments = Random(5), {}
    for step in range(60):
        if step % 7 == 3:
            session.edit(random_edit(random))
            session.edit(Draw(points=((10.0, 10.0), (18.0, 12.0))))
        moments[step] = session.world
        session.advance()
    for step in [59, 3, 17, 18, 0, 58, 40, 2]:
        session.seek(step)
        assert session.step == step
        assert same(session.world, moments[step])
        assert session.reached == 60


def test_playing_from_the_past_repeats_it_and_an_edit_branches(
    session: Session,
) -> None:
    for _ in range(20):
        session.advance()
    session.edit(Restart())
    for _ in range(20):
        session.advance()
    end = session.world
    session.seek(5)
    for _ in range(35):
        session.advance()
    assert same(session.world, end)
    session.seek(5)
    session.edit(Noise(strength=0.5))
    assert session.reached == 5
    assert [edit.perturbation.kind for edit in session.plan] == ["noise"]
    for _ in range(35):
        session.advance()
    assert not same(session.world, end)


def test_an_empty_canvas_waits_for_its_first_cell(session: Session, tmp_path: Path) -> None:
    session.edit(cleared(28, 28))
    assert session.waiting
    assert not session.advance()
    assert session.step == 0
    with pytest.raises(ValueError, match="draw something"):
        scenario_text(session, tmp_path)
    session.edit(Draw(points=((14.0, 14.0),)))
    assert session.advance()


def test_an_edit_that_does_not_fit_changes_nothing(session: Session) -> None:
    for _ in range(9):
        session.advance()
    session.seek(4)
    before = session.world
    with pytest.raises(ValueError, match="misses the canvas"):
        session.edit(Draw(points=((99.0, 99.0),)))
    assert (session.step, session.reached, len(session.plan)) == (4, 9, 0)
    assert session.world is before


def test_keyframes_stay_within_the_budget_and_keep_the_first(
    opening: SessionConfig,
) -> None:
    first = Keyframe.of(opening.start, 0)
    kept = Keyframes(first, budget=10 * first.bytes)
    for step in range(1, 2_000):
        if kept.wants(step):
            kept.keep(replace(first, step=step))
        assert kept.bytes <= 10 * first.bytes
        assert 0 <= step - kept.before(step).step < 2 * kept.stride
    assert kept.before(0).step == 0
    assert len(kept) >= 5


def test_a_full_canvas_goes_back_2000_steps_in_200_megabytes(opening: SessionConfig) -> None:
    start = World.from_images(torch.ones(1, 140, 140), opening.rule)
    kept = Keyframes(Keyframe.of(start, 0))
    for step in range(1, 2_001):
        if kept.wants(step):
            kept.keep(Keyframe.of(start, step))
    assert kept.bytes <= min(keyframes.BUDGET, 200 * 2**20)
    assert kept.stride <= 64


SCENARIO = """
name: busy
seed: 4
rule: busy.safetensors
images: {dataset: strokes, label: 7, index: 1}
canvas: [28, 28]
steps: 30
perturbations:
  - {at: 20, kind: damage, shape: half, side: top}
  - {at: 10, kind: mutate, images: {glyph: 2}}
expect:
  - {metric: state_magnitude, at: 10, min: 0.0}
  - {metric: label_flips, at: 25, min: 1.0}
"""


@pytest.fixture
def scenario_file(rule_file: Path) -> Path:
    file = rule_file.parent / "busy.yaml"
    file.write_text(SCENARIO, encoding="utf-8")
    return file


def test_a_scenario_gives_the_same_states_in_the_viewer_and_in_a_run(scenario_file: Path) -> None:
    session = Session(from_scenario(str(scenario_file)))
    assert session.expectations == [None, None]
    for _ in range(30):
        session.advance()
    run = sn.run(scenario_file)
    assert same(session.world, run.frames[-1].world)
    assert session.expectations == list(run.expectations)
    assert [words for _, words in session.said] == ["mutate: 7 → 2", "damage: top half"]


def test_edits_by_hand_are_saved_with_the_scenario(scenario_file: Path, tmp_path: Path) -> None:
    session = Session(from_scenario(str(scenario_file)))
    for _ in range(10):
        session.advance()
    session.edit(Noise(strength=0.3))
    session.seek(3)
    session.edit(Draw(points=((4.0, 4.0), (9.0, 20.0))))
    while session.step < 30:
        session.advance()
    (tmp_path / "elsewhere").mkdir()
    file = tmp_path / "elsewhere" / "again.yaml"
    file.write_text(scenario_text(session, file.parent), encoding="utf-8")
    run = sn.run(file)
    assert same(session.world, run.frames[-1].world)
    assert [expectation.metric for expectation in run.expectations] == [
        "state_magnitude",
        "label_flips",
    ]


def test_of_several_worlds_only_the_one_shown_is_edited(rule_file: Path) -> None:
    file = rule_file.parent / "three.yaml"
    three = SCENARIO.replace("label: 7, index: 1", "count: 3").split("perturbations")[0]
    file.write_text(three, encoding="utf-8")
    session = Session(from_scenario(str(file)))
    session.advance()
    session.show(1)
    assert same(session.alone, session.world.select(1))
    before = session.world
    session.edit(Draw(points=((3.0, 3.0), (3.0, 24.0))))
    assert same(session.world.select(0), before.select(0))
    assert same(session.world.select(2), before.select(2))
    assert session.alone.cells > before.select(1).cells
    while session.step < 30:
        session.advance()
    saved = rule_file.parent / "saved.yaml"
    saved.write_text(scenario_text(session, saved.parent), encoding="utf-8")
    assert same(sn.run(saved).frames[-1].world, session.world)


def test_a_filled_canvas_has_a_character_in_every_place() -> None:
    edits = whiteboard([str(digit) for digit in range(10)], 140, 112, seed=3)
    seen = {
        (int(row) // 28, int(column) // 28)
        for edit in edits
        if isinstance(edit, Draw)
        for row, column in edit.points or ()
    }
    assert seen == {(row, column) for row in range(5) for column in range(4)}
    assert whiteboard(["coat", "sandal"], 56, 56, seed=3) == []


@pytest.mark.parametrize("name", ["digits-4", "digits-hex"])
def test_a_rule_of_another_grid_begins_on_it_and_its_saved_session_runs_alike(
    name: str, tmp_path: Path
) -> None:
    session = Session(from_rule(name))
    rule = sn.load_rule(name)
    assert session.world.canvas.grid == sn.Grid(rule.neighborhood)
    for _ in range(8):
        session.advance()
    path = tmp_path / "saved.yaml"
    path.write_text(scenario_text(session, tmp_path))
    again = run(load(path, overrides=["steps=8"]))
    assert torch.equal(again.frames[-1].world.state, session.world.state)


@pytest.mark.parametrize(
    "change",
    [
        "kind: set, links: {drop: 0.2}",
        "kind: silence, cells: {shape: disc, center: [14, 14], radius: 5}",
    ],
)
def test_a_session_with_links_or_areas_in_its_plan_is_saved(change: str, tmp_path: Path) -> None:
    path = tmp_path / "flicker.yaml"
    path.write_text(
        "name: flicker\nrule: digits\nimages: {dataset: strokes}\nsteps: 9\n"
        f"perturbations:\n  - {{at: 2, {change}}}\n"
    )
    session = Session(from_scenario(str(path)))
    for _ in range(5):
        session.advance()
    saved = tmp_path / "saved.yaml"
    saved.write_text(scenario_text(session, tmp_path))
    one, other = (run(load(file, overrides=["steps=5"])) for file in (path, saved))
    assert torch.equal(one.frames[-1].world.state, other.frames[-1].world.state)
    assert torch.equal(session.world.state, one.frames[-1].world.state)


def test_a_session_with_one_emptied_world_is_saved_and_runs(tmp_path: Path) -> None:
    path = tmp_path / "two.yaml"
    path.write_text("name: two\nrule: digits\nimages: {dataset: strokes, count: 2}\nsteps: 9\n")
    session = Session(from_scenario(str(path)))
    session.advance()
    session.edit(cleared(28, 28))
    session.advance()
    assert session.world.counts.tolist()[0] == 0 < session.world.cells
    saved = tmp_path / "saved.yaml"
    saved.write_text(scenario_text(session, tmp_path))
    again = run(load(saved, overrides=["steps=2"]))
    assert torch.equal(again.frames[-1].world.state, session.world.state)


def test_the_name_of_a_saved_session_is_a_valid_one(tmp_path: Path) -> None:
    path = tmp_path / "one.yaml"
    path.write_text(f"name: {'n' * 100}\nrule: digits\nimages: {{dataset: strokes}}\nsteps: 3\n")
    session = Session(from_scenario(str(path)))
    saved = tmp_path / "saved.yaml"
    saved.write_text(scenario_text(session, tmp_path))
    assert load(saved).name == "n" * 92 + "-session"


def test_a_scenario_on_a_graph_is_refused_and_the_session_stays(tmp_path: Path) -> None:
    path = tmp_path / "cube.yaml"
    path.write_text(
        "name: cube\nrule: {kind: mlp, slots: 27, stimulus_size: 0, hidden: [6]}\n"
        "topology: {kind: cubic, shape: [2, 2, 2]}\nsteps: 3\n"
    )
    load(path)
    app = App(from_rule("digits"))
    before = app.session
    drop(app, str(path))
    assert "this scenario has none (topology: cubic)" in app.notice
    app.tick(0.1)
    assert app.session is before
