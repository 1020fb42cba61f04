"""Loss: from now on, messages get lost on their way."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from swarm_nca.bounds import Share
from swarm_nca.perturbations.perturbation import Perturbation
from swarm_nca.world import World


@dataclass(frozen=True, kw_only=True)
class Loss(Perturbation):
    """Another chance of loss on all links, for all worlds of the batch, which share them.

    Attributes:
        drop: the chance that one message of one step is lost, in [0, 1]; 0 mends the links.
    """

    SHARED: ClassVar[bool] = True

    kind: Literal["loss"] = field(default="loss", repr=False)
    drop: Share

    def __call__(self, world: World, seed: int = 0) -> World:
        """The same worlds with other links; see `Perturbation.__call__`."""
        return replace(world, links=replace(world.links, drop=self.drop))

    def what(self, before: World, after: World) -> str:
        """The chance before and after."""
        return f"{before.links.drop:.0%} → {after.links.drop:.0%} of all messages"
