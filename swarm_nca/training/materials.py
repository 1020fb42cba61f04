"""What a recipe comes to: a rule to train, pictures to train it on, and others to watch it by."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from swarm_nca.images import DRAWN, SIZE, Pictures, load_dataset, read_folder
from swarm_nca.images.pictures import check_pixels
from swarm_nca.located import Document, Mistakes
from swarm_nca.rules import Classes, Mlp, Rule, find_rule, load_rule, rule_from_header
from swarm_nca.tasks import Classification
from swarm_nca.training.draws import SPLIT, generator_of
from swarm_nca.training.recipe import Data, Recipe


class Materials(NamedTuple):
    """What a training begins with.

    Fields:
        rule: untrained, or with the weights that the recipe names.
        train: the pictures it learns from.
        held_out: pictures it never learns from.
    """

    rule: Rule
    train: Classification
    held_out: Classification


def materials(recipe: Recipe, document: Document, begun: Rule | None = None) -> Materials:
    """A recipe's rule and pictures; paths start from the folder of its document.

    Args:
        recipe, document: the recipe, and where it was read.
        begun: the rule of a run that goes on; the recipe's when None.

    Raises:
        LocatedError: data that is missing or damaged, sources whose pictures differ in size, too
            many pictures, or weights or classes that do not fit.
    """
    base = Path(document.file).parent
    with document.at("device"):
        if recipe.device == "cuda" and not torch.cuda.is_available():
            raise ValueError("torch finds no GPU here; train with device: cpu")
    loaded = []
    for i, source in enumerate(recipe.data):
        with document.at("data", i):
            loaded.append(_pictures_of(source, base))
    names = tuple(dict.fromkeys(name for pictures in loaded for name in pictures.classes))
    with document.at("data"):
        grey = torch.from_numpy(np.concatenate([np.asarray(one.grey) for one in loaded]))
        classes = Classes.named(*names)
        if begun is not None:
            _check_classes(begun, classes, "begin anew with --out")
    with document.at("held_out"):
        recipe.check_held_out(len(grey))
    with document.at("pool"):
        pool = 0 if recipe.regime == "naive" else recipe.pool
        check_pixels(pool + recipe.batch, *grey.shape[1:])
    label = torch.from_numpy(np.concatenate([one.labels_for(names) for one in loaded]))
    with document.at("rule"):
        rule = begun or _untrained(recipe, classes)
    if begun is None and recipe.rule.weights is not None:
        with document.at("rule", "weights"):
            rule = _with_weights(rule, load_rule(recipe.rule.weights, base))
    # Not the generator of the weights: rules of every shape are watched by the same pictures.
    order = torch.randperm(len(grey), generator=generator_of(recipe.seed, SPLIT))
    kept, held = order[recipe.held_out :], order[: recipe.held_out]
    train = Classification(grey[kept], label[kept], recipe.augment)
    return Materials(rule, train, Classification(grey[held], label[held]))


def look_up(recipe: Recipe, document: Document) -> None:
    """Whether the folders and the weights that a recipe names are there, without reading them.

    Raises:
        LocatedError: those that are missing.
    """
    base, mistakes = Path(document.file).parent, Mistakes(document)
    for i, source in enumerate(recipe.data):
        with mistakes.at("data", i, "folder"):
            if source.folder is not None and not (base / source.folder).is_dir():
                raise ValueError(f"there is no folder {base / source.folder}")
    if recipe.rule.weights is not None:
        with mistakes.at("rule", "weights"):
            find_rule(recipe.rule.weights, base)
    mistakes.tell()


def _pictures_of(source: Data, base: Path) -> Pictures:
    if source.dataset is not None and source.dataset in DRAWN:
        return DRAWN[source.dataset].draw(source.count or 1, source.seed)
    if source.folder is not None:
        pictures = read_folder(base / source.folder, size=SIZE).centred_on(SIZE)
    else:
        pictures = load_dataset(str(source.dataset), "train")
    count = source.count or len(pictures)
    if count > len(pictures):
        raise ValueError(f"count is {count:,}, but there are only {len(pictures):,} pictures")
    return pictures[:count] if source.folder is None else pictures.from_all_classes(count)


def _untrained(recipe: Recipe, classes: Classes) -> Rule:
    return Mlp(
        classes,
        free_channels=recipe.rule.free_channels,
        hidden=recipe.rule.hidden,
        hearing=recipe.rule.hearing,
        fire_rate=recipe.rule.fire_rate,
        noise=recipe.rule.noise,
        generator=torch.Generator().manual_seed(recipe.seed),
    )


def _with_weights(wanted: Rule, begun: Rule) -> Rule:
    """A rule with the weights that training begins with: its thresholds stay, its rates are new."""
    for what in ("slots", "stimulus_size"):
        has, needs = getattr(begun, what), getattr(wanted, what)
        if has != needs:
            raise ValueError(
                f"its {what} is {has}, and pictures need {needs}: begin with another rule"
            )
    for what in ("free_channels", "hidden", "hearing"):
        has, needs = (_plain(getattr(rule, what)) for rule in (begun, wanted))
        if has != needs:
            raise ValueError(f"its {what} is {has}: set rule.{what} so, instead of {needs}")
    _check_classes(begun, wanted.classes, "begin without its weights")
    rates = {"fire_rate": wanted.fire_rate, "noise": wanted.noise}
    rule = rule_from_header(begun.header() | rates)
    rule.load_state_dict(begun.state_dict())
    return rule


def _check_classes(rule: Rule, classes: Classes, cure: str) -> None:
    if rule.classes.names != classes.names:
        raise ValueError(
            f"the rule tells apart {', '.join(rule.classes.names)}; the data brings "
            f"{', '.join(classes.names)}, so {cure}"
        )


def _plain(value: object) -> object:
    """As a recipe spells it."""
    return list(value) if isinstance(value, tuple) else value
