"""Bounds of numbers are the same in Python, in files and in the JSON schema."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pytest
from annotated_types import Ge, Gt, Le, Lt, MaxLen
from pydantic import TypeAdapter, ValidationError

from swarm_nca.bounds import LARGEST, MOST, check_bounds
from swarm_nca.images import Source
from swarm_nca.perturbations import Damage, Draw, Erase, Loss, Noise, Rates, Restart
from swarm_nca.scenario.schema import Settings
from swarm_nca.tasks import Augmentation
from swarm_nca.training.recipe import Recipe


@dataclass(frozen=True)
class Record:
    """One field of every kind."""

    whole: Annotated[int, Ge(0), Le(10)] = 0
    share: Annotated[float, Gt(0.0), Lt(1.0)] | None = None
    pair: tuple[Annotated[float, Le(5.0)], Annotated[float, Le(5.0)]] = (0.0, 0.0)
    many: Annotated[tuple[Annotated[int, Le(3)], ...], MaxLen(4)] = ()
    text: str = ""
    free: float = 0.0

    def __post_init__(self) -> None:
        check_bounds(self)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"whole": 10, "share": 0.5, "pair": (5, -1e30), "many": (1, 2, 3, 3)},
        {"whole": np.int64(3), "share": np.float32(0.25), "pair": np.array([1.0, 2.0])},
        {"text": "x" * 1000, "free": 1e300},
    ],
)
def test_values_within_bounds_are_accepted_as_plain_python(given: dict[str, Any]) -> None:
    record = Record(**given)
    for name, value in given.items():
        held = getattr(record, name)
        assert np.array_equal(held, value) if not isinstance(value, str) else held == value
        assert type(held) in (int, float, str, tuple)
        assert not isinstance(held, tuple) or {*map(type, held)} <= {int, float}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"whole": 11}, "whole must be at most 10, got 11"),
        ({"whole": -1}, "whole must be at least 0, got -1"),
        ({"whole": 1.5}, "whole must be a whole number, got 1.5"),
        ({"whole": "3"}, "whole must be a whole number, got '3'"),
        (
            {"whole": 10**5000},
            "whole must be at most 10, got a whole number of thousands of digits",
        ),
        ({"share": 0.0}, "share must be above 0, got 0"),
        ({"share": 1.0}, "share must be below 1, got 1"),
        ({"share": float("nan")}, "share must be a finite number, got nan"),
        ({"share": float("inf")}, "share must be a finite number, got inf"),
        ({"share": 10**400}, "share must be below 1, got 1000"),
        ({"share": "x" * 1000}, "share must be a number, got 'xxx"),
        ({"pair": (1, 6)}, "pair[1] must be at most 5, got 6"),
        ({"pair": (1,)}, "pair must be a pair of numbers, got (1,)"),
        ({"pair": 3}, "pair must be a pair of numbers, got 3"),
        ({"many": (1, 4)}, "many[1] must be at most 3, got 4"),
        ({"many": (1,) * 5}, "many must have at most 4 entries, got 5"),
    ],
)
def test_values_out_of_bounds_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match="must") as caught:
        Record(**given)
    assert str(caught.value).startswith(message)
    assert len(str(caught.value)) < 150


#: Records of files with a number beyond float32, int64 or memory.
BEYOND: list[Callable[[], object]] = [
    lambda: Noise(strength=1e39),
    lambda: Noise(strength=1.0, at=10**29),
    lambda: Noise(strength=1.0, at=1.5),  # type: ignore[arg-type]
    lambda: Restart(at=0, world=10**30),
    lambda: Rates(noise=1e39),
    lambda: Loss(drop=float("nan")),
    lambda: Damage(shape="disc", center=(1, 1), radius=1e155),
    lambda: Damage(shape="rectangle", corner=(1e200, 1), size=(1, 1)),
    lambda: Damage(shape="rectangle", corner=(1, 1), size=(1, 10**400)),
    lambda: Draw(points=((1e200, 1),)),
    lambda: Draw(points=((1, 1),) * 20_000),
    lambda: Erase(points=((1, 1),), radius=1e300),
    lambda: Source(glyph=7, shift=(1e300, 0)),
    lambda: Source(glyph=7, count=10**9),
    lambda: Source(dataset="strokes", index=10**30),
    lambda: Source(dataset="strokes", seed=1 << 64),
    lambda: Augmentation(shift=1e300),
    lambda: Augmentation(scale=(1e-300, 1.0)),
    lambda: Augmentation(rotate=1e30),
]


@pytest.mark.parametrize("make", BEYOND)
def test_records_check_bounds_in_python(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"must (be|have)"):
        make()


def numbers(schema: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every number or whole number in a JSON schema, with the name of its field."""
    if isinstance(schema, dict):
        if schema.get("type") in ("number", "integer") and "const" not in schema:
            yield name, schema
        for key, inner in schema.items():
            yield from numbers(inner, key if key not in KEYWORDS else name)
    elif isinstance(schema, list):
        for inner in schema:
            yield from numbers(inner, name)


KEYWORDS = {"anyOf", "oneOf", "items", "prefixItems", "properties", "$defs"}

#: Numbers that name a class or a glyph, and bounds of an expectation.
UNBOUNDED = {"label", "glyph", "min", "max"}


@pytest.mark.parametrize("model", [Settings, Recipe])
def test_every_number_of_a_file_has_two_bounds_in_its_schema(model: Any) -> None:
    found = list(numbers(model.model_json_schema()))
    assert len(found) > 20
    for name, schema in found:
        if name not in UNBOUNDED:
            assert schema.keys() & {"maximum", "exclusiveMaximum"}, name
            assert schema.keys() & {"minimum", "exclusiveMinimum"}, name
    text = json.dumps(model.model_json_schema())
    assert str(MOST) in text
    assert str(LARGEST) in text


def test_pydantic_and_python_check_the_same_bounds() -> None:
    adapter = TypeAdapter(Record)
    for whole in (-1, 0, 10, 11):
        accepted = 0 <= whole <= 10
        for make in (lambda n: Record(whole=n), lambda n: adapter.validate_python({"whole": n})):
            if accepted:
                assert make(whole).whole == whole
            else:
                with pytest.raises((ValueError, ValidationError)):
                    make(whole)
