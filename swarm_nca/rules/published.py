"""Import of the rule that the self-classifying MNIST article published.

The file is a TensorFlow.js graph in JSON: the constants whose names end in `/resource` hold, in
order, kernel and bias of three convolutions, as base64 of little-endian float32 (Randazzo et al.,
Distill 2020; the rule itself is CC-BY 4.0).
"""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from swarm_nca.rules.mlp import Mlp
from swarm_nca.rules.rule import Rule
from swarm_nca.rules.storage import fill

#: Layer by layer, as the file has them: height, width, in, out; input channel 0 is the grey.
_SHAPES = ([3, 3, 20, 80], [80], [1, 1, 80, 80], [80], [1, 1, 80, 19], [19])


def read_published_rule(path: str | Path) -> Rule:
    """The published 22,499-parameter rule, frozen.

    Raises:
        ValueError: no JSON, no such graph, a constant missing, of another shape or truncated.
    """
    path = Path(path)
    try:
        graph = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path}: not a readable JSON file ({error})") from error
    constants = _constants(graph, path)
    if len(constants) != len(_SHAPES):
        raise ValueError(
            f"{path}: expected {len(_SHAPES)} weight constants (kernel and bias of three layers), "
            f"found {len(constants)}"
        )
    arrays = [_array(node, shape, path) for node, shape in zip(constants, _SHAPES, strict=True)]
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
    fill(rule, {name: torch.from_numpy(array) for name, array in weights.items()}, str(path))
    return rule


def _constants(graph: Any, path: Path) -> list[dict[str, Any]]:
    try:
        nodes = graph["modelTopology"]["node"]
        return [n for n in nodes if n["op"] == "Const" and n["name"].endswith("/resource")]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path}: JSON, but not a TensorFlow.js graph (no modelTopology.node list with names); "
            "rules of this project are .safetensors files"
        ) from error


def _array(node: dict[str, Any], shape: list[int], path: Path) -> np.ndarray[Any, Any]:
    try:
        tensor = node["attr"]["value"]["tensor"]
        given = [int(dim["size"]) for dim in tensor["tensorShape"]["dim"]]
        data = base64.b64decode(tensor["tensorContent"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise ValueError(f"{path}: the constant {node['name']} is damaged ({error!r})") from error
    if given != shape:
        raise ValueError(f"{path}: {node['name']} has the shape {given}, expected {shape}")
    if len(data) != 4 * int(np.prod(shape)):
        raise ValueError(
            f"{path}: {node['name']} holds {len(data)} bytes, expected {4 * int(np.prod(shape))}; "
            "the file is truncated"
        )
    return np.frombuffer(data, dtype="<f4").astype(np.float32).reshape(shape)
