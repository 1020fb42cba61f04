"""Dials: the settings that go up and down, each with its slider and its pair of keys.

To add one, write a line in `DIALS`; `controls` says where its slider stands, `keys` what moves it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from swarm_nca.engine import rates_of
from swarm_nca.perturbations import Rates

if TYPE_CHECKING:
    from swarm_nca.viewer.app import App


class Dial(NamedTuple):
    """A setting with bounds.

    Attributes:
        label: its name beside the slider.
        tip: what it does, in a few words.
        read: what it is set to now.
        write: sets it; takes values between `low` and `high`, rounded to `digits`.
        by: how far one press of a key moves it.
        shown: a value in words.
        bend: above 1, the slider gives more room to low values: value = share ** bend.
        turns: whether the high end is the low end, as on a wheel.
    """

    label: str
    tip: str
    read: Callable[[App], float]
    write: Callable[[App, float], None]
    low: float
    high: float
    by: float
    digits: int
    shown: Callable[[float], str]
    bend: float = 1.0
    turns: bool = False

    def set(self, app: App, value: float) -> None:
        """Turn it to a value, or to the bound beyond which that value lies."""
        if self.turns:
            value = round(value % self.high, self.digits) % self.high
        self.write(app, round(min(max(value, self.low), self.high), self.digits))

    def nudge(self, app: App, times: int) -> None:
        """Turn it a little, up or (below 0) down."""
        self.set(app, self.read(app) + times * self.by)

    def share(self, app: App) -> float:
        """Where its slider stands, in [0, 1]."""
        share = (self.read(app) - self.low) / (self.high - self.low)
        return float(min(max(share, 0.0), 1.0) ** (1 / self.bend))

    def set_share(self, app: App, share: float) -> None:
        """Turn it to where its slider was moved."""
        self.set(app, self.low + share**self.bend * (self.high - self.low))


def _of_the_app(name: str) -> tuple[Callable[[App], float], Callable[[App, float], None]]:
    """What reads and writes an attribute of the app."""
    return lambda app: float(getattr(app, name)), lambda app, value: setattr(app, name, value)


def _set_fire_rate(app: App, value: float) -> None:
    if value != _rates(app)[0]:
        app.edit(Rates(fire_rate=value))


def _set_noise(app: App, value: float) -> None:
    if value != _rates(app)[1]:
        app.edit(Rates(noise=value))


def _rates(app: App) -> tuple[float, float]:
    return rates_of(app.session.world, app.session.rule)


#: Every dial by name. All but the rates are matters of taste; those belong to the world, and
#: turning them is a perturbation like any other.
DIALS: dict[str, Dial] = {
    "brush": Dial(
        "Brush",
        "How wide the pen is; eraser and damage are wider",
        *_of_the_app("brush"),
        low=0.6,
        high=4.0,
        by=0.2,
        digits=1,
        shown=lambda value: f"{value:.1f} px",
    ),
    "strength": Dial(
        "Strength",
        "How strong the faults below are when they are pressed",
        *_of_the_app("strength"),
        low=0.05,
        high=1.0,
        by=0.05,
        digits=2,
        shown=lambda value: f"{value:.0%}",
    ),
    "fire rate": Dial(
        "Fire rate",
        "The share of cells that act in a step; at 100% all act at once, as the rule never learned",
        lambda app: _rates(app)[0],
        _set_fire_rate,
        low=0.0,
        high=1.0,
        by=0.05,
        digits=2,
        shown=lambda value: f"{value:.0%}",
    ),
    "noise": Dial(
        "Noise",
        "How much noise there is in every change a cell makes: a standard deviation",
        lambda app: _rates(app)[1],
        _set_noise,
        low=0.0,
        high=0.5,
        by=0.01,
        digits=3,
        shown=lambda value: f"{value:.3f}".removesuffix("0"),
        bend=2.0,
    ),
    "hue": Dial(
        "Hue",
        "Turn the classes' colours to ones you can tell apart",
        *_of_the_app("hue"),
        low=0.0,
        high=1.0,
        by=0.05,
        digits=3,
        shown=lambda value: f"{value * 360:.0f}°",
        turns=True,
    ),
}
