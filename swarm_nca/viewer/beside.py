"""A second rule on the same drawing: which rules fit together, and the second one's start.

Two rules can run side by side if both have the same alive cells and the same read-out. Then every
perturbation fits both worlds, and the rule, with its grid, is their only difference.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from swarm_nca.rules import Rule, load_rule, shipped_rules
from swarm_nca.viewer.session_config import SessionConfig
from swarm_nca.world import World
from swarm_nca.world.wires import WIRE, rewired


def beside(opening: SessionConfig, name: str) -> SessionConfig:
    """The same start under another rule, without expectations.

    Args:
        name: a shipped rule, or a file, relative to the working directory.

    Raises:
        ValueError: no such rule, or one that does not fit the first.
    """
    rule = load_rule(name)
    reason = _difference(opening.rule, rule)
    if reason:
        raise ValueError(f"{name} cannot run beside {opening.title}: {reason}")
    return replace(opening, rule=rule, rule_name=name, start=_start(opening, rule), expect=())


@lru_cache(maxsize=16)
def partners(name: str, rule: Rule) -> tuple[str, ...]:
    """The shipped rules that can run beside a rule, without that rule itself."""
    others = (other for other in shipped_rules() if other != name)
    return tuple(other for other in others if not _difference(rule, load_rule(other)))


def _difference(first: Rule, second: Rule) -> str:
    """Why two rules do not fit on one drawing; empty if they do."""
    wanted, given = first.readout, second.readout
    if wanted.kind != given.kind:
        return f"its cells show {given.title.lower()}, not {wanted.title.lower()}"
    if wanted.channel_names != given.channel_names:
        return f"its classes are {_shortened(given.channel_names)}, not " + _shortened(
            wanted.channel_names
        )
    if (first.habitat.sprout is None) != (second.habitat.sprout is None):
        return "its cells are alive on other pixels"
    if first.alive_above != second.alive_above:
        return f"its pixels are alive above {second.alive_above:g}, not {first.alive_above:g}"
    if first.slots != second.slots:
        return f"it has {second.slots} slots, not {first.slots}"
    if first.stimulus_size != second.stimulus_size:
        return f"its stimulus has {second.stimulus_size} values, not {first.stimulus_size}"
    return ""


def _start(opening: SessionConfig, rule: Rule) -> World:
    """The pictures of the first rule's start; on the second rule's own grid where the first is."""
    start, grid = opening.start, opening.start.canvas.grid
    if grid.neighborhood == opening.rule.neighborhood != rule.neighborhood:
        if WIRE in start.cell_fields:
            raise ValueError(f"its grid is {rule.neighborhood}, for which no links are rewired")
        grid = replace(grid, neighborhood=rule.neighborhood)
    fresh = World.from_images(
        [start.picture(index) for index in range(len(start))],
        rule,
        labels=start.label,
        keys=start.key,
        grid=grid,
        start=opening.settings.get("start", "zeros"),
        seed=opening.seed,
    )
    shared = {name: getattr(start, name) for name in World.SHARED}
    alike = replace(fresh, **shared)
    further = replace(alike, cell_fields=start.cell_fields, world_fields=start.world_fields)
    return rewired(further)


def _shortened(names: tuple[str, ...]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{names[0]} … {names[-1]}"
