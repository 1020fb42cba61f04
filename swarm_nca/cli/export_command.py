"""The body of `swarm-nca export`: finds the rule, makes the file, writes it."""

from __future__ import annotations

from pathlib import Path

from swarm_nca.atomic import check_file, write_atomically
from swarm_nca.export import EXPORTS, Precision
from swarm_nca.rules import Life, Rule, called, families, load_rule, make_rule, shipped_rules
from swarm_nca.suggestion import unknown


def export_command(
    name: str, to: str, *, out: Path | None, precision: Precision, changes: list[str]
) -> Path:
    """Export a rule.

    Args:
        name: a rule as `load_rule` finds it, or `life`.
        to: the kind of export, a key of `EXPORTS`.
        out: the file to write; the rule's name with the kind's ending, in the working folder, when
            None.
        precision: the type of the weights in the file.
        changes: `key=value` settings of `life`.

    Returns:
        The file written.

    Raises:
        ValueError: no such kind or rule, a rule that this kind does not support, or a place that
            cannot be written to.
    """
    if to not in EXPORTS:
        raise ValueError(unknown("kind of export", to, EXPORTS))
    kind = EXPORTS[to]
    rule, title = _rule_of(name, changes)
    out = out or Path(f"{title}{kind.ending}")
    if out.suffix.lower() in kind.beside:
        raise ValueError(
            f"--out {out}: a file of this name is written beside the {kind.ending} file: name that "
            f"one, {out.with_suffix(kind.ending)}"
        )
    title = out.stem if kind.beside else title  # the files name each other
    files = {out: kind.make} | {out.with_suffix(e): make for e, make in kind.beside.items()}
    made = {file: make(rule, title, precision=precision) for file, make in files.items()}
    for file in made:
        check_file(file)
    for file, data in made.items():
        write_atomically(file, data)
    return out


def _rule_of(name: str, changes: list[str]) -> tuple[Rule, str]:
    """The rule and its name."""
    family = name in families() and name not in shipped_rules() and not Path(name).exists()
    if family and name != Life.kind:
        raise ValueError(
            f"{name} is a family of rules, and of these only {Life.kind} can be exported without a "
            "file: name a trained rule or its file"
        )
    if family:
        settings = dict(_setting(change) for change in changes)
        return make_rule(Life.kind, **settings), name
    if changes:
        raise ValueError("--set changes a setting of life; leave it out for a trained rule")
    return load_rule(name), called(name)


def _setting(change: str) -> tuple[str, str]:
    key, mark, value = change.partition("=")
    if not mark:
        raise ValueError(f"--set takes KEY=VALUE, such as rule=B36/S23; got {change!r}")
    return key, value
