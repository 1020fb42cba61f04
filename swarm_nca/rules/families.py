"""The table of rule families; files, recipes and scenarios use its names.

To add a family, write a file with a subclass of `Rule` and a line in `RULES`. Other packages name
their families in the entry-point group `swarm_nca.rules`.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from swarm_nca.arguments import shown
from swarm_nca.extensions import with_extensions
from swarm_nca.rules.elementary import Elementary
from swarm_nca.rules.life import Life
from swarm_nca.rules.mlp import Mlp
from swarm_nca.rules.quantized import Quantized
from swarm_nca.rules.rule import Rule
from swarm_nca.suggestion import did_you_mean, unknown

#: The families of this package, by kind.
RULES: dict[str, type[Rule]] = {
    "mlp": Mlp,
    "quantized": Quantized,
    "life": Life,
    "elementary": Elementary,
}


def families() -> Mapping[str, type[Rule]]:
    """All families by kind: those of `RULES`, then those of installed packages."""
    return with_extensions("swarm_nca.rules", RULES, Rule)  # type: ignore[type-abstract]


def family(kind: str) -> type[Rule]:
    """The family of a kind.

    Raises:
        ValueError: an unknown family.
    """
    if isinstance(kind, str) and kind in RULES:
        return RULES[kind]  # does not import other packages
    known = families()
    if not isinstance(kind, str) or kind not in known:
        raise ValueError(unknown("rule family", shown(kind).strip("'"), known))
    return known[kind]


def settings_of(cls: type[Rule]) -> list[str]:
    """The names of the settings of a family."""
    return [name for name in inspect.signature(cls).parameters if name != "generator"]


def make_rule(kind: str, **settings: Any) -> Rule:
    """An untrained rule of a family, by its kind and settings.

        make_rule(kind="life", rule="B3/S23")

    Raises:
        ValueError: an unknown family, an unknown setting, or an invalid value.
    """
    return rule_to_train(kind, settings, {})


def rule_to_train(kind: str, settings: Mapping[str, Any], offered: Mapping[str, Any]) -> Rule:
    """As `make_rule`, with arguments that a task offers.

    Args:
        kind, settings: the family and its settings.
        offered: arguments for families that take them, where `settings` lacks them.

    Raises:
        ValueError: see `make_rule`.
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
    known = inspect.signature(cls).parameters
    extra = {name: value for name, value in offered.items() if name in known}
    try:
        return cls(**extra | dict(settings))
    except TypeError as error:
        raise ValueError(f"a rule of kind {kind!r}: {error}") from error


def rule_from_header(header: Any) -> Rule:
    """An untrained rule from the data of `Rule.header`; without a kind it is an `Mlp`.

    Raises:
        ValueError: an unknown family, or invalid settings.
    """
    if not isinstance(header, Mapping):
        raise ValueError(f"settings must be a mapping, got {shown(header)}")
    settings = dict(header)
    cls = family(settings.pop("kind", Mlp.kind))
    try:
        return cls.from_settings(settings)
    except (TypeError, KeyError) as error:
        raise ValueError(f"invalid settings for a rule of kind {cls.kind!r} ({error})") from error
