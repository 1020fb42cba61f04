"""Training against plain loops: pictures as dense arrays, autograd, and every formula written out.

The oracle shares no code with the package but the pictures, and none of its arithmetic: a world is
a padded array of all its pixels, a pool a list, and gradients come from torch's own tape. It draws
the same random numbers in the same order, so that losses, rates and weights must be the same but
for rounding.

Letters: H rows, W columns, C state channels.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from torch import Tensor
from torch.nn import functional
from typer.testing import CliRunner

import swarm_nca as sn
from swarm_nca.cli import app

ALIVE_ABOVE, FREE, CLASSES = 0.1, 3, 10
SIDE, C = 28, FREE + CLASSES

#: Streams of the counter-based draws.
START, TRAINING, TABLE = 2, 4, 0xFFFF

BASE: dict[str, Any] = {
    "name": "oracle",
    "seed": 3,
    "data": [{"dataset": "strokes", "count": 30, "seed": 2}],
    "held_out": 6,
    "rule": {"weights": "first.safetensors", "free_channels": FREE, "hidden": [14, 12]},
    "iterations": 7,
    "batch": 4,
    "pool": 7,
    "steps": 5,
    "schedule": {"rate": 5e-3},
    "log_every": 1,
}

#: What each recipe changes of the base.
RECIPES: dict[str, dict[str, Any]] = {
    "as published": {"schedule": {"rate": 5e-3, "shape": "steps", "drops": [2, 5], "factor": 0.5}},
    "naive": {"regime": "naive", "start": "random", "loss": "ce", "steps": [3, 6]},
    "persistent": {"regime": "persistent", "normalize": "none", "average": 0.8},
    "wounded": {
        "fresh": [0.5, 0.25],
        "mutated": [0.25, 0.5],
        "bound": 0.4,
        "wounds": {"share": 0.6, "strength": 0.8},
        "normalize": "shares",
        "average": 0.2,
        "schedule": {"rate": 5e-3, "warmup": 3, "shape": "cosine", "hold": 0.2, "floor": 0.05},
    },
    "muon": {
        "optimizer": "muon",
        "normalize": "shares",
        "schedule": {"rate": 5e-3, "shape": "cosine", "hold": 0.0},
    },
}


def philox(site: Any, key: int, block: int, stream: int, seed: int) -> list[Any]:
    """The four words of Philox-4x32-10 at sites [n] of one key, block and stream."""
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    counter = [np.asarray(site, np.uint64)]
    counter += [np.full_like(counter[0], one) for one in (key, block, stream)]
    first, second = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        a, b, c, d = counter
        p, q = a * np.uint64(0xD2511F53), c * np.uint64(0xCD9E8D57)
        counter = [
            (q >> half) ^ b ^ np.uint64(first),
            q & low,
            (p >> half) ^ d ^ np.uint64(second),
            p & low,
        ]
        first, second = (first + 0x9E3779B9) % 2**32, (second + 0xBB67AE85) % 2**32
    return counter


def normal_table() -> Tensor:
    """2²⁰ normal deviates by Box and Muller, and the first ones once more."""
    u = [
        (word.astype(float) + 0.5) / 2.0**32
        for word in philox(np.arange(2**18), 0, 0, 0xFFFF, 0x5EED)
    ]
    radius, angle = [np.sqrt(-2 * np.log(one)) for one in u[:2]], [2 * np.pi * one for one in u[2:]]
    parts = [r * turn(a) for turn in (np.cos, np.sin) for r, a in zip(radius, angle, strict=True)]
    return torch.from_numpy(np.concatenate([*parts, parts[0][:256]])).float().double()


DEVIATES = normal_table()


def deviates(offsets: Tensor) -> Tensor:
    """[n, C], the stretches of the table that begin at offsets [n]."""
    return torch.stack([DEVIATES[at : at + C] for at in offsets.tolist()])


def generator_of(seed: int, iteration: int) -> torch.Generator:
    """The generator of an iteration counted from 1; 0 fills the pool, −1 holds pictures out."""
    beginning = int(philox(np.zeros(1), 0, 0, TRAINING, seed)[0][0])
    return torch.Generator().manual_seed((beginning + iteration) % 2**32)


class Oracle:
    """One training run by plain loops.

    Args:
        recipe: as the YAML file says it, with what it leaves out.
        weights: of the untrained rule; changed in place.
    """

    def __init__(self, recipe: Mapping[str, Any], weights: dict[str, Tensor]) -> None:
        self.recipe, self.weights = recipe, weights
        self.memory = {
            name: (torch.zeros_like(w), torch.zeros_like(w)) for name, w in weights.items()
        }
        self.average = {name: w.clone() for name, w in weights.items()}
        self.log: list[dict[str, float]] = []
        (source,) = recipe["data"]
        pictures = sn.images.strokes(source["count"], source["seed"])
        order = torch.randperm(len(pictures), generator=generator_of(recipe["seed"], -1)).tolist()
        kept = order[recipe["held_out"] :]
        self.pictures = [torch.from_numpy(pictures.grey[i]).double() for i in kept]
        self.labels = [int(pictures.labels[i]) for i in kept]
        self.pool: list[tuple[Tensor, int, Tensor]] = []
        if recipe["regime"] != "naive":
            generator = generator_of(recipe["seed"], 0)
            self.pool = self.started(recipe["pool"], generator)

    # ------------------------------------------------------------- the batch

    def drawn(self, count: int, generator: torch.Generator) -> list[tuple[Tensor, int]]:
        which = torch.randint(len(self.pictures), (count,), generator=generator).tolist()
        return [(self.pictures[i], self.labels[i]) for i in which]

    def started(self, count: int, generator: torch.Generator) -> list[tuple[Tensor, int, Tensor]]:
        """Worlds as picture [H, W], label and state [H, W, C], zeros where nobody lives."""
        drawn = self.drawn(count, generator)
        seed = int(torch.randint(2**62, (), generator=generator))
        if self.recipe["start"] == "zeros":
            return [(grey, label, torch.zeros(SIDE, SIDE, C).double()) for grey, label in drawn]
        worlds = []
        for key, (grey, label) in enumerate(drawn):
            word = philox(np.arange(SIDE * SIDE), key, 0, START, seed)[0].astype(np.int64)
            state = deviates(torch.from_numpy(word >> 12)).view(SIDE, SIDE, C)
            worlds.append((grey, label, state * (grey > ALIVE_ABOVE)[..., None]))
        return worlds

    def batch(
        self, iteration: int, generator: torch.Generator
    ) -> tuple[list[int], list[tuple[Tensor, int, Tensor]]]:
        """The places in the pool, and the worlds."""
        recipe = self.recipe
        if not self.pool:
            return [], self.started(recipe["batch"], generator)
        along = iteration / (recipe["iterations"] - 1)
        shares = [
            one if isinstance(one, list) else [one, one]
            for one in (recipe["fresh"], recipe["mutated"])
        ]
        fresh, mutated = (round(recipe["batch"] * (a + (b - a) * along)) for a, b in shares)
        which = torch.randperm(len(self.pool), generator=generator).tolist()[: recipe["batch"]]
        worlds = [self.pool[place] for place in which]
        new = self.drawn(fresh + mutated, generator)
        torch.randint(2**62, (), generator=generator)  # the seed of a random start
        for i, (grey, label) in enumerate(new):
            anew = i < fresh or recipe["regime"] == "persistent"
            kept = (grey > ALIVE_ABOVE)[..., None] * (0.0 if anew else 1.0)
            worlds[i] = grey, label, worlds[i][2] * kept
        return which, worlds

    def wound(self, alive: list[Tensor], states: list[Tensor], generator: torch.Generator) -> None:
        wounds, worlds = self.recipe["wounds"], len(states)
        draw = torch.rand(4, worlds, generator=generator)
        hits = []
        for i in range(worlds):
            cells = alive[i].nonzero()
            heart = cells[min(int(draw[0, i] * len(cells)), len(cells) - 1)]
            radius = 2.0 + 8.0 * draw[2, i] if draw[1, i] < wounds["share"] else torch.tensor(0.0)
            hits += [
                (i, *cell.tolist()) for cell in cells if ((cell - heart) ** 2).sum() < radius**2
            ]
        jolts = torch.randn(len(hits), C, generator=generator).double()
        for (i, row, column), jolt in zip(hits, jolts, strict=True):
            states[i][row, column] += wounds["strength"] * jolt

    # ----------------------------------------------------------- the rollout

    def rolled_out(
        self, grey: Tensor, alive: Tensor, state: Tensor, steps: int, generator: torch.Generator
    ) -> Tensor:
        """[B, H, W, C] some steps later, of pictures [B, H, W]."""
        weights, threshold = self.weights, 0.5 * 2**32
        sensed = patches(grey[..., None])
        cells = int(alive.sum())
        fires = [
            torch.randint(2**32, (cells,), generator=generator) < threshold for _ in range(steps)
        ]
        for fired in fires:
            heard = torch.cat([sensed, patches(state)], -1)
            first = (heard @ weights["perception"] + weights["perception_bias"]).relu()
            second = (first @ weights["middle"] + weights["middle_bias"]).relu()
            change = second @ weights["output"] + weights["output_bias"]
            acting = torch.zeros_like(alive)
            acting[alive] = fired
            noise = torch.zeros_like(state)
            offsets = torch.randint(2**20, (int(fired.sum()),), generator=generator)
            noise[acting] = 0.02 * deviates(offsets)
            state = state + acting[..., None] * (change + noise)
        return state

    def loss(self, cells: Tensor, labels: Tensor, worlds: int) -> Tensor:
        """Of cells [N, C] with labels [N]."""
        says = cells[:, FREE:]
        if self.recipe["loss"] == "ce":
            loss = functional.cross_entropy(says, labels, reduction="sum")
        else:
            loss = 0.5 * ((torch.eye(CLASSES).double()[labels] - says) ** 2).sum()
        if "bound" in self.recipe:
            loss = loss + 0.5 * ((cells.abs() - self.recipe["bound"]).relu() ** 2).sum()
        return loss / worlds

    # ----------------------------------------------------------- the descent

    def rate(self, iteration: int) -> float:
        schedule = self.recipe["schedule"]
        rate = float(schedule["rate"])
        if iteration + 1 < schedule.get("warmup", 0):
            rate *= (iteration + 1) / schedule["warmup"]
        for drop in schedule.get("drops", []):
            rate *= schedule["factor"] if iteration >= drop else 1.0
        if schedule.get("shape") == "cosine":
            total = self.recipe["iterations"]
            held, floor = schedule["hold"] * total, schedule.get("floor", 0.01)
            if iteration > held:
                cosine = math.cos(math.pi * (iteration - held) / (total - held))
                rate *= floor + (1 - floor) * (1 + cosine) / 2
        return rate

    def descend(self, iteration: int, rate: float, gradients: Mapping[str, Tensor]) -> None:
        for name, gradient in gradients.items():
            parts = [gradient]
            if self.recipe["normalize"] == "shares" and name == "perception":
                parts = [gradient[:9], gradient[9:]]
            if self.recipe["normalize"] != "none":
                gradient = torch.cat([part / (part.norm() + 1e-8) for part in parts])
            first, second = self.memory[name]
            with torch.no_grad():
                if self.recipe["optimizer"] == "muon" and gradient.ndim == 2:
                    first.mul_(0.95).add_(0.05 * gradient)
                    step = orthogonal(0.05 * gradient + 0.95 * first)
                    self.weights[name] -= rate * 0.2 * math.sqrt(max(gradient.shape)) * step
                    continue
                first.mul_(0.9).add_(0.1 * gradient)
                second.mul_(0.999).add_(0.001 * gradient**2)
                mean = first / (1 - 0.9 ** (iteration + 1))
                spread = (second / (1 - 0.999 ** (iteration + 1))).sqrt()
                self.weights[name] -= rate * mean / (spread + 1e-8)

    def advance(self, iteration: int) -> None:
        """One iteration, counted from 0."""
        recipe = self.recipe
        generator = generator_of(recipe["seed"], iteration + 1)
        steps = recipe["steps"]
        if isinstance(steps, list):
            steps = int(torch.randint(steps[0], steps[1] + 1, (), generator=generator))
        which, worlds = self.batch(iteration, generator)
        grey = torch.stack([grey for grey, _, _ in worlds])
        alive, states = grey > ALIVE_ABOVE, [state.clone() for _, _, state in worlds]
        if "wounds" in recipe:
            self.wound([*alive], states, generator)
        for weight in self.weights.values():
            weight.requires_grad_(True)
        after = self.rolled_out(grey, alive, torch.stack(states), steps, generator)
        labels = torch.tensor([label for _, label, _ in worlds])
        of_cells = labels[:, None, None].expand(alive.shape)[alive]
        loss = self.loss(after[alive], of_cells, len(worlds))
        right = after[alive][:, FREE:].argmax(1) == of_cells
        found = torch.autograd.grad(loss, list(self.weights.values()))
        rate = self.rate(iteration)
        self.descend(iteration, rate, dict(zip(self.weights, found, strict=True)))
        keep = min(recipe.get("average", 0.0), (iteration + 1) / (iteration + 10))
        for name, weight in self.weights.items():
            weight.requires_grad_(False)
            mean = self.average[name]
            self.average[name] = keep * mean + (1 - keep) * weight if iteration else weight.clone()
        for place, world, state in zip(which, worlds, after.detach(), strict=bool(which)):
            self.pool[place] = (*world[:2], state)
        self.log.append(
            {
                "loss": float(loss.detach()),
                "rate": rate,
                "cell_accuracy": float(right.double().mean()),
            }
        )


def patches(values: Tensor) -> Tensor:
    """[B, H, W, 9 · n], the 3×3 patch around each pixel of values [B, H, W, n], zeros outside."""
    padded = functional.pad(values, (0, 0, 1, 1, 1, 1))
    rows = [padded[:, i : i + SIDE, j : j + SIDE] for i in range(3) for j in range(3)]
    return torch.cat(rows, -1)


def orthogonal(matrix: Tensor) -> Tensor:
    """Muon's five steps of Newton and Schulz towards the nearest orthogonal matrix."""
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    values = values / matrix.norm()
    for _ in range(5):
        values = 3.4445 * values - 4.775 * values**3 + 2.0315 * values**5
    return left @ torch.diag(values) @ right


