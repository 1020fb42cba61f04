"""Runs an evaluation: shows and swaps pictures, and yields statistics at selected steps.

Letters: P pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias

import torch
from torch import Tensor

from swarm_nca.engine import stepper
from swarm_nca.links import Links
from swarm_nca.measure.cell_stats import CellStats
from swarm_nca.randomness import Stream, check_seed, words
from swarm_nca.rules import Rule
from swarm_nca.simulation import Planned, Simulation
from swarm_nca.world import World

if TYPE_CHECKING:
    from swarm_nca.images import Pictures
    from swarm_nca.images.pictures import Grey

Protocol: TypeAlias = Literal["fresh", "mutation", "restart"]

#: Steps of each phase that are always measured, because cells decide early.
EARLY = (1, 10, 20, 50, 100, 200)


class ProtocolRun:
    """Runs one evaluation protocol over P pictures.

    Args:
        swaps: number of phases after the first; 0 when fresh.
        steps, protocol, every, seed, begin, precision, links: see `evaluate`.

    Attributes:
        looks: measured steps of a phase, ascending, with the last one.
        shown: for each phase, int64 [P], the picture that each world shows.
    """

    def __init__(
        self,
        rule: Rule,
        pictures: Pictures,
        steps: int,
        protocol: Protocol,
        swaps: int,
        every: int,
        seed: int,
        begin: int = 0,
        precision: str | None = None,
        links: Links | None = None,
        device: str | None = None,
    ) -> None:
        self.rule, self.seed, self.swaps, self.begin = rule, seed, swaps, begin
        self._backend = partial(stepper, precision=precision, device=device)
        self._links = Links() if links is None else links
        self.restarts = protocol == "restart"
        self.pictures = _of_one_size(pictures) if swaps else pictures
        self.labels = torch.from_numpy(pictures.labels_for(rule.classes.names))
        early = {step for step in EARLY if step <= steps}
        self.looks = sorted(early | set(range(every, steps + 1, every)) | {steps})
        self.shown, partner = [torch.arange(len(pictures))], partners(len(pictures), seed)
        for _ in range(swaps):
            self.shown.append(partner[self.shown[-1]])

    @property
    def steps_looked_at(self) -> list[int]:
        """The measured steps, counted through all phases."""
        phases = range(self.begin, 1 + self.swaps)
        return [phase * self.looks[-1] + look for phase in phases for look in self.looks]

    def looks_at(self, chosen: Tensor, tick: Callable[[], None]) -> Iterator[CellStats]:
        """Run the worlds `chosen`; yields their statistics at every measured step."""
        grey, labels = self._phase(chosen, self.begin)
        world = World.from_images(grey, self.rule, labels=labels, keys=chosen, links=self._links)
        last, phases = self.looks[-1], range(self.begin, 1 + self.swaps)
        world = world.with_state(world.state, self.begin * last)
        swaps = [(phase * last, partial(self._swapped, chosen, phase)) for phase in phases[1:]]
        simulation, wanted = (
            Simulation(world, self.rule, self.seed, Planned(swaps), self._backend),
            set(self.looks),
        )
        simulation.step = self.begin * last
        for _ in phases:
            for step in range(1, last + 1):
                if step in wanted:
                    moment = simulation.advance()
                    yield CellStats(moment.world, self.rule, moment.before)
                else:
                    simulation.skip()
                tick()

    def _swapped(self, chosen: Tensor, phase: int, world: World, seed: int = 0) -> World:
        """The worlds on the pictures of another phase."""
        swapped = world.repictured(*self._phase(chosen, phase))
        return swapped.restarted() if self.restarts else swapped

    def _phase(self, chosen: Tensor, phase: int) -> tuple[Grey | tuple[Grey, ...], Tensor]:
        which = self.shown[phase][chosen]
        return self.pictures[which.numpy()].grey, self.labels[which]


def partners(pictures: int, seed: int) -> Tensor:
    """int64 [pictures], a random cyclic permutation: the picture that replaces each picture.

    It has no fixed points. By repeated swaps a world shows every other picture before its own.
    """
    zero = torch.zeros(1, dtype=torch.int64)
    drawn = words(check_seed(seed), zero, torch.arange(pictures), zero, Stream.PERTURBATION)[0]
    circle = drawn.argsort(stable=True)
    return torch.empty_like(circle).index_copy_(0, circle, circle.roll(-1))


def _of_one_size(pictures: Pictures) -> Pictures:
    shapes = [picture.shape for picture in pictures]
    return pictures.centred_on((max(h for h, _ in shapes), max(w for _, w in shapes)))
