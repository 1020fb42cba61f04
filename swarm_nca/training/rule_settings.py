"""The rule of a recipe: an mlp with its sizes, or a rule of another family."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, ConfigDict, Discriminator, Tag, field_validator

from swarm_nca.bounds import NonNegative
from swarm_nca.randomness import LONGEST_ROW
from swarm_nca.rules import Hearing, family
from swarm_nca.rules.settings import LAYERS, NEIGHBORHOODS

#: Maximum units of a hidden layer, and free channels; noise supports 256 channels in all.
MOST_UNITS, MOST_CHANNELS = 4096, LONGEST_ROW

Units = Annotated[int, Ge(1), Le(MOST_UNITS)]


class Part(BaseModel):
    """A mapping of a recipe; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class RuleSettings(Part):
    """An mlp to train; its read-out comes from the task.

    `weights` names a rule whose weights training starts from, as for `load_rule`, with the same
    sizes and classes, or fewer hidden units (see `Mlp.widened`). A cell is undecided while all its
    class channels are below `undecided_below`, and is drawn as silent unless one exceeds
    `shown_above` (when None, as `undecided_below`, or as the rule that training starts from); the
    training depends on neither.
    """

    kind: Literal["mlp"] = "mlp"
    weights: str | None = None
    free_channels: Annotated[int, Ge(1), Le(MOST_CHANNELS)] = 9
    hidden: tuple[Units, ...] = (80, 80)
    hearing: Hearing = "slots"
    mortal: bool = False
    angle: Annotated[float, Ge(-360.0), Le(360.0)] = 0.0
    neighborhood: Literal[NEIGHBORHOODS] = "moore"  # type: ignore[valid-type]
    fire_rate: Annotated[float, Gt(0.0), Le(1.0)] = 0.5
    noise: NonNegative = 0.02
    undecided_below: Annotated[float, Ge(0.0), Le(1.0)] | None = None
    shown_above: Annotated[float, Ge(0.0), Le(1.0)] | None = None

    @property
    def thresholds(self) -> dict[str, float]:
        """The rule's settings of undecided and silent cells, as far as they are given."""
        shown = self.shown_above
        if shown is None and self.undecided_below is not None:
            shown = max(0.01, self.undecided_below)
        both = {"undecided_below": self.undecided_below, "shown_above": shown}
        return {name: value for name, value in both.items() if value is not None}

    @field_validator("hidden")
    @classmethod
    def _few(cls, hidden: tuple[int, ...]) -> tuple[int, ...]:
        if not 1 <= len(hidden) <= LAYERS:
            raise ValueError(
                f"must have the sizes of 1 to {LAYERS} hidden layers, got {len(hidden)}"
            )
        return hidden


class OtherRule(BaseModel):
    """A rule of another family: its kind and the family's settings."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str
    weights: str | None = None

    @field_validator("kind")
    @classmethod
    def _known(cls, kind: str) -> str:
        family(kind)
        return kind

    @property
    def settings(self) -> dict[str, Any]:
        """The family's settings."""
        return dict(self.model_extra or {})


def family_of(rule: Any) -> str:
    """The branch of `AnyRule` for a rule: `mlp` or `other`."""
    kind = rule.get("kind", "mlp") if isinstance(rule, dict) else getattr(rule, "kind", "mlp")
    return "mlp" if kind == "mlp" else "other"


AnyRule = Annotated[
    Annotated[RuleSettings, Tag("mlp")] | Annotated[OtherRule, Tag("other")],
    Discriminator(family_of),
]
