"""The cases: each runs one function of the package end to end and returns its outcome.

Letters: n rows, C state channels.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from typer.testing import CliRunner

import swarm_nca as sn
from swarm_nca.cli import app

HERE = Path(__file__).parent

Numbers: TypeAlias = npt.NDArray[Any]

#: Rows kept of a state, and entries kept of a weight.
ROWS, ENTRIES = 10, 80


class Outcome(NamedTuple):
    """The outcome of a case.

    Fields:
        numbers: by name, compared within a tolerance.
        words: plain data, compared exactly.
    """

    numbers: dict[str, Numbers]
    words: dict[str, Any]


def spread(length: int, count: int) -> Numbers:
    """At most `count` evenly spread indices below `length`, including the first and the last."""
    return np.unique(np.linspace(0, length - 1, min(length, count)).round().astype(int))


def moments_of(worlds: Mapping[str, sn.World]) -> Outcome:
    """The states and cells of several moments.

    For each moment a block [ROWS + 2, C]: some rows, then means and mean squares over all rows.
    """
    blocks, words = [], {}
    for name, world in worlds.items():
        state, sites = world.state.numpy(), world.site.tolist()
        rows = spread(len(state), ROWS)
        blocks.append(np.concatenate([state[rows], [state.mean(0)], [(state**2).mean(0)]]))
        words[name] = [len(world), world.cells, sum(sites), *(sites[row] for row in rows)]
    return Outcome({"states": np.stack(blocks)}, words)


def table_of(table: pd.DataFrame, rows: int = 20) -> Numbers:
    """Some rows of a table of numbers."""
    return table.iloc[spread(len(table), rows)].to_numpy(np.float64)


# ------------------------------------------------------------------ scenarios


def scenario(source: str | Path, *changes: str) -> Outcome:
    """Metrics at some steps, all events, and states early and around every perturbation."""
    done = sn.run(source, overrides=[*changes, "expect=[]", "record.every=10000"])
    perturbed = set(done.events["step"])
    looked_at = {5, 20, done.steps} | perturbed
    frames = [frame for frame in done.frames if frame.step in looked_at]
    # Steps with an event have two frames, before and after it.
    outcome = moments_of({f"{i:02}-step-{one.step}": one.world for i, one in enumerate(frames)})
    outcome.numbers["metrics"] = table_of(done.metrics)
    outcome.numbers["pooled"] = table_of(done.pooled, 10)
    outcome.words["columns"] = [*done.metrics.columns]
    outcome.words["events"] = done.events.to_csv(index=False).splitlines()
    return outcome


# ------------------------------------------------------------------ from Python


def rollouts() -> Outcome:
    """Features without YAML: pictures of several sizes, a graph, rates, edits, joining."""
    rule = sn.load_rule("digits")
    big, small = sn.images.strokes(2, 9).grey, sn.images.strokes(1, 9, size=20).grey
    pictures = [*big, *small]
    mixed = sn.World.from_images(
        pictures, rule, labels=[1, -1, 3], keys=[70, 3, 4_000_000_000], start="random", seed=6
    )
    later = sn.rollout(mixed, rule, 12, seed=1, fire_rate=0.7, noise=0.1)
    alone = sn.World.from_images(big[:1], rule, grid=sn.Grid(torus=True), links=sn.Links(drop=0.2))
    *_, lossy = sn.trajectory(alone, rule, 9, seed=1 << 40)
    drawn = sn.step(lossy.draw(torch.arange(280, 330), 0.6), rule, seed=3)
    graph = sn.World.from_graph(
        alone.topology.to_networkx(), rule, stimulus=alone.stimulus, start="random", seed=2
    )
    worlds = {
        "rates": later,
        "back": sn.World.join([later[2], later[0]]),
        "lossy": lossy,
        "drawn": drawn,
        "graph": sn.rollout(graph, rule, 10, seed=4),
    }
    return moments_of(worlds)


def swarm(engine: str) -> Outcome:
    """The trajectory of a Mesa model with drawing, erasing, damage and written states."""
    grey = sn.images.strokes(1, 4, label=2).grey
    world = sn.World.from_images(grey, sn.load_rule("mnist-97"), labels=[2])
    damage = sn.perturbations.Damage(at=6, shape="disc", center=(14, 14), radius=3)
    reporters = {"cells": lambda model: len(model.agents), "size": size_of}
    model = sn.Swarm(world, "mnist-97", 8, engine, [damage], noise=0.05, model_reporters=reporters)
    moments = {}
    for step in range(1, 13):
        if step == 4:
            model.draw([(3, 3), (3, 4), (4, 4)], 0.9)
        if step == 9:
            model.erase([agent.name for agent in model.agents][:20])
            next(iter(model.agents)).state[:] = 0.5
        model.step()
        if step in (3, 8, 12):
            moments[f"step-{step}"] = model.world
    outcome = moments_of(moments)
    outcome.numbers["pooled"] = model.datacollector.get_model_vars_dataframe().to_numpy(np.float64)
    agents = sorted(model.agents, key=lambda agent: agent.name)
    heard = agents[len(agents) // 2].inbox
    outcome.numbers["heard"] = np.stack([heard[slot] for slot in sorted(heard)])
    outcome.words["slots"] = sorted(heard)
    outcome.words["agents"] = [[*agent.name, agent.label] for agent in agents[::7]]
    return outcome


def size_of(model: sn.Swarm) -> float:
    """Mean |s| of a swarm."""
    return sn.metrics.state_magnitude(model.world, model.rule)


def rules() -> Outcome:
    """Hashes of shipped rules."""
    named = ("digits", "mnist", "mnist-97", "fashion-mnist", "scenarios/signs/rule.safetensors")
    return Outcome({}, {name: sn.load_rule(name, HERE.parents[1]).hash() for name in named})


# ------------------------------------------------------------ the command line


def run_command(*arguments: str | Path) -> str:
    """The output of a command.

    Raises:
        RuntimeError: the command failed.
    """
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    torch.set_num_threads(1)
    if done.exit_code:
        raise RuntimeError(f"{arguments}: {done.output}")
    return done.output


def scores(rule: str, dataset: str, scratch: Path) -> Outcome:
    """All scores at all steps on a hundred drawn pictures, before and after a mutation."""
    options = ("--limit", "100", "--steps", "10", "--protocol", "mutation", "--json")
    run_command("evaluate", rule, "--dataset", dataset, *options, scratch / "scores.json")
    curve = json.loads((scratch / "scores.json").read_text())["curve"]
    table = pd.DataFrame(curve).apply(pd.to_numeric)
    return Outcome({"scores": table.to_numpy(np.float64)}, {"columns": [*table.columns]})


def training(recipe: str, scratch: Path) -> Outcome:
    """Losses and rates of every iteration, the final weights, and a rollout with them."""
    folder = scratch / recipe
    run_command("train", HERE / "recipes" / f"{recipe}.yaml", "--out", folder)
    with (folder / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    rule = sn.load_rule(folder / "rule.safetensors")
    weights = {name: weight.numpy().ravel() for name, weight in rule.state_dict().items()}
    world = sn.World.from_images(sn.images.strokes(2, 8).grey, rule)
    outcome = moments_of({"after": sn.rollout(world, rule, 10, seed=1)})
    logged = {"loss": "loss", "rate": "rate", "accuracy": "cell_accuracy"}
    for name, column in logged.items():
        outcome.numbers[name] = np.array([float(row[column]) for row in rows])
    kept = [weight[spread(len(weight), ENTRIES)] for weight in weights.values()]
    outcome.numbers["weights"] = np.concatenate(kept)
    outcome.numbers["lengths"] = np.array([np.linalg.norm(one) for one in weights.values()])
    outcome.words["weights"] = {name: len(weight) for name, weight in weights.items()}
    return outcome


#: Every case as a function of a folder for its files.
CASES: Mapping[str, Callable[[Path], Outcome]] = {
    "rules": lambda _: rules(),
    "seven-becomes-two": lambda _: scenario("seven-becomes-two", "steps=310"),
    "damage-and-recovery": lambda _: scenario("damage-and-recovery", "steps=310"),
    "chimera": lambda _: scenario("chimera", "steps=100"),
    "torus": lambda _: scenario("torus", "steps=80"),
    "lossy-links": lambda _: scenario("lossy-links", "steps=40"),
    "agent-by-agent": lambda _: scenario("agent-by-agent", "steps=45"),
    "everything": lambda _: scenario(HERE / "scenarios" / "everything.yaml"),
    "rollouts": lambda _: rollouts(),
    "swarm-batched": lambda _: swarm("batched"),
    "swarm-agents": lambda _: swarm("agents"),
    "scores-digits": lambda scratch: scores("digits", "strokes", scratch),
    "scores-mnist": lambda scratch: scores("mnist-97", "strokes", scratch),
    "scores-fashion-mnist": lambda scratch: scores("fashion-mnist", "garments", scratch),
    "training-adam": lambda scratch: training("adam", scratch),
    "training-muon": lambda scratch: training("muon", scratch),
    "training-onward": lambda scratch: training("onward", scratch),
}
