"""Loss: from now on, messages get lost on their way."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from swarm_nca.arguments import real
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
    drop: float

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "drop", real("drop", self.drop))
        if not 0.0 <= self.drop <= 1.0:
            raise ValueError(f"drop must be a chance from 0 to 1, got {self.drop:g}")

    def __call__(self, world: World, seed: int = 0) -> World:
        """The same worlds with other links; see `Perturbation.__call__`."""
        return replace(world, links=replace(world.links, drop=self.drop))

    def what(self, before: World, after: World) -> str:
        """The chance before and after."""
        return f"{before.links.drop:.0%} → {after.links.drop:.0%} of all messages"