def first_rule() -> sn.Rule:
    """A rule whose cells act before it is trained."""
    generator = torch.Generator().manual_seed(4)
    rule = sn.Mlp(free_channels=FREE, hidden=(14, 12), generator=generator)
    for name, weight in rule.state_dict().items():
        if name not in ("perception", "middle"):
            weight.normal_(std=0.1, generator=generator)
    return rule


@pytest.mark.parametrize("changes", RECIPES.values(), ids=RECIPES)
def test_training_equals_plain_loops(changes: dict[str, Any], tmp_path: Path) -> None:
    recipe, rule = BASE | changes, first_rule()
    sn.save_rule(rule, tmp_path / "first.safetensors")
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    done = CliRunner().invoke(
        app, ["train", str(tmp_path / "recipe.yaml"), "--out", str(tmp_path / "out")]
    )
    assert done.exit_code == 0, done.output
    torch.set_num_threads(1)

    defaults = {
        "regime": "mutating",
        "start": "zeros",
        "fresh": 0.25,
        "mutated": 0.25,
        "loss": "l2",
        "optimizer": "adam",
        "normalize": "tensors",
    }
    weights = {name: weight.double() for name, weight in rule.state_dict().items()}
    oracle = Oracle(defaults | recipe, weights)
    for iteration in range(recipe["iterations"]):
        oracle.advance(iteration)

    with (tmp_path / "out" / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(oracle.log)
    for row, expected in zip(rows, oracle.log, strict=True):
        found = {name: float(row[name]) for name in expected}
        assert found == pytest.approx(expected, rel=1e-5, abs=1e-6)
    trained = sn.load_rule(tmp_path / "out" / "rule.safetensors").state_dict()
    expected = oracle.average if "average" in recipe else oracle.weights
    for name, weight in expected.items():
        moved = (weight - rule.state_dict()[name]).norm()
        assert float((trained[name] - weight).norm()) < 2e-4 * float(moved), name
