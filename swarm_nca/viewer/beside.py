"""A second rule on the same drawing: who may stand beside whom, and where it begins.

Two rules live side by side if the same cells live under both and mean the same by what they say:
then whatever is done to one swarm can be done to the other, and what differs is the rule alone.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from swarm_nca.rules import Rule, load_rule, shipped_rules
from swarm_nca.viewer.session_config import SessionConfig
from swarm_nca.world import World


def beside(opening: SessionConfig, name: str) -> SessionConfig:
    """The same beginning under another rule; nothing is expected of that one.

    Args:
        name: a rule that ships, or a file, relative to the working directory.

    Raises:
        ValueError: no such rule, or one that cannot live on the same drawing.
    """
    rule = load_rule(name)
    why = _differs(opening.rule, rule)
    if why:
        raise ValueError(f"{name} cannot stand beside {opening.title}: {why}")
    return replace(opening, rule=rule, rule_name=name, start=_start(opening, rule), expect=())


@lru_cache(maxsize=16)
def partners(name: str, rule: Rule) -> tuple[str, ...]:
    """The rules that ship and may stand beside a rule, without that one itself."""
    others = (other for other in shipped_rules() if other != name)
    return tuple(other for other in others if not _differs(rule, load_rule(other)))


def _differs(first: Rule, second: Rule) -> str:
    """Why two rules cannot live on one drawing; empty if they can."""
    one, other = first.readout, second.readout
    if one.kind != other.kind:
        return f"its cells show {other.title.lower()}, not {one.title.lower()}"
    if one.channel_names != other.channel_names:
        return f"its classes are {_few(other.channel_names)}, not {_few(one.channel_names)}"
    if (first.habitat.sprout is None) != (second.habitat.sprout is None):
        return "its cells live in other places"
    if first.alive_above != second.alive_above:
        return f"its pixels live above {second.alive_above:g}, not {first.alive_above:g}"
    if (first.slots, first.stimulus_size) != (second.slots, second.stimulus_size):
        return f"it hears {second.slots} slots, not {first.slots}, or senses another patch"
    return ""


def _start(opening: SessionConfig, rule: Rule) -> World:
    start = opening.start
    fresh = World.from_images(
        [start.picture(index) for index in range(len(start))],
        rule,
        labels=start.label,
        keys=start.key,
        grid=start.canvas.grid,
        start=opening.settings.get("start", "zeros"),
        seed=opening.seed,
    )
    return replace(fresh, **{name: getattr(start, name) for name in World.SHARED})


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{names[0]} … {names[-1]}"
