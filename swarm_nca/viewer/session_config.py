"""The start of a session: from a scenario, or from a rule and a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from swarm_nca.images import Source
from swarm_nca.images import load as load_pictures
from swarm_nca.perturbations import Perturbation
from swarm_nca.recording.run import title_of
from swarm_nca.rules import Rule, load_rule
from swarm_nca.scenario import Scenario, load
from swarm_nca.scenario.schema import Expect
from swarm_nca.topologies import Grid
from swarm_nca.viewer.samples import plain, sample
from swarm_nca.viewer.starts import starts_of
from swarm_nca.world import World

#: The side of a canvas for rules whose cells fill it.
_FIELD = 56

#: The class shown first by a session without a scenario, and which sample of it.
_FIRST, _WHICH = 3, 4


@dataclass(frozen=True, eq=False)
class SessionConfig:
    """The start of a session.

    Attributes:
        name: the session's title.
        rule_name: the rule's name or path, relative to `folder`, or its kind and settings.
        settings: keys of a scenario file except rule, steps and perturbations, as plain data.
        folder: paths are relative to it.
        foreseen: the scenario's perturbations, each as it acts and as written in the file.
        steps: the scenario's length; 0 without a scenario.
        description: the scenario's description, one line; the title's tooltip.
    """

    name: str
    rule: Rule
    rule_name: str | Mapping[str, Any]
    start: World
    settings: Mapping[str, Any]
    seed: int = 0
    folder: Path = field(default_factory=Path.cwd)
    foreseen: tuple[tuple[Perturbation, Perturbation], ...] = ()
    expect: tuple[Expect, ...] = ()
    steps: int = 0
    description: str = ""

    @property
    def title(self) -> str:
        """The rule's title: its name without folder and ending, or `life B3/S23`."""
        if not isinstance(self.rule_name, str):
            return title_of(self.rule_name)
        name = self.rule_name.replace("\\", "/").rsplit("/", 1)[-1]
        return name.removesuffix(".safetensors").removesuffix(".json")


def from_scenario(path: str, rule_name: str | None = None) -> SessionConfig:
    """The start of a scenario, with another rule if one is named.

    Raises:
        ValueError: an error in the file, with its location.
    """
    overrides = () if rule_name is None else (f"rule={Path(rule_name).absolute()}",)
    if rule_name is not None and not Path(rule_name).exists():
        overrides = (f"rule={rule_name}",)
    scenario = load(path, overrides=overrides)
    if scenario.settings.from_ is not None:
        raise ValueError(
            f"{path}: a run that goes on from another one cannot be viewed: view the scenario of "
            "the earlier run, or run this one and open its run.webp"
        )
    if not scenario.start.space.pictured:
        raise ValueError(
            f"{path}: the viewer shows pictures, and this scenario has none (topology: "
            f"{scenario.settings.topology.kind}): run it and open its report"
        )
    return _of(scenario)


def _of(scenario: Scenario) -> SessionConfig:
    settings = scenario.settings
    head = settings.completed(scenario.document.data)
    kept = ("seed", "images", "canvas", "target", "start", "precision", "links", "topology")
    return SessionConfig(
        name=scenario.name,
        rule=scenario.rule,
        rule_name=settings.rule,
        start=scenario.start,
        settings={key: head[key] for key in kept if key in head},
        seed=settings.seed,
        folder=scenario.folder,
        foreseen=tuple(zip(scenario.perturbations, settings.perturbations, strict=True)),
        # The viewer can rewind, so it judges only what one step decides.
        expect=tuple(wanted for wanted in settings.expect if wanted.instant),
        steps=settings.steps,
        description=settings.about,
    )


def from_rule(name: str, side: int = 28) -> SessionConfig:
    """A rule and a picture that fits it, on a canvas of side × side.

    Raises:
        ValueError: no such rule.
    """
    rule = load_rule(name)
    side = side if rule.readout.class_names else _FIELD
    return from_source(rule, name, first_of(rule, side), side)


def first_of(rule: Rule, side: int) -> Source:
    """The first picture of a session without a scenario, on a canvas of side × side."""
    starts, classes = starts_of(rule), rule.readout.class_names
    if starts:
        return starts[-1].source((side, side), 0)
    first = sample(classes[min(_FIRST, len(classes) - 1)], _WHICH) if classes else None
    return first or Source(glyph=3)


def from_source(
    rule: Rule,
    name: str | Mapping[str, Any],
    source: Source,
    side: int,
    folder: Path | None = None,
    grid: Grid | None = None,
) -> SessionConfig:
    """A rule, and the picture that a source describes, on a canvas of side × side.

    Args:
        folder: the rule's path is relative to it; the working directory when None.
        grid: the links between pixels; the rule's own neighbourhood when None.
    """
    names = rule.readout.class_names
    pictures = load_pictures(source, classes=names)
    pictures = pictures.centred_on((side, side))
    labels = pictures.labels_for(names).tolist()
    start = World.from_images(pictures.grey, rule, labels=labels, grid=grid)
    settings: dict[str, Any] = {"seed": 0, "images": plain(source), "canvas": [side, side]}
    if grid is not None and grid != Grid(rule.neighborhood):
        settings["topology"] = {"neighborhood": grid.neighborhood, "torus": grid.torus}
    return SessionConfig(
        name="free play",
        rule=rule,
        rule_name=name,
        start=start,
        settings=settings,
        folder=folder or Path.cwd(),
    )
