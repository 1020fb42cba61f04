"""The published JSON is read as its rule; damaged copies are refused with their location."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from swarm_nca.rules import load_rule, save_rule

Damage = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def graph(published_rule_path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(published_rule_path.read_text())
    return loaded


def constants(graph: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        node
        for node in graph["modelTopology"]["node"]
        if node["op"] == "Const" and node["name"].endswith("/resource")
    ]


def tensor_of(graph: dict[str, Any], place: int) -> dict[str, Any]:
    tensor: dict[str, Any] = constants(graph)[place]["attr"]["value"]["tensor"]
    return tensor


def test_the_rule_equals_the_file_s_convolution(
    published_rule_path: Path, graph: dict[str, Any]
) -> None:
    rule = load_rule(published_rule_path)
    assert sum(weight.numel() for weight in rule.parameters()) == 22_499
    assert (rule.fire_rate, rule.noise, rule.alive_above) == (0.5, 0.02, 0.1)
    assert not any(weight.requires_grad for weight in rule.parameters())
    arrays = []
    for node in constants(graph):
        tensor = node["attr"]["value"]["tensor"]
        shape = [int(dim["size"]) for dim in tensor["tensorShape"]["dim"]]
        raw = base64.b64decode(tensor["tensorContent"])
        arrays.append(torch.tensor(np.frombuffer(raw, "<f4").reshape(shape)))
    kernel, bias = arrays[0], arrays[1]
    # One patch of grey and states in the convolution's layout: height, width, channels.
    patch = torch.randn(3, 3, 20, generator=torch.Generator().manual_seed(1))
    first = torch.einsum("hwc,hwco->o", patch, kernel).add(bias).relu()
    second = first.matmul(arrays[2][0, 0]).add(arrays[3]).relu()
    expected = second.matmul(arrays[4][0, 0]).add(arrays[5])
    change = rule(patch[..., 0].reshape(1, 9), patch[..., 1:].reshape(1, 9, 19))
    torch.testing.assert_close(change[0], expected, atol=1e-5, rtol=1e-5)


def test_the_rule_is_unchanged_after_saving_and_loading(
    published_rule_path: Path, tmp_path: Path
) -> None:
    rule = load_rule(published_rule_path)
    path = save_rule(rule, tmp_path / "published.safetensors", {"licence": "CC-BY 4.0"})
    assert load_rule(path).hash() == rule.hash()


def half_a_constant(graph: dict[str, Any]) -> None:
    tensor = tensor_of(graph, 2)
    raw = base64.b64decode(tensor["tensorContent"])
    tensor["tensorContent"] = base64.b64encode(raw[: len(raw) // 2]).decode()


def not_base64(graph: dict[str, Any]) -> None:
    tensor = tensor_of(graph, 0)
    tensor["tensorContent"] = tensor["tensorContent"][:101] + "!"


def other_shape(graph: dict[str, Any]) -> None:
    tensor_of(graph, 4)["tensorShape"]["dim"][3]["size"] = "20"


def not_a_number(graph: dict[str, Any]) -> None:
    raw = np.full(80, np.nan, "<f4").tobytes()
    tensor_of(graph, 1)["tensorContent"] = base64.b64encode(raw).decode()


def one_constant_less(graph: dict[str, Any]) -> None:
    graph["modelTopology"]["node"].remove(constants(graph)[5])


def no_tensor(graph: dict[str, Any]) -> None:
    del constants(graph)[3]["attr"]["value"]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (half_a_constant, r"holds 12800 bytes, expected 25600; the file is truncated"),
        (not_base64, r"conv2d/Conv2D/ReadVariableOp/resource is damaged"),
        (other_shape, r"has the shape \[1, 1, 80, 20\], expected \[1, 1, 80, 19\]"),
        (not_a_number, r"not finite"),
        (one_constant_less, r"expected 6 weight constants .* found 5"),
        (no_tensor, r"is damaged"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_damaged_graph_is_refused(
    graph: dict[str, Any], tmp_path: Path, damage: Damage, message: str
) -> None:
    damaged = copy.deepcopy(graph)
    damage(damaged)
    path = tmp_path / "rule.json"
    path.write_text(json.dumps(damaged))
    with pytest.raises(ValueError, match=message) as caught:
        load_rule(path)
    assert str(path) in str(caught.value)


def test_a_truncated_copy_is_refused(published_rule_path: Path, tmp_path: Path) -> None:
    whole, path = published_rule_path.read_bytes(), tmp_path / "rule.json"
    for share in (0.1, 0.5, 0.99):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(ValueError, match="not a readable JSON file"):
            load_rule(path)
