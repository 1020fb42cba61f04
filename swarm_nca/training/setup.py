"""Builds the rule, the training task and the held-out task of a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from swarm_nca.config import Document, Mistakes
from swarm_nca.engine import check_device
from swarm_nca.images import DRAWN, SIZE, UNKNOWN, Pictures, joined, load_dataset, read_folder
from swarm_nca.images.pictures import check_pixels, class_number
from swarm_nca.rules import (
    Classes,
    Mlp,
    Quantized,
    Rule,
    find_rule,
    load_rule,
    rule_from_header,
    rule_to_train,
)
from swarm_nca.tasks import Classification, Task
from swarm_nca.training import calibration
from swarm_nca.training.checkpoint import weights_of
from swarm_nca.training.draws import ROUNDING, SPLIT, generator_of
from swarm_nca.training.folder import CHECKPOINT, RULE
from swarm_nca.training.recipe import Data, Recipe
from swarm_nca.training.rule_settings import RuleSettings


class Setup(NamedTuple):
    """The rule and the tasks at the start of a training.

    Fields:
        rule: untrained, or with the weights that the recipe names.
        train: the task to learn.
        held_out: the task for evaluation; for classification, pictures not used in training.
    """

    rule: Rule
    train: Task
    held_out: Task


def set_up(recipe: Recipe, document: Document, begun: Rule | None = None) -> Setup:
    """A recipe's rule and tasks; paths are relative to the folder of its document.

    Args:
        recipe, document: the recipe and its document.
        begun: the rule of a resumed run; the recipe's when None.

    Raises:
        LocatedError: missing or damaged data, sources of different picture sizes, too many
            pictures, or weights or classes that do not fit.
    """
    base = Path(document.file).parent
    with document.at("device"):
        check_device(recipe.device)
    train: Task
    held_out: Task
    if recipe.task is None:
        train, held_out = _pictures(recipe, document, base)
    else:
        settings = {name: value for name, value in recipe.task.items() if name != "kind"}
        with document.at("task"):
            train = held_out = recipe.task_kind.from_settings(settings, base)
    with document.at("steps"):
        train.check_steps(*recipe.span)
    with document.at("pool"):
        pool = 0 if recipe.regime == "naive" else recipe.pool
        check_pixels(pool + recipe.batch, *train.extent)
    with document.at("data" if recipe.task is None else "task"):
        if begun is not None and isinstance(train, Classification):
            _check_classes(begun, train.classes, "start a new run with --out")
    with document.at("rule"):
        rule = begun or _untrained(recipe, train)
        train.check_rule(rule)
    if begun is None and recipe.rule.weights is not None:
        with document.at("rule", "weights"):
            given = recipe.rule.thresholds if isinstance(recipe.rule, RuleSettings) else {}
            begins = load_rule(recipe.rule.weights, base)
            rule = _with_weights(rule, begins, train, recipe.seed, given)
            _take_latents(rule, find_rule(recipe.rule.weights, base))
    return Setup(rule, train, held_out)


def _pictures(
    recipe: Recipe, document: Document, base: Path
) -> tuple[Classification, Classification]:
    """The training pictures and the held-out pictures."""
    loaded = []
    for i, source in enumerate(recipe.data):
        with document.at("data", i):
            loaded.append(_pictures_of(source, base))
    known = [pictures for pictures, source in zip(loaded, recipe.data, strict=True) if source.known]
    names = tuple(dict.fromkeys(name for pictures in known for name in pictures.classes))
    if recipe.canvas is not None:
        with document.at("canvas"):
            loaded = [pictures.centred_on(recipe.canvas) for pictures in loaded]
    taught = {name for pictures in known for name in _shown(pictures)}
    for i, (pictures, source) in enumerate(zip(loaded, recipe.data, strict=True)):
        if not source.known and (both := sorted(taught & _shown(pictures))):
            with document.at("data", i):
                raise ValueError(
                    f"other sources teach the classes {', '.join(both)}, here their pictures would "
                    "be of no class (known: false): choose other classes with only"
                )
    with document.at("data"):
        grey = torch.from_numpy(np.concatenate([np.asarray(part.grey) for part in loaded]))
        classes = Classes.named(*names)
    with document.at("held_out"):
        recipe.check_held_out(len(grey))
    labels = [
        pictures.labels_for(names) if source.known else np.full(len(pictures), UNKNOWN)
        for pictures, source in zip(loaded, recipe.data, strict=True)
    ]
    label = torch.from_numpy(np.concatenate(labels))
    # A generator of its own, so that the held-out pictures do not depend on the rule's shape.
    order = torch.randperm(len(grey), generator=generator_of(recipe.seed, SPLIT))
    kept, held = order[recipe.held_out :], order[: recipe.held_out]
    train = Classification(
        grey[kept], label[kept], recipe.augment, classes, recipe.loss, recipe.start
    )
    return train, Classification(grey[held], label[held], classes=classes)


def _shown(pictures: Pictures) -> set[str]:
    """The names of the classes that pictures have."""
    return {pictures.classes[label] for label in np.unique(pictures.labels) if label >= 0}


def look_up(recipe: Recipe, document: Document) -> None:
    """Check that the folders and weights that a recipe names exist, without reading them.

    Raises:
        LocatedError: missing folders or weights.
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


#: The settings of quantized rules that decide what their bits mean.
_SAME_BITS = (
    "channels",
    "hidden",
    "slots",
    "stimulus_size",
    "hearing",
    "filters",
    "planes",
    "inputs",
    "scales",
    "bias",
)


