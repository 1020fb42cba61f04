"""Damaged rule files: each is refused in one line, or loads, runs and can be drawn.

Few files by default; with SWARM_NCA_FUZZ=full 5,000 rule files and 2,000 published ones.
"""

from __future__ import annotations

import base64
import contextlib
import json
import math
import os
import random
import resource
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch

from swarm_nca.engine import trajectory
from swarm_nca.measure import metrics
from swarm_nca.render import portrait
from swarm_nca.rules import Mlp, Rule, load_rule, save_rule
from swarm_nca.topologies import number_slots
from swarm_nca.viewer.lettering import written
from swarm_nca.viewer.theme import DARK, LIGHT, name_colors
from swarm_nca.world import World

FULL = os.environ.get("SWARM_NCA_FUZZ") == "full"

#: Largest CPU time of one file in seconds, and largest growth of memory for all files in kB.
SECONDS, MEMORY = 5.0, 1_000_000

#: Values to put into files; most are invalid in most places.
VALUES: list[Any] = [
    *(0, -1, 1, 2, 3, 9, 80, 255, 256, 257, 10**9, 2**31, 2**63, 2**64, 10**14, 10**45, 10**400),
    *(0.0, -0.0, 0.5, 1.0, 1.5, 9.0, 1e-320, 1e6, 1e38, -1e38, 3.5e38, 1e39, 1e308),
    *(math.nan, math.inf, -math.inf, None, True, False),
    *("", "nine", "ring", "slots", "1", "\n", "\x00", "\ud800", "x" * 1_000),
    *([], [1], [1, 2], [9, 9], [[]], {}, {"a": 1}, [[[[]]]], [10**9, 10**9]),
]

NAMES = ["", " ", "a\nb", "a\x00", "\ud800", "x" * 101, "x" * 100, "\u200b", "\u202ea", "\u0301"]
NAMES += ["$x^$", "[/red]", "a,b", '"', "</p>", "\ue000", "\u0378", "全", "👨‍👩‍👧", "%s", "{0}"]

Damage = Callable[["Draft", random.Random], None]


class Draft:
    """A rule file in parts: settings and card, tensors as dtype, shape and bytes, and texts."""

    def __init__(self, rng: random.Random) -> None:
        hearing, slots, sensed = rng.choice(
            [("slots", 9, 9), ("ring", 9, 9), ("slots", 4, 2), ("ring", 5, 1)]
        )
        names = [str(i) for i in range(rng.choice([2, 3, 10]))]
        rule = Mlp(
            Mlp().classes.named(*names),
            free_channels=rng.choice([1, 9]),
            hidden=(rng.randint(1, 9), rng.randint(1, 9)),
            slots=slots,
            stimulus_size=sensed,
            hearing=hearing,  # type: ignore[arg-type]
            generator=torch.Generator().manual_seed(rng.getrandbits(32)),
        )
        double = rng.random() < 0.3
        self.settings: Any = rule.settings()
        self.header: Any = {"format": 1, "card": {"by": "fuzz"}, "settings": self.settings}
        self.tensors = {
            name: ["F64" if double else "F32", list(weight.shape), numbers_of(weight, double, rng)]
            for name, weight in rule.state_dict().items()
        }
        self.of_text: list[Callable[[str], str]] = []
        self.of_table: list[Callable[[str], str]] = []
        self.of_bytes: list[Callable[[bytes], bytes]] = []

    def file(self) -> bytes:
        """The bytes of the file."""
        text = json.dumps(self.header)
        for change in self.of_text:
            text = change(text)
        table: dict[str, Any] = {"__metadata__": {"swarm_nca": text}}
        start, bodies = 0, []
        for name, (dtype, shape, data) in self.tensors.items():
            table[name] = {
                "dtype": dtype,
                "shape": shape,
                "data_offsets": [start, start + len(data)],
            }
            start += len(data)
            bodies.append(data)
        head = json.dumps(table)
        for change in self.of_table:
            head = change(head)
        encoded = head.encode(errors="surrogatepass")
        whole = len(encoded).to_bytes(8, "little") + encoded + b"".join(bodies)
        for damage in self.of_bytes:
            whole = damage(whole)
        return whole


def numbers_of(weight: torch.Tensor, double: bool, rng: random.Random) -> bytes:
    like = np.random.default_rng(rng.getrandbits(32)).normal(size=tuple(weight.shape))
    return like.astype("<f8" if double else "<f4").tobytes()


