"""Loads a scenario: reads its file, loads rule and pictures, and tries the perturbations.

Every mistake is found here, with its place in the file, before the first step and before anything
is written. The perturbations are tried in order on the world at the start, because their effect on
the pictures does not depend on the states.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from swarm_nca.config import Document, Mistakes, dump, folder_name, read, relocated
from swarm_nca.engine import products_in
from swarm_nca.images import Source
from swarm_nca.measure.metrics import check_metric
from swarm_nca.perturbations import Immigrants, Mutate, Perturbation, Restart
from swarm_nca.perturbations.mutate import pictures_of
from swarm_nca.rules import Rule, shipped_rules
from swarm_nca.scenario.beginning import check_alive, rule_of, sized, start_of
from swarm_nca.scenario.finding import find_scenario
from swarm_nca.scenario.forking import world_from
from swarm_nca.scenario.schema import Settings
from swarm_nca.world import World


@dataclass(frozen=True, eq=False)
class Scenario:
    """A scenario that is ready to run.

    Attributes:
        name: name of the run and its folder.
        settings: the validated file, defaults filled in.
        document: the file, with the changes of the command line.
        rule: the rule of all cells.
        start: the worlds before the first step.
        perturbations: in the file's order, with their pictures loaded.
    """

    name: str
    settings: Settings
    document: Document
    rule: Rule
    start: World
    perturbations: tuple[Perturbation, ...]

    @property
    def folder(self) -> Path:
        """The folder of the file; the file's paths are relative to it."""
        return Path(self.document.file).parent

    def text(self, folder: Path) -> str:
        """The scenario as YAML, defaults filled in, paths relative to `folder`."""
        data = self.settings.completed(self.document.data)
        data["name"] = self.name
        moved = relocated(data, self.folder, folder, shipped_rules())
        return dump({"name": self.name, **moved})


def load(
    path: str | os.PathLike[str] | Document,
    *,
    overrides: Iterable[str] = (),
    seed: int | None = None,
) -> Scenario:
    """Load a scenario and check it completely.

    Args:
        path: a file, the name of a scenario that ships, or a document.
        overrides: changes of the file, `key=value` as for `--set`.
        seed: overrides the file's seed.

    Raises:
        LocatedError: mistakes in the file or in the files it names, each in one line with its
            place and the cure.
    """
    changes = list(overrides) if seed is None else [*overrides, f"seed={seed}"]
    document = path if isinstance(path, Document) else read(find_scenario(path))
    document = document.with_overrides(changes)
    settings: Settings = document.validate(Settings)
    mistakes = Mistakes(document)
    _check_moments(mistakes, settings)
    settings, places = _repeated(mistakes, settings)
    with mistakes.at("rule"):
        rule = rule_of(document, settings.rule, settings.seed)
        with mistakes.at("images"):
            start = _start(document, settings, rule)
            _check_metrics(mistakes, settings, start)
            with mistakes.at("precision"):
                products_in(settings.precision, start, rule)
        perturbations = _with_files(mistakes, settings, places, rule)
    mistakes.tell()
    _rehearse(mistakes, settings, start, perturbations, places)
    mistakes.tell()
    name = settings.name or folder_name(Path(document.file).stem)
    return Scenario(name, settings, document, rule, start, perturbations)


def _start(document: Document, settings: Settings, rule: Rule) -> World:
    """The worlds before the first step: of the pictures, or of another run."""
    if settings.from_ is None:
        return start_of(document, settings, rule)
    with document.at("from"):
        return world_from(document, settings, rule, load)


def _check_moments(mistakes: Mistakes, settings: Settings) -> None:
    steps, first = settings.steps, settings.first
    if first >= steps:
        with mistakes.at("steps"):
            raise ValueError(
                f"must be above {first}, the step from which the run goes on, got {steps}: raise "
                f"steps, as --set steps={first + 200}"
            )
    for i, perturbation in enumerate(settings.perturbations):
        with mistakes.at("perturbations", i, "at"):
            if perturbation.at < first:
                raise ValueError(
                    f"must be at least {first}, the step from which the run goes on, got "
                    f"{perturbation.at}"
                )
            if perturbation.at >= steps:
                raise ValueError(
                    f"must be before the last step: 0 to {steps - 1} in a run of {steps} steps, "
                    f"got {perturbation.at}; raise steps or lower at"
                )
    for i, expectation in enumerate(settings.expect):
        for key, step in zip(("from", "to"), expectation.span(steps), strict=True):
            given = key if expectation.at is None else "at" if key == "from" else "within"
            with mistakes.at("expect", i, given):
                if step < first and given != "within":
                    raise ValueError(
                        f"must be at least {first}, the step from which the run goes on, got {step}"
                    )
                if step > steps and not (given == "within" and expectation.within is None):
                    raise ValueError(
                        f"must be a step of the run, 0 to {steps}, got {step}; raise steps or "
                        f"lower {given}"
                    )


def _check_metrics(mistakes: Mistakes, settings: Settings, start: World) -> None:
    for i, expectation in enumerate(settings.expect):
        with mistakes.at("expect", i, "metric"):
            check_metric(expectation.metric, start)


def _repeated(mistakes: Mistakes, settings: Settings) -> tuple[Settings, list[int]]:
    """The settings with repeated perturbations written out, and their numbers in the file."""
    once, places = [], []
    for i, perturbation in enumerate(settings.perturbations):
        with mistakes.at("perturbations", i, "every"):
            times = perturbation.times(settings.steps)
            once += times
            places += [i] * len(times)
    return settings.model_copy(update={"perturbations": tuple(once)}), places


def _with_files(
    mistakes: Mistakes, settings: Settings, places: list[int], rule: Rule
) -> tuple[Perturbation, ...]:
    base, loaded, names = Path(mistakes.document.file).parent, [], rule.readout.class_names
    for place, change in zip(places, settings.perturbations, strict=True):
        with mistakes.at("perturbations", place, "images"):
            if isinstance(change, Mutate | Restart) and isinstance(change.images, Source):
                source = sized(change.images, settings.canvas)
                pictures = pictures_of(source, settings.seed, names, base)
                change = replace(change, images=pictures)
        with mistakes.at("perturbations", place, "rule"):
            if isinstance(change, Immigrants):
                change = change.loaded(base)
        loaded.append(change)
    return tuple(loaded)


def _rehearse(
    mistakes: Mistakes,
    settings: Settings,
    world: World,
    perturbations: tuple[Perturbation, ...],
    places: list[int],
) -> None:
    """Try the perturbations on the pictures, without the steps between them."""

    def when(number: int) -> int:
        return perturbations[number].at

    now = settings.first
    for at, together in groupby(sorted(range(len(perturbations)), key=when), key=when):
        # Noise on pixels depends on the step.
        changed, now = world.with_state(world.state, at - now), at
        world = changed
        for number in together:
            with mistakes.at("perturbations", places[number]):
                changed = perturbations[number](changed, settings.seed)
        # Within one step a perturbation may erase all ink and the next may add some.
        with mistakes.at("perturbations", places[number]):
            if not changed.cells:  # single worlds of a batch may become empty
                spot = ("perturbations", places[number])
                check_alive(mistakes.document, changed, spot, "it leaves")
            world = changed
