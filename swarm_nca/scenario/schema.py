"""The schema of a scenario file: its keys and their values.

`load` checks whether the rule exists and the pictures can be read. Perturbations and images have no
schema of their own: a file gives the fields of their dataclasses.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, MaxLen
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from swarm_nca.bounds import (
    LONGEST_SIDE,
    MOST_AREA,
    MOST_ENTRIES,
    Count,
    Index,
    Seed,
    Share,
    Side,
)
from swarm_nca.config.kinds import by_kind
from swarm_nca.config.names import FolderName
from swarm_nca.images import Source
from swarm_nca.links import Links, kinds_of_links
from swarm_nca.measure.metrics import find_metric
from swarm_nca.perturbations import Perturbation, kinds
from swarm_nca.topologies import NEIGHBORHOODS


def _of_usual_kind(links: Any) -> Any:
    return {"kind": Links.USUAL, **links} if isinstance(links, dict) else links


AnyPerturbation = Annotated[Perturbation, by_kind(kinds())]
AnyLinks = Annotated[Links, by_kind(kinds_of_links()), BeforeValidator(_of_usual_kind)]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


class OnlyLinks(_Part):
    """Links without a scenario, such as those of an option."""

    links: AnyLinks


class TopologySettings(_Part):
    """The neighbours of each cell, on a picture or without one."""

    kind: Literal["grid", "cubic", "graph"] = "grid"
    """The pixels of a picture; or, without images, a lattice in three dimensions or a graph."""
    shape: tuple[Count, Count, Count] | None = None
    """Layers, rows and columns of a cubic lattice; a cell has up to 26 neighbours in 27 slots."""
    file: str | None = None
    """A GraphML file; a path relative to the scenario's folder."""
    neighborhood: Literal[tuple(NEIGHBORHOODS)] | None = None  # type: ignore[valid-type]
    """Eight neighbours (moore), four (von_neumann), six (hexagonal) or three (triangular); the
    rule's if not given."""
    torus: bool = False
    """Whether cells at opposite borders are neighbours."""
    rewire: Share = 0.0
    """The share of links that come from a cell anywhere, drawn at random: a small world."""

    @model_validator(mode="after")
    def _of_one_kind(self) -> TopologySettings:
        takes = {"grid": ("neighborhood",), "cubic": ("shape",), "graph": ("file",)}
        for kind, names in takes.items():
            for name in names:
                given = getattr(self, name) is not None
                if given and kind != self.kind:
                    raise ValueError(f"{name} is for kind: {kind}, the kind is {self.kind}")
                if not given and kind == self.kind != "grid":
                    raise ValueError(f"kind: {kind} needs {name}")
        if self.torus and self.kind == "graph":
            raise ValueError("torus is for grids and cubic lattices: leave it out")
        return self


class Record(_Part):
    """What the run folder keeps besides the metrics of every step."""

    every: Count = 1
    """Keep a frame every N steps, and before and after each perturbation."""
    picture: bool = True
    """Whether the run folder has pictures and an animation."""
    states: bool = False
    """Whether the run folder has the states of every frame, as `states.npz`."""


class Expect(_Part):
    """Bounds for a metric at a step or over steps, pooled over the run's worlds or for a share."""

    metric: str
    at: Index | None = None
    """The step; 0 is the start. At a perturbation's step, the value before the perturbation."""
    within: Count | None = None
    """With at: the bounds must hold at least once, from step at to as many steps later."""
    from_: Annotated[Index | None, Field(alias="from")] = None
    """Instead of at: the bounds must hold at every step from this one on."""
    to: Index | None = None
    """The last of these steps; the end of the run if not given."""
    share: Annotated[float, Gt(0.0), Le(1.0)] | None = None
    """The least share of worlds that must meet the bounds, each by its own value."""
    min: float | None = None
    max: float | None = None

    @field_validator("metric")
    @classmethod
    def _known(cls, metric: str) -> str:
        find_metric(metric)
        return metric

    @property
    def instant(self) -> bool:
        """Whether one pooled value at one step decides."""
        return self.at is not None and self.within is None and self.share is None

    def span(self, steps: int) -> tuple[int, int]:
        """The first and the last step that count, in a run of `steps` steps."""
        if self.at is not None:
            return self.at, self.at + (self.within or 0)
        return self.from_ or 0, steps if self.to is None else self.to

    @model_validator(mode="after")
    def _timed(self) -> Expect:
        spanned = self.from_ is not None or self.to is not None
        if self.at is None and not spanned:
            raise ValueError("an expectation needs its steps: at: 200, or from: 100 and to: 200")
        if self.at is not None and spanned:
            raise ValueError("at cannot be combined with from and to: leave at out")
        if self.within is not None and self.at is None:
            raise ValueError("within needs at, the step that it counts from: write at for from")
        if self.to is not None and (self.from_ or 0) > self.to:
            raise ValueError(f"to must be at least from ({self.from_}), got {self.to}")
        return self

    @model_validator(mode="after")
    def _bounded(self) -> Expect:
        if self.min is None and self.max is None:
            raise ValueError("an expectation needs min, max or both, such as min: 0.9")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min must be at most max ({self.max:g}), got {self.min:g}")
        beyond = [bound for bound in (self.min, self.max) if bound is not None and bound > 1]
        if beyond and find_metric(self.metric).share:
            raise ValueError(
                f"{self.metric} is a share from 0 to 1, got {beyond[0]:g}: write {beyond[0]:g} % "
                f"as {beyond[0] / 100:g}"
            )
        return self