def change_setting(draft: Draft, rng: random.Random) -> None:
    key = rng.choice([*draft.settings, "kind", "hearing"])
    draft.settings[key] = rng.choice(VALUES)


def extreme_thresholds(draft: Draft, rng: random.Random) -> None:
    for name in ("undecided_below", "shown_above"):
        draft.settings[name] = rng.choice([-3.4028234e38, -1, 0, 1e-320, 3.4028234e38])
    draft.settings["noise"] = rng.choice([0, 1e-300, 1.0, 1e6])
    draft.settings["fire_rate"] = rng.choice([0, 1e-300, 1, 1.0])
    draft.settings["alive_above"] = rng.choice([0, 0.5, 0.999999999999])


def remove_setting(draft: Draft, rng: random.Random) -> None:
    del draft.settings[rng.choice(list(draft.settings))]


def change_classes(draft: Draft, rng: random.Random) -> None:
    if not isinstance(classes := draft.settings.get("classes"), dict) or len(classes) < 2:
        return
    if rng.random() < 0.5:
        classes["names"][rng.randrange(len(classes["names"]))] = rng.choice([*NAMES, *VALUES])
    elif rng.random() < 0.5:
        classes["colors"][rng.randrange(2)] = [rng.choice([0, 255, *VALUES]) for _ in range(3)]
    else:
        classes[rng.choice(["names", "colors", "shapes"])] = rng.choice(VALUES)


def change_header(draft: Draft, rng: random.Random) -> None:
    draft.header[rng.choice(["card", "format", "settings"])] = rng.choice(VALUES)


def change_text(draft: Draft, rng: random.Random) -> None:
    deep, digits = rng.choice([70, 3_000, 200_000]), rng.choice([41, 5_000, 20_000])
    draft.of_text.append(
        rng.choice(
            [
                lambda text: text.replace('"fuzz"', "[" * deep + "]" * deep),
                lambda text: text.replace('"fuzz"', "9" * digits),
                lambda text: text.replace('"fuzz"', '"\\ud800"'),
                lambda text: text[: rng.randrange(len(text))],
                lambda text: text.replace("{", '{"format": 1, ', 1),
                lambda text: text.replace('"noise": ', '"noise": 0.5, "noise": ', 1),
                lambda text: "\ufeff" + text,
                lambda text: "[" * deep,
                lambda text: text + " " * (2 << 20),
            ]
        )
    )


def change_table(draft: Draft, rng: random.Random) -> None:
    deep = rng.choice([70, 3_000, 200_000])
    draft.of_table.append(
        rng.choice(
            [
                lambda head: head.replace('"dtype"', '"type"', 1),
                lambda head: head.replace('"shape": [', '"shape": [' * 2, 1),
                lambda head: head[:-1] + ', "middle": {"dtype": "F32", "shape": []}}',
                lambda head: head[:-1] + ', "more": ' + "[" * deep + "]" * deep + "}",
                lambda head: head.replace("swarm_nca", "swarm", 1),
                lambda head: head.replace('"data_offsets": [', '"data_offsets": [-', 1),
                lambda head: head.replace('"data_offsets": [0', f'"data_offsets": [{2**64}', 1),
                lambda head: "[]",
                lambda head: head[: rng.randrange(len(head))],
            ]
        )
    )


