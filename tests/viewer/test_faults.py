"""Faults of cells in the viewer: marks, inspector, buttons, and the messages that arrive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pygame
import pytest
import torch
from pygame import Surface
from pygame.event import Event

import swarm_nca as sn
from swarm_nca.links import Links
from swarm_nca.perturbations import (
    Cut,
    Draw,
    Freeze,
    Immigrants,
    Liar,
    Perturbation,
    Rewire,
    Set,
    Silence,
    Stuck,
)
from swarm_nca.perturbations.area import Area
from swarm_nca.render import Rgb
from swarm_nca.viewer.app import App
from swarm_nca.viewer.camera import Camera
from swarm_nca.viewer.faults import FAULTS
from swarm_nca.viewer.headless import frame
from swarm_nca.viewer.inspector import question
from swarm_nca.viewer.marks import marks
from swarm_nca.viewer.messages import loudness
from swarm_nca.viewer.overlays import Look
from swarm_nca.viewer.paint import Paint
from swarm_nca.viewer.saving import scenario_text
from swarm_nca.viewer.session import Session
from swarm_nca.viewer.session_config import from_scenario
from swarm_nca.viewer.theme import DARK, LIGHT, Theme
from swarm_nca.viewer.widgets import Button
from swarm_nca.world import World
from swarm_nca.world.faults import FAULT, Fault

from .reading import window

#: The buttons of faults of cells: key, name in the inspector, flag.
BUTTONS = (
    ("q", "silent", Fault.SILENT),
    ("z", "frozen", Fault.FROZEN),
    ("S", "stuck", Fault.STUCK),
    ("L", "lying", Fault.LYING),
)


def press(app: App, key: str, mod: int = 0) -> None:
    app.handle(Event(pygame.KEYDOWN, key=ord(key), mod=mod, unicode=key))


def button(app: App, key: str) -> Button:
    (fault,) = [fault for fault in FAULTS if fault.key == key]
    (found,) = [widget for widget in app.widgets if widget.tip == f"{fault.words}  ({key})"]
    assert isinstance(found, Button)
    return found


def faulty(world: World, flag: Fault) -> int:
    flags = world.cell_fields.get(FAULT)
    return 0 if flags is None else sum(bool(int(value) & flag) for value in flags)


def one_cell(row: int, column: int) -> Area:
    return Area(shape="disc", center=(row, column), radius=0.1)


def middle(world: World) -> tuple[int, int]:
    row, column = world.position[world.cells // 2].tolist()
    return row, column


def canvas_of(app: App) -> Rgb:
    place = app.canvas
    return frame(app)[place.top : place.bottom, place.left : place.right]


def marked(before: Rgb, after: Rgb, side: float) -> set[tuple[int, int]]:
    """The cells whose pixels differ."""
    rows, columns = np.nonzero((before != after).any(axis=2))
    return {
        (int(r / side), int(c / side)) for r, c in zip(rows.tolist(), columns.tolist(), strict=True)
    }


# ------------------------------------------------------------------ marks


@pytest.mark.parametrize("view", ["Classes", "Grey", "Channel", "Messages"])
def test_exactly_the_faulty_cells_have_a_mark(app: App, view: str) -> None:
    (app.view,) = [each for each in app.views if each.name == view]
    before = canvas_of(app)
    app.session.edit(Freeze(share=0.2))  # frozen cells send what they sent before
    after = canvas_of(app)
    world = app.session.alone
    flags = world.cell_fields[FAULT].tolist()
    cells = {tuple(p) for p, flag in zip(world.position.tolist(), flags, strict=True) if flag}
    assert 0 < len(cells) < world.cells
    assert marked(before, after, app.canvas.width / 28) == cells


def painted(look: Look, theme: Theme, side: int) -> Rgb:
    """The marks on a surface of one colour, `side` pixels per cell."""
    rows, columns = look.world.picture().shape
    surface = Surface((columns * side, rows * side))
    surface.fill((200, 60, 160))
    place = surface.get_rect()
    marks(Paint(surface, theme, 1.0), look, place, place)
    pixels: Rgb = pygame.surfarray.array3d(surface).swapaxes(0, 1)
    return pixels


def look_at(session: Session, theme: Theme = LIGHT) -> Look:
    return Look(session.alone, session.rule, np.zeros(0, np.int64), theme, seed=session.seed)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("side", [12, 16, 40])
def test_every_fault_has_another_mark_told_apart_without_colour(
    session: Session, theme: Theme, side: int
) -> None:
    row, column = middle(session.alone)
    here, start = one_cell(row, column), session.world
    kinds: Sequence[Perturbation] = (
        Silence(cells=here),
        Freeze(cells=here),
        Stuck(cells=here),
        Liar(cells=here),
        Immigrants(cells=here, rule=session.rule),
    )
    tiles = []
    for kind in kinds:
        look = Look(kind(start), session.rule, np.zeros(0, np.int64), theme)
        tile = painted(look, theme, side)[
            row * side : (row + 1) * side, column * side : (column + 1) * side
        ]
        own = (tile != (200, 60, 160)).any(axis=2)
        light = tile.astype(float) @ [0.2126, 0.7152, 0.0722]
        # A mark carries its own background, so it shows on a cell of any colour.
        assert np.ptp(light[own]) > 120
        tiles.append(light)
    for number, one in enumerate(tiles):
        for other in tiles[number + 1 :]:
            assert (abs(one - other) > 60).sum() >= 0.03 * side**2


def test_small_cells_and_sound_worlds_have_no_marks(session: Session) -> None:
    plain = (200, 60, 160)
    assert (painted(look_at(session), LIGHT, 16) == plain).all()
    session.edit(Silence(share=1.0))
    assert (painted(look_at(session), LIGHT, 9) == plain).all()
    assert (painted(look_at(session), LIGHT, 16) != plain).any()


def test_marks_stay_within_the_pane_of_a_zoomed_picture(app: App) -> None:
    app.camera = Camera(3.0, 0.5, 0.5)
    before = frame(app)
    app.session.edit(Freeze(share=1.0))
    changed = (frame(app) != before).any(axis=2)
    (pane,) = app.panes
    lit = button(app, "z").place
    for place in (pane.clip(app.canvas), lit, app.timebar.place):
        inside = changed[place.top : place.bottom, place.left : place.right]
        assert inside.any()
        inside[:] = False
    assert not changed.any()


# -------------------------------------------------------------- inspector


def test_the_inspector_names_the_faults_of_the_cell(app: App) -> None:
    row, column = middle(app.session.alone)
    app.question((row, column))
    names = {name for _, name, _ in BUTTONS} | {"obeys guest 1"}

    def shown() -> list[str]:
        (found,) = [
            line.text.split(", ")
            for line in window(app)
            if set(line.text.split(", ")) <= names and line.text != "silent"
        ] or [[]]
        return found

    here = one_cell(row, column)
    assert shown() == []
    app.session.edit(Stuck(cells=here))
    assert shown() == ["stuck"]
    app.session.edit(Freeze(cells=here))
    app.session.edit(Silence(cells=here))
    assert shown() == ["silent", "frozen", "stuck"]
    app.session.edit(Immigrants(cells=here, rule=app.session.rule))
    assert shown() == ["silent", "frozen", "stuck", "obeys guest 1"]
    app.question((row, column + 1) if (row, column + 1) in positions(app) else (row - 1, column))
    assert shown() == []


def positions(app: App) -> set[tuple[int, ...]]:
    return {tuple(place) for place in app.session.alone.position.tolist()}


# ---------------------------------------------------------------- buttons


@pytest.mark.parametrize(("key", "name", "flag"), BUTTONS)
def test_a_button_strikes_a_share_of_the_cells_and_undo_takes_it_back(
    app: App, key: str, name: str, flag: Fault
) -> None:
    app.strength = 0.3
    cells = app.session.alone.cells
    place = button(app, key)
    assert not place.active()
    app.handle(Event(pygame.MOUSEBUTTONDOWN, pos=place.place.center, button=1))
    app.handle(Event(pygame.MOUSEBUTTONUP, pos=place.place.center, button=1))
    assert faulty(app.session.alone, flag) == round(0.3 * cells)
    assert place.active()
    assert "30%" in app.notice
    press(app, "z", pygame.KMOD_CTRL)
    assert faulty(app.session.alone, flag) == 0
    assert not place.active()


def test_heal_ends_all_faults_and_says_when_there_are_none(app: App) -> None:
    press(app, "Q")
    assert app.notice == "No cell has a fault"
    assert len(app.session.plan) == 0
    for key, _, _ in BUTTONS:
        press(app, key)
        app.session.advance()
    assert faulty(app.session.alone, Fault.LYING) > 0
    press(app, "Q")
    assert all(faulty(app.session.alone, flag) == 0 for _, _, flag in BUTTONS)
    assert not any(button(app, key).active() for key, _, _ in BUTTONS)


def test_kill_removes_a_share_of_the_cells(app: App) -> None:
    app.strength, before = 0.4, app.session.alone.cells
    press(app, "K")
    assert app.session.alone.cells == before - round(0.4 * before)


def test_a_saved_session_has_the_faults_and_runs_to_the_same_states(
    app: App, tmp_path: Path
) -> None:
    for key in "qzSLK":
        press(app, key)
        app.session.advance()
    app.session.edit(Draw(points=((3.0, 3.0), (9.0, 20.0))))  # rows move, and faults with them
    for _ in range(5):
        app.session.advance()
    file = tmp_path / "faulty.yaml"
    file.write_text(scenario_text(app.session, tmp_path), encoding="utf-8")
    last = sn.run(file).frames[-1].world
    assert torch.equal(last.state, app.session.world.state)
    assert torch.equal(last.cell_fields[FAULT], app.session.world.cell_fields[FAULT])


# --------------------------------------------------------------- messages

WIRES = {
    "silent": (Silence(share=0.3),),
    "stuck": (Stuck(share=0.3),),
    "lying": (Liar(share=0.3, strength=2.0),),
    "late": (Set(links=Links(delay=(0, 3))),),
    "rounded": (Set(links=Links(bits=3, range=1.0)),),
    "repeated": (Set(links=Links(drop=0.4, on_loss="last")),),
    "cut": (Cut(share=0.3),),
    "rewired": (Rewire(share=0.3),),
    "all": (
        Set(links=Links(drop=0.3, on_loss="last", delay=2, bits=4, range=2.0)),
        Silence(share=0.2),
        Stuck(share=0.2),
        Liar(share=0.2),
        Cut(share=0.1),
        Rewire(share=0.2),
    ),
}


@pytest.mark.parametrize("kind", WIRES)
def test_messages_are_drawn_as_the_agents_perceive_them(session: Session, kind: str) -> None:
    for _ in range(6):
        session.advance()
    for change in WIRES[kind]:
        session.edit(change)
    for _ in range(4):
        session.advance()
    look, world = look_at(session), session.alone
    loud = loudness(look)
    assert not np.allclose(loud, of_states(world), rtol=1e-4, equal_nan=True)
    swarm = sn.Swarm(world, session.rule, session.seed)
    for row in range(0, world.cells, 6):
        agent = swarm.agent_at(tuple(world.position[row].tolist()))
        agent.perceive()
        answer = question(look, row)
        assert set(np.flatnonzero(answer.heard)) == set(agent.inbox)
        assert set(np.flatnonzero(~np.isnan(loud[row]))) == set(agent.inbox) - {4}
        for slot, message in agent.inbox.items():
            assert answer.inbox[slot] == pytest.approx(message, rel=1e-5, abs=1e-6)
            if slot != 4:
                norm = float(np.linalg.norm(message))
                assert loud[row, slot] == pytest.approx(norm, rel=1e-5, abs=1e-6)


def of_states(world: World) -> np.ndarray:  # type: ignore[type-arg]
    """[N, 9], the norms of the states of the eight pixels around each cell."""
    place = {tuple(p): row for row, p in enumerate(world.position.tolist())}
    norms = np.full((world.cells, 9), np.nan, np.float32)
    for (row, column), number in place.items():
        for slot in set(range(9)) - {4}:
            sender = place.get((row + slot // 3 - 1, column + slot % 3 - 1))
            if sender is not None:
                norms[number, slot] = np.linalg.norm(world.state[sender].numpy())
    return norms


# ---------------------------------------------------------------- time bar


def test_the_time_bar_writes_bounds_and_values_as_reports_do(rule_file: Path) -> None:
    file = rule_file.parent / "bounded.yaml"
    file.write_text(
        "rule: busy.safetensors\nimages: {dataset: strokes, label: 3}\nsteps: 600\nexpect:\n"
        "  - {metric: cell_accuracy, at: 5, min: 0.25, max: 0.75}\n"
        "  - {metric: state_magnitude, at: 300, max: 9.0}\n",
        encoding="utf-8",
    )
    app = App(from_scenario(str(file)))
    app.playing = False

    def told(step: int) -> str:
        bar = app.timebar
        return bar.told((bar.x(step), bar.place.centery))

    assert told(5) == "cell_accuracy 25 % … 75 % at step 5: pending"
    assert told(300) == "state_magnitude ≤ 9 at step 300: pending"
    for _ in range(6):
        app.session.advance()
    assert told(5).split(": ")[1].split(" with ")[0] in ("passed", "failed")
    assert told(5).endswith(" %")
