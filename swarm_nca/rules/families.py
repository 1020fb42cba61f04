"""The families of rules by name: what files, recipes and scenarios can say.

To add a family, write a file with a subclass of `Rule` and a line in `RULES`. A package of one's
own names its families in the entry-point group `swarm_nca.rules`.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from swarm_nca.extensions import with_extensions
from swarm_nca.rules.bounds import shown
from swarm_nca.rules.elementary import Elementary
from swarm_nca.rules.life import Life
from swarm_nca.rules.mlp import Mlp
from swarm_nca.rules.rule import Rule
from swarm_nca.suggestion import did_you_mean, unknown

#: The families that come with the package, by kind.
RULES: dict[str, type[Rule]] = {
    "mlp": Mlp,
    "life": Life,
    "elementary": Elementary,
}


def families() -> Mapping[str, type[Rule]]:
    """All families by kind: those of `RULES`, then those of installed packages."""
    return with_extensions("swarm_nca.rules", RULES, Rule)  # type: ignore[type-abstract]


def family(kind: str) -> type[Rule]:
    """The family of that kind.

    Raises:
        ValueError: no such family.
    """
    if isinstance(kind, str) and kind in RULES:
        return RULES[kind]  # no package of someone else's is imported for it
    known = families()
    if not isinstance(kind, str) or kind not in known:
        given = kind if isinstance(kind, str) else shown(kind)
        raise ValueError(unknown("rule family", given, known))
    return known[kind]


def settings_of(cls: type[Rule]) -> list[str]:
    """The names of the settings that rules of a family take."""
    return [name for name in inspect.signature(cls).parameters if name != "generator"]


def make_rule(kind: str, **settings: Any) -> Rule:
    """An untrained rule of a family, by its kind and settings.

        make_rule(kind="life", rule="B3/S23")

    Raises:
        ValueError: no such family, a setting that it does not have, or a value it refuses.
    """
    cls = family(kind)
    takes = settings_of(cls)
    for name in settings:
        if name not in takes:
            hint = did_you_mean(name, takes)
            raise ValueError(
                f"a rule of kind {kind!r} has no setting {name!r}{hint}; it takes "
                f"{', '.join(takes) or 'none'}"
            )
    try:
        return cls(**settings)
    except TypeError as error:
        raise ValueError(f"a rule of kind {kind!r}: {error}") from error


def rule_from_header(header: Any) -> Rule:
    """An untrained rule from `Rule.header`'s data; what names no kind is an `Mlp`.

    Raises:
        ValueError: a family or settings that cannot be used.
    """
    if not isinstance(header, Mapping):
        raise ValueError(f"settings are a mapping, got {shown(header)}")
    settings = dict(header)
    cls = family(settings.pop("kind", Mlp.kind))
    try:
        return cls.from_settings(settings)
    except (TypeError, KeyError) as error:
        raise ValueError(f"settings that no rule of kind {cls.kind!r} has ({error})") from error