def change_tensor(draft: Draft, rng: random.Random) -> None:
    name = rng.choice(list(draft.tensors))
    dtypes = ["F16", "BF16", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F4", "I64", "U8", "BOOL", "C64", "x"]
    kind = rng.randrange(5)
    if kind == 0:
        draft.tensors[name][0] = rng.choice([*dtypes, *VALUES])
    elif kind == 1:
        draft.tensors[name][1] = rng.choice([[], [0], [2**40], [1, 1], [-1], VALUES, None, [1e9]])
    elif kind == 2:
        del draft.tensors[name]
    elif kind == 3:
        draft.tensors[rng.choice(["more", "\n", ""])] = ["F32", [1], b"\0" * 4]
    else:
        for tensor in draft.tensors.values():
            half = rng.choice(["<f2", "<f8", "<i4"])
            tensor[0] = {"<f2": rng.choice(["F16", "BF16"]), "<f8": "F64", "<i4": "I32"}[half]
            tensor[2] = np.zeros(tensor[1], half).tobytes()


def change_weights(draft: Draft, rng: random.Random) -> None:
    tensor = draft.tensors[rng.choice(list(draft.tensors))]
    numbers = np.frombuffer(tensor[2], "<f8" if tensor[0] == "F64" else "<f4").copy()
    numbers[rng.randrange(max(1, numbers.size)) :] = rng.choice(
        [math.nan, math.inf, -math.inf, 3e38, -3e38, 1e-45, 0.0]
    )
    tensor[2] = numbers.tobytes()


def change_bytes(draft: Draft, rng: random.Random) -> None:
    def flipped(whole: bytes) -> bytes:
        changed = bytearray(whole)
        for _ in range(rng.choice([1, 3, 50])):
            changed[rng.randrange(len(changed))] = rng.getrandbits(8)
        return bytes(changed)

    length = rng.choice([0, 1, 2**20, 2**40, 2**64 - 1])
    draft.of_bytes.append(
        rng.choice(
            [
                flipped,
                lambda whole: whole[: rng.randrange(len(whole))],
                lambda whole: whole + b"\0" * rng.randrange(1, 99),
                lambda whole: length.to_bytes(8, "little") + whole[8:],
                lambda whole: rng.randbytes(len(whole)),
            ]
        )
    )


def enlarge_rule(draft: Draft, rng: random.Random) -> None:
    """Sizes in and out of bounds, with matching weights."""
    names = [str(i) for i in range(rng.choice([2, 256]))]
    slots, free = rng.choice([(9, 1), (9, 200), (63, 2), (9, 1_024)])
    first = rng.choice([16, 1_024, 4_096])
    draft.settings |= {
        "classes": Mlp().classes.named(*names).to_json(),
        "free_channels": free,
        "slots": slots,
        "stimulus_size": 9,
        "hidden": [first, rng.choice([16, 1_024, 2_048])],
        "noise": 0.0,
    }
    channels, (first, second) = free + len(names), draft.settings["hidden"]
    draft.settings.pop("hearing", None)
    shapes = [[9 + slots * channels, first], [first], [first, second], [second]]
    shapes += [[second, channels], [channels]]
    layers = ("perception", "perception_bias", "middle", "middle_bias", "output", "output_bias")
    draft.tensors = {
        name: ["F32", shape, bytes(4 * math.prod(shape))]
        for name, shape in zip(layers, shapes, strict=True)
    }


DAMAGES: list[Damage] = [
    *[change_setting, change_classes, change_weights] * 2,
    *[extreme_thresholds] * 3,
    *(remove_setting, change_header, change_text, change_table, change_tensor, change_bytes),
]


def use_rule(rule: Rule) -> None:
    """Run, measure and draw a rule; fails unless all of it works."""
    if (rule.slots, rule.stimulus_size) == (9, 9):
        grey = torch.linspace(0, 1, 20, dtype=torch.float64).view(1, 4, 5).numpy()
        world = World.from_images(grey, rule, labels=[1], start="zeros")
    else:
        graph = number_slots(nx.path_graph(5), slots=rule.slots, own=0)
        world = World.from_graph(graph, rule, label=1)
    before = world
    for after in trajectory(world, rule, 2):
        metrics.measure(after, rule, before)
        before = after
    assert portrait(before).ndim == 3
    for theme in (LIGHT, DARK):
        name_colors(rule.classes, 0.3, theme.paper)
    for name in rule.classes.names[:12]:
        assert written(name, 13, (0, 0, 0)).get_width() > 0


def try_file(path: Path, copy: Path) -> str:
    """The outcome of a file: "refused" in one line, or "usable"."""
    begun = time.process_time()  # excludes other processes
    try:
        rule = load_rule(path)
    except ValueError as error:
        words = str(error)
        assert words.startswith(f"{path}: "), words
        assert len(words.splitlines()) == 1, words
        assert len(words) < 700, words
        words.encode()
        outcome = "refused"
    else:
        use_rule(rule)
        assert load_rule(save_rule(rule, copy)).hash() == rule.hash()
        outcome = "usable"
    assert time.process_time() - begun < SECONDS
    return outcome


def try_files(path: Path, count: int, made: Callable[[random.Random, int], bytes]) -> None:
    """Try `count` files; at least a tenth must be refused, and at least a tenth usable."""
    seen: Counter[str] = Counter()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(count):
        path.write_bytes(made(random.Random(number), number))
        try:
            seen[try_file(path, path.with_name("copy.safetensors"))] += 1
        except BaseException as error:
            error.add_note(f"file number {number}")
            raise
    added = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    print(dict(seen), f"{added:,} kB")
    assert min(seen["refused"], seen["usable"]) > 0.1 * seen.total()
    assert added < MEMORY


def damaged(rng: random.Random, number: int) -> bytes:
    """A rule file, damaged up to twice; one in fifty is of a large rule."""
    draft = Draft(rng)
    if number % 50 == 49 and FULL:
        enlarge_rule(draft, rng)
    for damage in rng.sample(DAMAGES, k=rng.choice([0, 1, 1, 2])):
        # The first damage may have removed the part to be damaged.
        with contextlib.suppress(ValueError, TypeError, KeyError, IndexError):
            damage(draft, rng)
    return draft.file()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_damaged_rule_files_are_refused_or_usable(tmp_path: Path) -> None:
    try_files(tmp_path / "fuzz.safetensors", 5_000 if FULL else 120, damaged)


SHAPES = ([3, 3, 20, 80], [80], [1, 1, 80, 80], [80], [1, 1, 80, 19], [19])


def published(rng: random.Random) -> dict[str, Any]:
    """A graph in the format of TensorFlow.js, with random weights."""
    nodes: list[dict[str, Any]] = [{"name": "input", "op": "Placeholder"}]
    for number, shape in enumerate(SHAPES):
        weights = np.random.default_rng(rng.getrandbits(32)).normal(0, 0.05, shape).astype("<f4")
        tensor = {
            "dtype": "DT_FLOAT",
            "tensorShape": {"dim": [{"size": str(size)} for size in shape]},
            "tensorContent": base64.b64encode(weights.tobytes()).decode(),
        }
        value = {"value": {"tensor": tensor}}
        nodes.append({"name": f"layer_{number}/resource", "op": "Const", "attr": value})
    return {"format": "graph-model", "modelTopology": {"node": nodes}}


def places(data: Any) -> list[tuple[Any, Any]]:
    """Pairs of every inner mapping or list and each of its keys."""
    found, waiting = list[tuple[Any, Any]](), [data]
    while waiting:
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        found += [(holder, key) for key in keys]
        waiting += [holder[key] for key in keys if isinstance(holder[key], dict | list)]
    return found


def published_text(rng: random.Random, number: int) -> bytes:
    """The text of a published graph, damaged in one of several ways or not at all."""
    graph = published(rng)
    kind = rng.randrange(7)
    if kind < 3:
        for _ in range(rng.choice([1, 2])):
            holder, key = rng.choice(places(graph))
            if rng.random() < 0.2:
                del holder[key]
            else:
                holder[key] = rng.choice(VALUES)
    if kind == 3:
        tensor = rng.choice(graph["modelTopology"]["node"][1:])["attr"]["value"]["tensor"]
        bad = np.full(rng.choice([1, 19, 80, 6_400]), rng.choice([math.nan, math.inf, 3e38]), "<f4")
        tensor["tensorContent"] = base64.b64encode(bad.tobytes()).decode() + rng.choice(
            ["", "=", "*"]
        )
    text = json.dumps(graph)
    if kind == 4:
        deep, digits = rng.choice([70, 3_000, 200_000]), rng.choice([41, 5_000, 10_000])
        other = ["[" * deep, "Infinity", "NaN", "1e999", "9" * digits, '"' + "9" * digits + '"']
        text = text.replace('"80"', rng.choice(other), 1)
        if rng.random() < 0.2:
            text = "[" * deep + text
    whole = text.encode(errors="surrogatepass")
    if kind == 5:
        changed = bytearray(whole[: rng.choice([len(whole), rng.randrange(1, len(whole))])])
        for _ in range(rng.choice([0, 1, 20])):
            changed[rng.randrange(len(changed))] = rng.getrandbits(8)
        whole = bytes(changed)
    return whole


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_damaged_published_rules_are_refused_or_usable(tmp_path: Path) -> None:
    try_files(tmp_path / "fuzz.json", 2_000 if FULL else 40, published_text)
