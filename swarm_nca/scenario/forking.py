"""Forks: a run that goes on from a step of an earlier run, under other perturbations.

The worlds are those of the last kept frame at or before the step; the steps between are taken
again. Draws are counter-based, so the result is the same as in the earlier run, and a run that kept
no states is repeated from its start.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swarm_nca.config import Document, LocatedError, Node, Place, compose, folder_name, read
from swarm_nca.perturbations import Perturbation
from swarm_nca.rules import Rule
from swarm_nca.scenario.engines import engine_of
from swarm_nca.scenario.keeping import KeptStates, check_same_rule, structures
from swarm_nca.scenario.schema import Settings
from swarm_nca.simulation import Planned, Simulation, times
from swarm_nca.threads import threads_for
from swarm_nca.world import World

if TYPE_CHECKING:
    from swarm_nca.scenario.scenario import Scenario

#: Keys of a scenario that a fork takes over from the earlier run.
PAST = ("images", "canvas", "target", "start", "topology", "from")

#: Keys of a scenario on which its worlds do not depend.
_BESIDE = ("name", "description", "steps", "record", "expect")


def forked(name: str, overrides: Iterable[str] = (), seed: int | None = None) -> Document:
    """The scenario of a run that goes on from `RUN@STEP`.

    It is the earlier run's scenario, without the perturbations before the step and without the
    expectations that begin before it, with the key `from`, and named `RUN-from-STEP`.

    Args:
        name: `RUN@STEP`; RUN is a run folder, or the name of a folder in `runs`.
        overrides: changes of the earlier run's scenario, `key=value` as for `--set`.
        seed: another seed from the step on.

    Raises:
        ValueError: no such run or step, or a change of what was before the step.
    """
    folder, step = _parsed(name)
    earlier = read(folder / "scenario.yaml")
    changes = list(overrides) if seed is None else [*overrides, f"seed={seed}"]
    document = earlier.with_overrides(changes)
    settings: Settings = document.validate(Settings)
    before: Settings = earlier.validate(Settings)
    _check_past(earlier, document, step)
    if not before.first <= step <= before.steps:
        raise ValueError(
            f"{name}: the run has the steps {before.first} to {before.steps}; give one of them"
        )
    values: dict[Any, Node] = dict(document.root.value)  # type: ignore[arg-type]
    place = Place(f"--from {name}")
    origin = f"{{folder: ., step: {step}, past: '{_past_of(earlier)}'}}"
    values["from"] = compose(origin, place.file, numbered=False)
    if "name" not in {change.partition("=")[0].strip() for change in changes}:
        stem = settings.name or folder.name
        values["name"] = Node(place, folder_name(stem, f"-from-{step}"))
    for key in ("perturbations", "expect"):
        if key in values:
            values[key] = replace(values[key], value=_after(key, values[key], settings, step))
    keys = {**document.root.keys, "from": place, "name": document.root.keys.get("name", place)}
    return replace(document, root=Node(document.root.place, values, keys))


def origins_of(document: Document) -> list[Path]:
    """The folders of the runs that a scenario goes on from, the nearest first.

    Raises:
        ValueError: a run that goes on from itself.
    """
    folders = list[Path]()
    while (origin := document.root.child("from")) is not None:
        folder = (Path(document.file).parent / str(origin.data()["folder"])).resolve()
        if folder in folders:
            raise ValueError(
                f"{folder}: this run goes on from itself, so its worlds are lost; run its first "
                "scenario again"
            )
        folders.append(folder)
        document = read(folder / "scenario.yaml")
    return folders


def world_from(
    document: Document, settings: Settings, rule: Rule, load: Callable[[Document], Scenario]
) -> World:
    """The worlds from which a scenario with the key `from` goes on.

    Args:
        document, settings, rule: of this scenario.
        load: loads the scenario of the earlier run.

    Raises:
        ValueError: the earlier run cannot be used, or the rule does not fit its worlds.
    """
    if settings.from_ is None:
        raise ValueError("the scenario has no key 'from'")
    origins_of(document)  # an endless chain is refused
    folder = Path(document.file).parent / settings.from_.folder
    earlier = read(folder / "scenario.yaml")
    if settings.from_.past not in (None, _past_of(earlier)):
        raise ValueError(
            f"{folder}: another run has replaced the one that this scenario goes on from; run that "
            f"again, or go on from the new one: swarm-nca run --from {folder}@{settings.from_.step}"
        )
    scenario = load(earlier)
    first, last = scenario.settings.first, scenario.settings.steps
    if not first <= settings.from_.step <= last:
        raise ValueError(
            f"step must be one of that run, {first} to {last}, got {settings.from_.step}"
        )
    world = world_at(folder, scenario, settings.from_.step)
    if rule.readout != world.readout or rule.channels != world.state.shape[1]:
        raise ValueError(
            f"the rule {settings.rule} has other channels or classes than the worlds of {folder}: "
            "give a rule that fits them"
        )
    links = settings.links != scenario.settings.links
    return replace(world, links=settings.links) if links else world


def world_at(folder: Path, scenario: Scenario, step: int) -> World:
    """The worlds of a run after a step, before the perturbations at it.

    Args:
        folder: the run folder.
        scenario: the scenario of the run.

    Raises:
        ValueError: the rule has changed since the run, or damaged states.
    """
    check_same_rule(folder, scenario)
    world, now = scenario.start, scenario.settings.first
    kept = KeptStates.read(folder)
    steps = [] if kept is None else [at for at in kept.step if at <= step]
    if kept is not None and steps:
        now = steps[-1]
        number = kept.step.index(now)
        *_, structure = structures(scenario, [now])
        world = kept.world(number, structure)
    return _stepped(scenario, world, now, step)


def _stepped(scenario: Scenario, world: World, now: int, step: int) -> World:
    """The worlds of step `now`, before its perturbations, at a later step, before those there."""
    if now == step:
        return world
    plan = Planned([(change.at, change) for change in scenario.perturbations])
    settings = scenario.settings
    with threads_for(world.cells):
        simulation = Simulation(world, scenario.rule, settings.seed, plan, engine_of(settings))
        simulation.stand_on(world, now)
        simulation.happen()
        while simulation.step < step - 1:
            simulation.skip()
        simulation.take_step()
        return simulation.world


def _parsed(name: str) -> tuple[Path, int]:
    """The folder and the step of `RUN@STEP`."""
    given, mark, step = name.rpartition("@")
    if not mark or not given or not step.isascii() or not step.isdecimal() or len(step) > 9:
        raise ValueError(f"--from takes RUN@STEP, such as runs/chimera@100; got {name!r}")
    folder = Path(given)
    if not folder.is_dir() and (Path("runs") / given).is_dir():
        folder = Path("runs") / given
    if not (folder / "scenario.yaml").is_file():
        raise ValueError(f"{folder}: there is no run in this folder; run its scenario first")
    return folder, int(step)


def _past_of(document: Document) -> str:
    """SHA-256 of the part of a run's scenario on which its worlds depend."""
    data = {name: value for name, value in document.root.data().items() if name not in _BESIDE}
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def _check_past(earlier: Document, document: Document, step: int) -> None:
    """Raise a LocatedError if a change concerns what was before the step."""
    for key in PAST:
        was, now = (part.root.child(key) for part in (earlier, document))
        if now is not None and (was is None or was.data() != now.data()):
            changes = list(now.changes())
            raise LocatedError(
                f"{key} cannot change at step {step}: the worlds are those of the earlier run; a "
                "perturbation such as mutate changes pictures",
                Place(changes[0]) if changes else now.place,
                (key,),
            )
    was, now = (part.root.child("perturbations") for part in (earlier, document))
    known = [] if was is None else [node.data() for node in was.children()]
    for number, node in enumerate([] if now is None else now.children()):
        data = node.data()
        if data.get("at", 0) < step and data not in known:
            changes = list(node.changes())
            raise LocatedError(
                f"acts at step {data.get('at', 0)}, before step {step}, from which the run goes "
                "on: raise at",
                Place(changes[0]) if changes else node.place,
                ("perturbations", number),
            )


def _after(key: str, node: Node, settings: Settings, step: int) -> list[Node]:
    """The perturbations or expectations of a fork."""
    if key == "expect":
        spans = [wanted.span(settings.steps) for wanted in settings.expect]
        return [
            part for part, (first, _) in zip(node.children(), spans, strict=True) if first >= step
        ]
    pairs = zip(node.children(), settings.perturbations, strict=True)
    moments = [(part, _next(change, step, settings.steps)) for part, change in pairs]
    return [_moved(part, at) for part, at in moments if at is not None]


def _next(change: Perturbation, step: int, steps: int) -> int | None:
    """When a perturbation first acts at or after a step; None if it does not."""
    if change.at >= step:
        return change.at
    return next((at for at in times(change, change.at, steps - 1) if at >= step), None)


def _moved(node: Node, at: int) -> Node:
    """A perturbation with another `at`."""
    held: dict[Any, Node] = dict(node.value)  # type: ignore[arg-type]
    was = held.get("at")
    if was is None or was.value != at:
        held["at"] = Node(node.place, at)
    return replace(node, value=held)
