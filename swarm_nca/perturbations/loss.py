"""Loss: changes the probability that messages are lost."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from swarm_nca.bounds import Share
from swarm_nca.perturbations.perturbation import Perturbation
from swarm_nca.world import World


@dataclass(frozen=True, kw_only=True)
class Loss(Perturbation):
    """Sets the probability of losing messages, for all worlds of the batch.

    Attributes:
        drop: the probability that a message is lost, in [0, 1]; with 0 all messages arrive.
    """

    SHARED: ClassVar[bool] = True

    kind: Literal["loss"] = field(default="loss", repr=False)
    drop: Share

    def __call__(self, world: World, seed: int = 0) -> World:
        """The same worlds with other links; see `Perturbation.__call__`."""
        return replace(world, links=replace(world.links, drop=self.drop))

    def what(self, before: World, after: World) -> str:
        """The probability before and after."""
        return f"{before.links.drop:.0%} → {after.links.drop:.0%} of all messages"