def _pictures_of(source: Data, base: Path) -> Pictures:
    """The pictures of one source; of drawn classes the count is split evenly."""
    if source.dataset is not None and source.dataset in DRAWN:
        draw, count = DRAWN[source.dataset].draw, source.count or 1
        if not source.only:
            return draw(count, source.seed)
        each = np.diff(np.linspace(0, count, len(source.only) + 1).astype(int))
        pairs = zip(source.only, each, strict=True)
        return joined([draw(int(n), source.seed, label=name) for name, n in pairs if n])
    if source.folder is not None:
        pictures = read_folder(base / source.folder, size=SIZE).centred_on(SIZE)
    else:
        pictures = load_dataset(str(source.dataset), "train")
    if source.only:
        chosen = [class_number(name, pictures.classes) for name in source.only]
        pictures = pictures[np.isin(pictures.labels, chosen)]
    count = source.count or len(pictures)
    if count > len(pictures):
        raise ValueError(f"count is {count:,}, but there are only {len(pictures):,} pictures")
    return pictures[:count] if source.folder is None else pictures.from_all_classes(count)


def _untrained(recipe: Recipe, task: Task) -> Rule:
    generator = torch.Generator().manual_seed(recipe.seed)
    if isinstance(recipe.rule, RuleSettings):
        left_out = {"kind", "weights", "undecided_below", "shown_above"}
        settings = recipe.rule.model_dump(exclude=left_out) | recipe.rule.thresholds
        return Mlp(task.readout, **settings, stimulus_size=task.stimulus_size, generator=generator)
    offered = {
        "classes": task.readout,
        "stimulus_size": task.stimulus_size,
        "generator": generator,
    }
    return rule_to_train(recipe.rule.kind, recipe.rule.settings, offered)


def _with_weights(
    wanted: Rule, begun: Rule, task: Task, seed: int, thresholds: dict[str, float]
) -> Rule:
    """The rule `begun` with the fire rate and noise of `wanted`, and with thresholds, if given.

    If `wanted` has more hidden units, they are added; the others do not read them at first.
    For a quantized rule of other settings it is `wanted`, with the weights of `begun` rounded, or
    with its bits if these mean the same.

    Raises:
        ValueError: rules of different kinds, sizes or classes.
    """
    if isinstance(wanted, Quantized) and begun.header() != wanted.header():
        if isinstance(wanted.readout, Classes):
            _check_classes(begun, wanted.readout, "start without its weights")
        if begun.neighborhood != wanted.neighborhood:
            raise ValueError(
                f"its neighborhood is {begun.neighborhood}: set rule.neighborhood to it, instead "
                f"of {wanted.neighborhood}"
            )
        if isinstance(begun, Quantized) and all(
            getattr(begun, what) == getattr(wanted, what) for what in _SAME_BITS
        ):
            wanted.restore(begun.stored())
            return wanted
        calibration.begin_from(wanted, begun, task, generator_of(seed, ROUNDING))
        return wanted
    if begun.kind != wanted.kind:
        raise ValueError(
            f"this rule is of kind {begun.kind!r}, but rule.kind is {wanted.kind!r}: use the same"
        )
    for what in ("slots", "stimulus_size"):
        has, needs = getattr(begun, what), getattr(wanted, what)
        if has != needs:
            raise ValueError(
                f"its {what} is {has}, but the task needs {needs}: start from another rule"
            )
    if isinstance(begun, Mlp) and isinstance(wanted, Mlp):
        for what in ("free_channels", "hearing", "mortal", "angle", "neighborhood"):
            has, needs = (getattr(rule, what) for rule in (begun, wanted))
            if has != needs:
                raise ValueError(f"its {what} is {has}: set rule.{what} to it, instead of {needs}")
        begun = _with_units(begun, wanted.hidden, seed)
    if isinstance(wanted.readout, Classes):
        _check_classes(begun, wanted.readout, "start without its weights")
    header = begun.header()
    rates = {name: getattr(wanted, name) for name in ("fire_rate", "noise") if name in header}
    rule = rule_from_header(header | rates | thresholds)
    rule.restore(begun.stored())
    return rule


def _with_units(begun: Mlp, hidden: tuple[int, ...], seed: int) -> Mlp:
    """The rule `begun`, widened to `hidden` units if these are others."""
    if begun.hidden == hidden:
        return begun
    try:
        return begun.widened(hidden, torch.Generator().manual_seed(seed))
    except ValueError as error:  # of the sizes: a rule of these sizes exists
        raise ValueError(
            f"its hidden is {list(begun.hidden)}: set rule.hidden to it, or to as many sizes with "
            f"more units, instead of {list(hidden)}"
        ) from error


def _take_latents(rule: Rule, path: Path) -> None:
    """Let a rule whose file holds rounded weights go on from what they were rounded from.

    That is in the checkpoint beside the file of a training. It is left alone if it rounds to
    another rule, as that of averaged weights does.
    """
    beside = path.with_name(CHECKPOINT)
    if not isinstance(rule, Quantized) or path.name != RULE or not beside.is_file():
        return
    held = weights_of(beside)
    finer = rule_from_header(rule.header())
    if held.keys() != finer.state_dict().keys():
        return
    finer.load_state_dict(held)
    if finer.hash() == rule.hash():
        rule.load_state_dict(held)


def _check_classes(rule: Rule, classes: Classes, cure: str) -> None:
    if rule.classes.names != classes.names:
        raise ValueError(
            f"the rule has the classes {', '.join(rule.classes.names)}; the data has "
            f"{', '.join(classes.names)}: {cure}"
        )
