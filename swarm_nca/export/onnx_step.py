"""One step of a rule as an ONNX model, for any runtime that reads ONNX.

Inputs, with N cells, C state channels, K neighbour slots and S stimulus values:

- `state` float [N, C], `stimulus` float [N, S],
- `neighbors` int64 [N, K]: the cell heard in each slot; N for no neighbour or a lost message,
- `fires` bool [N], `noise` float [N, C]: who acts, and what is added to each change.

Output: `next` float [N, C]. N is free; a world's `neighbors` is the index table.
"""

from __future__ import annotations

import importlib
from typing import Any

import torch

from swarm_nca.export.form import float32_layers
from swarm_nca.export.kind import Precision
from swarm_nca.rules import Rule

#: The version of the operators; every one in use is older.
OPSET = 17


def model(rule: Rule, name: str, *, precision: Precision = "float32") -> bytes:
    """The ONNX file of a rule.

    Args:
        rule: one that is made of layers, adds to the state, and whose cells are not born or killed.
        name: of the graph.
        precision: float32.

    Raises:
        ValueError: a rule of another form, another precision, or the package `onnx` is missing.
    """
    if rule.update != "add" or rule.habitat.sprout is not None or rule.layers() is None:
        raise ValueError(
            f"an ONNX file is made from layers that add to the state of living cells; rules of "
            f"kind {rule.kind!r} with these settings have another form"
        )
    layers = float32_layers(rule, precision, "ONNX")
    try:
        onnx: Any = importlib.import_module("onnx")
    except ModuleNotFoundError as error:
        raise ValueError(
            'this needs the package onnx; install it with: pip install "swarm-nca[onnx]"'
        ) from error
    make, numpy_helper = onnx.helper, onnx.numpy_helper
    constants = {
        "one_row": torch.tensor([1], dtype=torch.int64),
        "columns": torch.tensor([rule.channels], dtype=torch.int64),
        "flat": torch.tensor([-1, rule.slots * rule.channels], dtype=torch.int64),
        "last": torch.tensor([1], dtype=torch.int64),
    }
    nodes = [
        make.make_node("Concat", ["one_row", "columns"], ["silence_shape"], axis=0),
        make.make_node("ConstantOfShape", ["silence_shape"], ["silence"]),
        make.make_node("Concat", ["state", "silence"], ["said"], axis=0),
        make.make_node("Gather", ["said", "neighbors"], ["heard"], axis=0),
        make.make_node("Reshape", ["heard", "flat"], ["messages"]),
        make.make_node("Concat", ["stimulus", "messages"], ["units_0"], axis=1),
    ]
    for n, (weight, bias) in enumerate(layers):
        constants |= {f"weight_{n}": weight, f"bias_{n}": bias}
        nodes += [
            make.make_node("MatMul", [f"units_{n}", f"weight_{n}"], [f"product_{n}"]),
            make.make_node("Add", [f"product_{n}", f"bias_{n}"], [f"sum_{n}"]),
        ]
        if n + 1 < len(layers):
            nodes.append(make.make_node("Relu", [f"sum_{n}"], [f"units_{n + 1}"]))
    nodes += [
        make.make_node("Add", [f"sum_{len(layers) - 1}", "noise"], ["noisy"]),
        make.make_node("Add", ["state", "noisy"], ["moved"]),
        make.make_node("Unsqueeze", ["fires", "last"], ["who"]),
        make.make_node("Where", ["who", "moved", "state"], ["next"]),
    ]
    kinds = onnx.TensorProto
    shapes = {
        "state": (kinds.FLOAT, ["N", rule.channels]),
        "stimulus": (kinds.FLOAT, ["N", rule.stimulus_size]),
        "neighbors": (kinds.INT64, ["N", rule.slots]),
        "fires": (kinds.BOOL, ["N"]),
        "noise": (kinds.FLOAT, ["N", rule.channels]),
    }
    graph = make.make_graph(
        nodes,
        name,
        [make.make_tensor_value_info(key, *shape) for key, shape in shapes.items()],
        [make.make_tensor_value_info("next", kinds.FLOAT, ["N", rule.channels])],
        [numpy_helper.from_array(value.numpy(), key) for key, value in constants.items()],
    )
    made = make.make_model(graph, opset_imports=[make.make_opsetid("", OPSET)], ir_version=8)
    facts = {"rule": rule.hash(), "fire_rate": repr(rule.fire_rate), "noise": repr(rule.noise)}
    make.set_model_props(made, facts)
    onnx.checker.check_model(made)
    data: bytes = made.SerializeToString(deterministic=True)
    return data
