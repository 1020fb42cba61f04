"""Writes plain data as readable YAML that is read back exactly.

Keys keep their order. A mapping or list that fits on one line is written on one
(`images: {dataset: strokes, label: 7}`); of mappings in a list each gets its own line.
"""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from swarm_nca.config.errors import Plain, shown
from swarm_nca.config.scalars import TAG, CoreDumper, to_plain

LINE = 72  # maximum characters of a mapping or list on one line


def dump(data: Plain) -> str:
    """The data as YAML text: `parse(dump(data)).data == data`, floats to the last bit.

    Accepts dicts (scalar keys), lists, tuples (written as lists), text, numbers, booleans, None.
    TypeError: any other type.
    """
    text = yaml.serialize(_node(data), Dumper=CoreDumper, width=float("inf"), allow_unicode=True)
    return str(text).removesuffix("...\n")


def _node(data: Plain, root: bool = True) -> yaml.Node:
    if isinstance(data, Mapping):
        pairs = [(_node(key, False), _node(value, False)) for key, value in data.items()]
        parts = [part for pair in pairs for part in pair]
        return yaml.MappingNode(TAG + "map", pairs, flow_style=not root and _fits(parts))
    if isinstance(data, list | tuple):
        entries = [_node(entry, False) for entry in data]
        one_line = _fits(entries) and not any(isinstance(e, yaml.MappingNode) for e in entries)
        return yaml.SequenceNode(TAG + "seq", entries, flow_style=one_line)
    if data is None or isinstance(data, str | bool | int | float):
        plain = not isinstance(data, str) or data.isprintable()
        # Double quotes escape line breaks.
        return yaml.ScalarNode(*to_plain(data), style=None if plain else '"')
    raise TypeError(f"only plain data can be written as YAML, got {shown(data)}")


def _fits(nodes: list[yaml.Node]) -> bool:
    """Whether the nodes fit on one line; their own styles are already chosen."""
    return all(_is_scalar_or_flow(node) for node in nodes) and sum(map(_length, nodes)) <= LINE


def _is_scalar_or_flow(node: yaml.Node) -> bool:
    return not isinstance(node, yaml.CollectionNode) or bool(node.flow_style)


def _length(node: yaml.Node) -> int:
    """The characters of a node on a line, with the comma and space after it."""
    if isinstance(node, yaml.ScalarNode):
        return len(node.value) + 2
    if isinstance(node, yaml.MappingNode):
        return 4 + sum(_length(key) + _length(value) for key, value in node.value)
    return 4 + sum(_length(entry) for entry in node.value)
