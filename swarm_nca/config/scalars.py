"""The scalars of YAML 1.2's core schema (yaml.org/spec/1.2.2, section 10.3.2), read and written.

PyYAML follows YAML 1.1, where `1e-3` is text, `12:30` is 750, `010` is 8 and `no` is false. Here
`1e-3` is a float, `12:30` is text, `010` is 10 and `no` is text. The reader converts plain text by
one table; by the same table the writer quotes text that would be read as another value.
"""

from __future__ import annotations

import re

import yaml

from swarm_nca.config.errors import Scalar

TAG = "tag:yaml.org,2002:"
LONGEST_INTEGER = 1000  # characters; Python refuses to print integers of more than 4,300 digits
CORE_SCHEMA = {
    "null": re.compile(r"(?:~|null|Null|NULL|)\Z"),
    "bool": re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"),
    "int": re.compile(r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\Z"),
    "float": re.compile(
        r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
    ),
    "merge": re.compile(r"<<\Z"),  # not in the core schema; listed so that it is refused
}


def from_plain(text: str) -> Scalar:
    """The value of an unquoted scalar. ValueError: an integer of more than 1,000 characters."""
    kind = next((kind for kind, pattern in CORE_SCHEMA.items() if pattern.match(text)), "str")
    if kind == "null":
        return None
    if kind == "bool":
        return text[0] in "tT"
    if kind == "int":
        if len(text) > LONGEST_INTEGER:
            raise ValueError(f"this number has {len(text)} digits: give at most {LONGEST_INTEGER}")
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if kind == "float":
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


def to_plain(value: Scalar) -> tuple[str, str]:
    """The tag of a value and a text that is read back as exactly this value."""
    if value is None:
        return TAG + "null", "null"
    if isinstance(value, bool):
        return TAG + "bool", "true" if value else "false"
    if isinstance(value, int):
        return TAG + "int", str(int(value))
    if isinstance(value, float):
        text = repr(float(value))  # the shortest text that reads back as the same float
        return TAG + "float", text.replace("inf", ".inf").replace("nan", ".nan")
    return TAG + "str", str(value)


class CoreDumper(yaml.SafeDumper):
    """PyYAML's emitter with quotes by the core schema and indented list entries."""

    yaml_implicit_resolvers = {}  # noqa: RUF012  (PyYAML's own name for a table per class)

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


for _kind, _pattern in CORE_SCHEMA.items():
    CoreDumper.add_implicit_resolver(TAG + _kind, _pattern, None)
