"""Faults and dials: perturbations by buttons, sliders and keys can be saved and replayed."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pygame
import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pygame.event import Event

import swarm_nca as sn
from swarm_nca.engine import rates_of
from swarm_nca.perturbations import Draw, Loss, Mutate, Noise, Rates
from swarm_nca.viewer import faults
from swarm_nca.viewer.app import App
from swarm_nca.viewer.dials import DIALS
from swarm_nca.viewer.faults import FAULTS, Fault
from swarm_nca.viewer.headless import frame
from swarm_nca.viewer.icons import ICONS
from swarm_nca.viewer.keys import ACTIONS
from swarm_nca.viewer.plan import Plan
from swarm_nca.viewer.saving import scenario_text
from swarm_nca.viewer.session import Session
from swarm_nca.viewer.widgets import Button, Slider
from swarm_nca.world import World

JOLT, LOSS, CHIMERA = FAULTS[:3]


def press(app: App, key: str) -> None:
    app.handle(Event(pygame.KEYDOWN, key=ord(key), mod=0, unicode=key))


def click(app: App, place: tuple[int, int]) -> None:
    app.handle(Event(pygame.MOUSEBUTTONDOWN, pos=place, button=1))
    app.handle(Event(pygame.MOUSEBUTTONUP, pos=place, button=1))


def button(app: App, fault: Fault) -> Button:
    (found,) = [widget for widget in app.widgets if widget.tip == f"{fault.words}  ({fault.key})"]
    assert isinstance(found, Button)
    return found


def slider(app: App, label: str) -> Slider:
    (found,) = [
        widget for widget in app.widgets if isinstance(widget, Slider) and widget.label == label
    ]
    return found


def edits(app: App) -> list[object]:
    return [edit.perturbation for edit in app.session.plan]


def held(world: World) -> dict[int, list[float]]:
    return dict(zip(world.site.tolist(), world.state.tolist(), strict=True))


def same(one: World, other: World) -> bool:
    return torch.equal(one.address, other.address) and torch.equal(one.state, other.state)


def test_a_rate_slider_changes_the_world_and_shows_its_true_rate(app: App) -> None:
    rule = app.session.rule
    assert slider(app, "Fire rate").shown() == f"{rule.fire_rate:.0%}"
    place = slider(app, "Fire rate").place
    app.session.advance()
    app.handle(Event(pygame.MOUSEBUTTONDOWN, pos=place.center, button=1))
    for x in range(place.centerx, place.right):
        app.handle(Event(pygame.MOUSEMOTION, pos=(x, place.centery), rel=(1, 0), buttons=(1, 0, 0)))
    app.handle(Event(pygame.MOUSEBUTTONUP, pos=(place.right, place.centery), button=1))
    assert rates_of(app.session.world, rule) == (1.0, rule.noise)
    assert edits(app) == [Rates(at=1, fire_rate=1.0)]
    app.session.advance()
    assert len(app.session.fired) == app.session.world.cells
    click(app, slider(app, "Noise").place.midleft)
    assert rates_of(app.session.world, rule) == (1.0, 0.0)
    assert slider(app, "Noise").shown() == "0.00"
    app.seek(0)
    assert slider(app, "Fire rate").shown() == f"{rule.fire_rate:.0%}"


def test_keys_change_the_rates_within_their_bounds(app: App) -> None:
    press(app, "U")
    assert app.session.world.fire_rate == app.session.rule.fire_rate - 0.05
    press(app, "g")
    assert app.session.world.noise == app.session.rule.noise + 0.01
    for _ in range(30):
        press(app, "u")
        press(app, "G")
    assert rates_of(app.session.world, app.session.rule) == (1.0, 0.0)
    before = edits(app)
    press(app, "u")
    assert edits(app) == before


def test_the_chimera_button_changes_only_the_right_half(app: App) -> None:
    for _ in range(5):
        app.session.advance()
    before = app.session.world
    label = int(before.label[0])
    click(app, button(app, CHIMERA).place.center)
    after = app.session.world
    assert after.label.tolist() == [-1]
    assert torch.equal(after.picture()[:, :14], before.picture()[:, :14])
    assert not torch.equal(after.picture()[:, 14:], before.picture()[:, 14:])
    old = held(before)
    for site, state in held(after).items():
        assert state == old.get(site, [0.0] * len(state))
    grafted = []
    for _ in range(12):
        (*_, last) = edits(app)
        assert isinstance(last, Mutate)
        grafted.append(int(last.images.label))  # type: ignore[union-attr, arg-type]
        press(app, "m")
    expected = [(label + ahead) % 10 for ahead in range(1, 13)]
    assert grafted == expected
    app.mutate(7)
    press(app, "m")
    assert edits(app)[-1].images.label == "8"  # type: ignore[attr-defined]


def test_a_lasting_fault_lights_its_button_and_a_second_press_ends_it(app: App) -> None:
    loss = button(app, LOSS)
    dark = frame(app)
    assert not loss.active()
    app.strength = 0.4
    click(app, loss.place.center)
    assert app.session.world.links.drop == 0.4
    assert loss.active()
    assert "40%" in app.notice
    inside = np.s_[loss.place.top : loss.place.bottom, loss.place.left : loss.place.right]
    assert (frame(app)[inside] != dark[inside]).any()
    app.strength = 0.6
    press(app, "l")
    assert app.session.world.links.drop == 0.6
    press(app, "l")
    assert app.session.world.links.drop == 0.0
    assert not loss.active()


def test_all_faults_use_one_strength(app: App) -> None:
    for share, strength in ((0.0, 0.05), (1.0, 1.0), (0.5, 0.53)):
        slider(app, "Strength").set(share)
        assert app.strength == strength
        press(app, "j")
        app.session.advance()
        press(app, "l")
    assert [edit.strength for edit in edits(app) if isinstance(edit, Noise)] == [0.1, 2.0, 1.06]
    assert [edit.drop for edit in edits(app) if isinstance(edit, Loss)] == [0.05, 1.0, 0.53]


def test_every_fault_and_dial_has_a_control_and_every_key_one_action(app: App) -> None:
    for fault in FAULTS:
        assert fault.icon in ICONS
        assert button(app, fault).tip
    for dial in DIALS.values():
        assert slider(app, dial.label).tip.startswith(dial.tip)
    keys = [key for action in ACTIONS for key in action.keys]
    assert sorted(keys) == sorted(set(keys))


def test_a_line_in_the_table_adds_a_button_with_room_for_thirteen(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    silence = Fault("loss", "q", "Silence", lambda app, strength: Loss(drop=strength))
    more = [silence._replace(words=f"Fault {number}") for number in range(3)]
    monkeypatch.setattr(faults, "FAULTS", (*FAULTS, *more))
    app.arrange(app.layout)
    places = [widget.place for widget in app.widgets]
    assert len([widget for widget in app.widgets if widget.tip.startswith("Fault ")]) == 3
    for number, place in enumerate(places):
        assert place.collidelist(places[number + 1 :]) == -1
    click(app, button(app, more[2]).place.center)
    assert app.session.world.links.drop == app.strength


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(name=st.sampled_from(sorted(DIALS)), share=st.floats(0.0, 1.0))
@example(name="hue", share=1.0 - 2**-53)
def test_a_slider_keeps_its_value_within_its_bounds(app: App, name: str, share: float) -> None:
    dial = DIALS[name]
    dial.set_share(app, share)
    value = dial.read(app)
    assert dial.low <= value <= dial.high
    away = abs(value - (dial.low + share**dial.bend * (dial.high - dial.low)))
    assert min(away, dial.high - away if dial.turns else away) <= 0.06
    assert value == round(value, dial.digits)
    dial.set_share(app, dial.share(app))
    assert dial.read(app) == value
    assert dial.shown(value)


def test_a_slider_s_new_value_replaces_the_previous_edit() -> None:
    foreseen = Loss(at=3, drop=0.1)
    plan = Plan([(foreseen, foreseen)])
    for one in (
        Loss(at=3, drop=0.2),
        Loss(at=3, drop=0.3),
        Rates(at=3, fire_rate=0.1),
        Rates(at=3, noise=0.1),
        Rates(at=3, noise=0.2),
        Loss(at=3, drop=0.4),
        Noise(at=3, strength=0.1),
        Noise(at=3, strength=0.2),
        Rates(at=4, noise=0.2),
        Rates(at=4, noise=0.3, fire_rate=0.2),
        Rates(at=4, noise=0.4),
    ):
        plan.add(one)
    assert [edit.perturbation for edit in plan] == [
        foreseen,
        Loss(at=3, drop=0.3),
        Rates(at=3, fire_rate=0.1),
        Rates(at=3, noise=0.2),
        Loss(at=3, drop=0.4),
        Noise(at=3, strength=0.1),
        Noise(at=3, strength=0.2),
        Rates(at=4, noise=0.3, fire_rate=0.2),
        Rates(at=4, noise=0.4),
    ]


def test_going_back_restores_the_rates_and_playing_repeats_them(session: Session) -> None:
    moments, random = {}, Random(3)
    for step in range(60):
        if step % 5 == 2:
            rate, noise = round(random.random(), 2), round(random.random() / 10, 3)
            session.edit(random.choice([Rates(fire_rate=rate), Rates(noise=noise)]))
        moments[step] = session.world
        session.advance()
    for step in [59, 3, 33, 32, 0, 58, 40, 2, 49]:
        session.seek(step)
        assert same(session.world, moments[step])
        rates = (session.world.fire_rate, session.world.noise)
        assert rates == (moments[step].fire_rate, moments[step].noise)


@pytest.mark.parametrize("seed", range(2))
def test_saved_faults_and_rates_run_to_the_same_states(app: App, tmp_path: Path, seed: int) -> None:
    random, session = Random(seed), app.session
    for _ in range(200):
        kind = random.random()
        if kind < 0.4:
            for _ in range(random.randrange(1, 6)):
                session.advance()
        elif kind < 0.6:
            random.choice(FAULTS).strike(app)
        elif kind < 0.9:
            DIALS[random.choice(["strength", "fire rate", "noise"])].set_share(app, random.random())
        else:
            session.seek(random.randrange(session.reached + 1))
    session.seek(session.reached)
    session.edit(Draw(points=((5.0, 5.0), (20.0, 20.0))))
    DIALS["fire rate"].set(app, 0.7)
    DIALS["noise"].set(app, 0.05)
    for fault in FAULTS:
        fault.strike(app)
        session.advance()
    kinds = {edit.perturbation.kind for edit in session.plan}
    assert kinds >= {"noise", "loss", "mutate", "restart", "rates", "draw"}
    assert kinds >= {"kill", "silence", "freeze", "stuck", "liar", "heal"}
    file = tmp_path / "session.yaml"
    file.write_text(scenario_text(session, tmp_path), encoding="utf-8")
    run = sn.run(file)
    assert same(run.frames[-1].world, session.world)
    rates = run.frames[-1].world.fire_rate, run.frames[-1].world.noise
    assert rates == (session.world.fire_rate, session.world.noise)


def test_rates_act_on_all_worlds_and_a_chimera_on_the_one_shown(
    rule_file: Path,
) -> None:
    from swarm_nca.viewer.session_config import from_scenario

    file = rule_file.parent / "two.yaml"
    file.write_text(
        "rule: busy.safetensors\nimages: {dataset: strokes, count: 2}\nsteps: 9\n", encoding="utf-8"
    )
    app = App(from_scenario(str(file)))
    app.playing = False
    app.session.show(1)
    before = app.session.world
    DIALS["fire rate"].set(app, 0.9)
    CHIMERA.strike(app)
    after = app.session.world
    assert after.fire_rate == 0.9
    assert torch.equal(after.picture(0), before.picture(0))
    assert not torch.equal(after.picture(1), before.picture(1))
    while app.session.step < 9:
        app.session.advance()
    saved = rule_file.parent / "saved.yaml"
    saved.write_text(scenario_text(app.session, saved.parent), encoding="utf-8")
    assert same(sn.run(saved).frames[-1].world, app.session.world)