class Target(_Part):
    """The colour picture that a growing pattern should show, in the middle of its canvas."""

    file: str | None = None
    """A picture file; a path relative to the scenario's folder."""
    drawn: str | None = None
    """The name of a picture that the package draws."""
    size: Annotated[int, Ge(1), Le(LONGEST_SIDE)] = 40
    """Side of the square that the picture is scaled to fit, in pixels."""

    @model_validator(mode="after")
    def _one(self) -> Target:
        if (self.file is None) == (self.drawn is None):
            raise ValueError("a target needs either file or drawn, such as {drawn: flower}")
        return self


class Origin(_Part):
    """The moment of another run from which a run goes on."""

    folder: str
    """The folder of that run; a path relative to this file."""
    step: Index
    """The step; perturbations at it are those of this file."""
    past: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")] | None = None
    """SHA-256 of what the worlds of that run depend on, as --from writes it; with another run in
    its place this file is refused."""


class Settings(_Part):
    """One scenario: a rule, pictures, perturbations and expectations."""

    name: FolderName | None = None
    """Name of the run and its folder; the file's name if not given."""
    description: Annotated[str, MaxLen(2_000)] | None = None
    """What happens and why, in some sentences; shown in the report and in the viewer."""
    seed: Seed = 0
    """Seed of all random draws."""
    rule: str | dict[str, Any]
    """A shipped rule's name, a path relative to this file, or a family of rules by its kind and
    settings, such as {kind: life, rule: B3/S23}."""
    images: Source | None
    """The pictures at the start, one world each; none for a cubic lattice or a graph."""
    canvas: tuple[Side, Side] | None = None
    """Size of the worlds (rows, columns), pictures centred; default: the pictures' size."""
    target: Target | None = None
    """The picture that a growing pattern should show; the metric `error` compares with it."""
    from_: Annotated[Origin | None, Field(alias="from")] = None
    """Go on from a step of another run, with its worlds instead of images, canvas, target, start
    and topology."""
    start: Literal["zeros", "random"] = "zeros"
    """States of the cells at the start."""
    engine: Literal["batched", "agents"] = "batched"
    """All cells at once, or one Mesa agent at a time; the result is the same."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Precision of the factors of matrix products; states, noise and sums keep float32. bfloat16
    needs engine: batched; it is faster on processors with bfloat16 units, slower on others."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where the cells are stepped, a GPU with cuda, which needs engine: batched; sums are rounded
    in another order there."""
    steps: Count
    links: AnyLinks = Links()
    """Faults of the links between cells, such as lost messages."""
    topology: TopologySettings = TopologySettings()
    perturbations: Annotated[tuple[AnyPerturbation, ...], MaxLen(MOST_ENTRIES)] = ()
    """Changes of the worlds; those of the same step act in this order."""
    record: Record = Record()
    expect: Annotated[tuple[Expect, ...], MaxLen(MOST_ENTRIES)] = ()

    @field_validator("canvas")
    @classmethod
    def _fits(cls, canvas: tuple[int, int] | None) -> tuple[int, int] | None:
        if canvas is not None and canvas[0] * canvas[1] > MOST_AREA:
            raise ValueError(
                f"a canvas has at most {MOST_AREA:,} pixels, got {canvas[0]} × {canvas[1]}: make "
                "it smaller"
            )
        return canvas

    @model_validator(mode="after")
    def _precise(self) -> Settings:
        if self.engine == "agents" and self.precision != "float32":
            raise ValueError(
                f"engine: agents has precision: float32, got {self.precision}: write engine: "
                "batched or leave precision out"
            )
        if self.engine == "agents" and self.device != "cpu":
            raise ValueError(
                f"engine: agents has device: cpu, got {self.device}: write engine: batched or "
                "leave device out"
            )
        return self

    @model_validator(mode="before")
    @classmethod
    def _without_pictures(cls, given: Any) -> Any:
        """No images are missing where the topology is none of pictures."""
        topology = given.get("topology") if isinstance(given, dict) else None
        if isinstance(topology, dict) and topology.get("kind", "grid") != "grid":
            return {"images": None} | given
        return given

    @model_validator(mode="after")
    def _on_something(self) -> Settings:
        if self.topology.kind == "grid":
            if self.images is None:
                raise ValueError("missing key 'images': give the pictures at the start")
            return self
        for name in ("images", "canvas", "target"):
            if getattr(self, name) is not None:
                raise ValueError(
                    f"{name} is for pictures: leave it out, the topology is {self.topology.kind}"
                )
        return self

    @property
    def first(self) -> int:
        """The number of the first step."""
        return 0 if self.from_ is None else self.from_.step

    @property
    def about(self) -> str:
        """The description on one line; empty without one."""
        return " ".join((self.description or "").split())

    def completed(self, given: dict[str, Any]) -> dict[str, Any]:
        """The file's values and the defaults of its missing keys, in the schema's order."""
        full = {}
        for name, field in type(self).model_fields.items():
            part, key = getattr(self, name), field.alias or name
            if isinstance(part, _Part):
                full[key] = part.model_dump(exclude_none=True)
            elif isinstance(part, Links):
                full[key] = part.settings()
            elif part is not None:
                full[key] = given.get(key, part)
        return full
