"""Import of the published rule of self-classifying MNIST.

The file is a TensorFlow.js graph in JSON: the constants whose names end in `/resource` hold, in
order, kernel and bias of three convolutions, as base64 of little-endian float32 (Randazzo et al.,
Distill 2020; the rule itself is CC-BY 4.0).
"""

from __future__ import annotations

import base64
import math
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from annotated_types import Ge, Le

from swarm_nca.arguments import shown
from swarm_nca.bounds import check
from swarm_nca.rules.mlp import Mlp
from swarm_nca.rules.plain_json import parsed
from swarm_nca.rules.rule import Rule
from swarm_nca.rules.storage import fill

#: Shapes in the file, layer by layer: height, width, in, out; input channel 0 is the grey.
_SHAPES = ([3, 3, 20, 80], [80], [1, 1, 80, 80], [80], [1, 1, 80, 19], [19])

#: A dimension of a constant.
_Dimension = Annotated[int, Ge(0), Le(1 << 31)]

#: The largest number of bytes to read; the published file has 128,549.
_LONGEST = 4 << 20


def read_published_rule(path: str | Path) -> Rule:
    """The published 22,499-parameter rule, frozen.

    Raises:
        ValueError: not JSON, not the expected graph, a constant that is missing, truncated or of
            another shape, or weights that are not finite.
    """
    path = Path(path)
    try:
        return _rule_in(_graph(path))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _graph(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            data = file.read(_LONGEST + 1)
        return parsed(data.decode(), _LONGEST)
    except (OSError, ValueError) as error:
        raise ValueError(f"not a readable JSON file ({error})") from error


def _rule_in(graph: Any) -> Rule:
    constants = _constants(graph)
    if len(constants) != len(_SHAPES):
        raise ValueError(
            f"expected {len(_SHAPES)} weight constants (kernel and bias of three layers), "
            f"found {len(constants)}"
        )
    arrays = [_array(node, shape) for node, shape in zip(constants, _SHAPES, strict=True)]
    kernel = arrays[0].reshape(9, 20, 80)
    weights = {
        "perception": np.concatenate([kernel[:, 0], kernel[:, 1:].reshape(171, 80)]),
        "perception_bias": arrays[1],
        "middle": arrays[2].reshape(80, 80),
        "middle_bias": arrays[3],
        "output": arrays[4].reshape(80, 19),
        "output_bias": arrays[5],
    }
    rule = Mlp()
    fill(rule, {name: torch.from_numpy(array) for name, array in weights.items()})
    return rule


def _constants(graph: Any) -> list[dict[str, Any]]:
    try:
        nodes = graph["modelTopology"]["node"]
        return [n for n in nodes if n["op"] == "Const" and n["name"].endswith("/resource")]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            "JSON, but not a TensorFlow.js graph (no modelTopology.node list with names); "
            "rules of this project are .safetensors files"
        ) from error


def _array(node: dict[str, Any], shape: list[int]) -> np.ndarray[Any, Any]:
    name = shown(node["name"])[1:-1]
    try:
        tensor = node["attr"]["value"]["tensor"]
        given = [_size(dim["size"]) for dim in tensor["tensorShape"]["dim"]]
        data = base64.b64decode(tensor["tensorContent"], validate=True)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"the constant {name} is damaged ({shown(error)})") from error
    if given != shape:
        raise ValueError(f"{name} has the shape {shown(given)}, expected {shape}")
    if len(data) != 4 * math.prod(shape):
        raise ValueError(
            f"{name} holds {len(data)} bytes, expected {4 * math.prod(shape)}; "
            "the file is truncated"
        )
    return np.frombuffer(data, dtype="<f4").astype(np.float32).reshape(shape)


def _size(given: Any) -> int:
    """A dimension, which TensorFlow.js writes as text."""
    if isinstance(given, str) and len(given) < 10 and given.isascii() and given.isdecimal():
        return int(given)
    return int(check("a dimension", given, _Dimension))
