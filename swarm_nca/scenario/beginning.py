"""Builds a scenario's rule and the worlds at its start."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from swarm_nca.config import Document
from swarm_nca.images import Pictures, Source
from swarm_nca.images import load as load_pictures
from swarm_nca.images.rle import read_pattern
from swarm_nca.images.targets import drawn_target, read_target
from swarm_nca.perturbations import Rewire
from swarm_nca.rules import Elementary, Life, Rule, families, load_rule, make_rule
from swarm_nca.rules.families import settings_of
from swarm_nca.scenario.schema import Settings, Target
from swarm_nca.suggestion import did_you_mean, unknown
from swarm_nca.topologies import Grid, cubic, read_graph, stimulus_of
from swarm_nca.world import World

if TYPE_CHECKING:
    import networkx as nx


def rule_of(document: Document, given: str | dict[str, Any], seed: int) -> Rule:
    """The scenario's rule: by name or path, or of a family, by kind and settings.

    Args:
        seed: seed of the weights that a family draws.

    Raises:
        LocatedError: an unknown kind or setting, or an invalid value.
        ValueError: no such rule.
    """
    if isinstance(given, str):
        return load_rule(given, Path(document.file).parent)
    known = families()
    if "kind" not in given:
        raise document.error(("rule",), f"missing key 'kind'; there are {', '.join(known)}")
    kind = given["kind"]
    if not isinstance(kind, str) or kind not in known:
        raise document.error(("rule", "kind"), unknown("rule family", kind, known))
    takes = settings_of(known[kind])
    for name in given.keys() - {"kind", *takes}:
        raise document.error(
            ("rule", name),
            f"a rule of kind {kind!r} has no setting {name!r}{did_you_mean(name, takes)}; it takes "
            f"{', '.join(takes) or 'none'}",
            key=True,
        )
    try:
        # Weights depend on the scenario's seed only.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return make_rule(**given).requires_grad_(False)
    except ValueError as error:
        raise document.error(_path_of(given, str(error)), str(error)) from error


def _path_of(given: dict[str, Any], message: str) -> tuple[str, ...]:
    """The path of the setting that a message starts with, else of the rule."""
    settings = [name for name in given if name != "kind"]
    word = re.match(r"\W*(\w+)", message)
    if word and word[1] in settings:
        return "rule", word[1]
    return ("rule", settings[0]) if len(settings) == 1 else ("rule",)


def start_of(document: Document, settings: Settings, rule: Rule) -> World:
    """The worlds before the first step.

    Raises:
        LocatedError: pictures that cannot be loaded or do not fit the rule.
    """
    if settings.images is None:
        return _without_pictures(document, settings, rule)
    names = rule.readout.class_names
    with document.at("images"):
        source = sized(settings.images, settings.canvas)
        base = Path(document.file).parent
        _check_patterns(source, base, rule)
        pictures = load_pictures(source, seed=settings.seed, base=base, classes=names)
    if settings.canvas is not None:
        with document.at("canvas"):
            pictures = pictures.centred_on(settings.canvas)
    with document.at("start"):
        if settings.start == "random" and rule.habitat.sprout is not None:
            raise ValueError(
                "this rule does not start from random numbers: leave start out; for a random "
                "board give images: {soup: 0.3}"
            )
    with document.at("images"):
        start = World.from_images(
            pictures.grey,
            rule,
            labels=pictures.labels_for(names).tolist(),
            grid=Grid(settings.topology.neighborhood or rule.neighborhood, settings.topology.torus),
            links=settings.links,
            start=settings.start,
            seed=settings.seed,
        )
    check_alive(document, start, ("images",), "this picture has")
    if settings.topology.rewire:
        start = Rewire(share=settings.topology.rewire)(start, settings.seed)
    if settings.target is not None:
        with document.at("target"):
            start = _with_target(start, pictures, settings.target, Path(document.file).parent)
    return start


def _without_pictures(document: Document, settings: Settings, rule: Rule) -> World:
    """The world on a cubic lattice or a graph."""
    given = settings.topology
    with document.at("topology"):
        if given.shape is not None:
            graph: nx.Graph[Any] = cubic(given.shape, given.torus)
        else:
            graph = read_graph(Path(document.file).parent / str(given.file), rule.slots)
        start = World.from_graph(
            graph,
            rule,
            stimulus=stimulus_of(graph, rule.stimulus_size),
            links=settings.links,
            start=settings.start,
            seed=settings.seed,
        )
    return Rewire(share=given.rewire)(start, settings.seed) if given.rewire else start


def sized(source: Source, canvas: tuple[int, int] | None) -> Source:
    """The source; a soup or sprout without a size gets the size of the canvas."""
    if source.origin in ("soup", "sprout") and source.size is None and canvas is not None:
        return replace(source, size=canvas)
    return source


def check_alive(document: Document, world: World, path: tuple[Any, ...], what: str) -> None:
    """Raise a LocatedError if a world has no living cell."""
    empty = (world.counts == 0).nonzero().view(-1).tolist()
    if empty:
        which = f" in world {empty[0]}" if len(world) > 1 else ""
        raise document.error(
            path,
            f"{what} no living cell{which}: a pixel is alive if its grey is above "
            f"{world.canvas.alive_above:g} (paper is 0, ink is 1)",
        )


def _check_patterns(source: Source, base: Path, rule: Rule) -> None:
    """Raise a ValueError if a pattern's header names a rule other than the scenario's."""
    for part in (*(source.row or ()), *(source.chimera or ())):
        _check_patterns(part, base, rule)
    named = None if source.rle is None else read_pattern(source.rle, base).rule
    if named is None:
        return
    own = {"life": getattr(rule, "rule", ""), "elementary": f"W{getattr(rule, 'number', '')}"}
    if _same_rule(named) != own.get(rule.kind, ""):
        actual = own.get(rule.kind) or f"of the kind {rule.kind}"
        raise ValueError(
            f"this pattern is for the rule {named}, the scenario's rule is {actual}: give "
            f"rule: {{kind: life, rule: {named}}}, or remove the rule from the pattern's header"
        )


def _same_rule(named: str) -> str:
    """A header's rule in the spelling of the families: B3/S23 for 23/3 or b3/s23:T100,100."""
    name = named.partition(":")[0].upper()
    survivals_first = re.fullmatch(r"([0-8]*)/([0-8]*)", name)
    if survivals_first:
        name = f"B{survivals_first[2]}/S{survivals_first[1]}"
    try:
        if name.startswith("W"):
            return f"W{Elementary(int(name[1:])).number}"
        return Life(name).rule
    except ValueError:
        return name


def _with_target(start: World, pictures: Pictures, target: Target, base: Path) -> World:
    """The worlds with the field `target` [B, H, W, 4], premultiplied RGBA."""
    if start.readout.kind != "rgba":
        raise ValueError(
            "a target needs a rule with the read-out rgba, this rule's read-out is "
            f"{start.readout.kind}: leave target out"
        )
    sizes = {picture.shape for picture in pictures}
    if len(sizes) != 1:
        raise ValueError("worlds with a target must have one size: give a canvas")
    [(rows, columns)] = sizes
    side = target.size
    if side > min(rows, columns):
        raise ValueError(
            f"a target of {side}×{side} does not fit on a canvas of {rows}×{columns}: make the "
            "target smaller or the canvas larger"
        )
    if target.drawn is not None:
        picture = drawn_target(target.drawn, side)
    else:
        picture = read_target(base / str(target.file), side)
    field = start.state.new_zeros(len(start), rows, columns, 4)
    top, left = (rows - side) // 2, (columns - side) // 2
    field[:, top : top + side, left : left + side] = torch.from_numpy(picture).to(field)
    return start.with_worlds(target=field)
