"""Dials: numeric settings, each with a slider and a pair of keys.

To add a dial, write a line in `DIALS`; `controls` places its slider, `keys` names its keys.
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
        label: the name beside the slider.
        tip: the text of the tooltip.
        read: returns the present value.
        write: sets a value between `low` and `high`, rounded to `digits`.
        by: the change per key press.
        shown: formats a value.
        bend: above 1, low values get more of the slider: value = share ** bend.
        turns: whether `high` means the same as `low`, as for an angle.
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
        """Set a value, clipped to the bounds (or taken modulo `high` where `turns`)."""
        if self.turns:
            value = round(value % self.high, self.digits) % self.high
        self.write(app, round(min(max(value, self.low), self.high), self.digits))

    def nudge(self, app: App, times: int) -> None:
        """Move by `times` key presses, down if negative."""
        self.set(app, self.read(app) + times * self.by)

    def share(self, app: App) -> float:
        """The slider's position, in [0, 1]."""
        share = (self.read(app) - self.low) / (self.high - self.low)
        return float(min(max(share, 0.0), 1.0) ** (1 / self.bend))

    def set_share(self, app: App, share: float) -> None:
        """Set the value for a slider's position in [0, 1]."""
        self.set(app, self.low + share**self.bend * (self.high - self.low))


def _of_the_app(name: str) -> tuple[Callable[[App], float], Callable[[App, float], None]]:
    """Getter and setter of an attribute of the app."""
    return lambda app: float(getattr(app, name)), lambda app, value: setattr(app, name, value)


def _set_fire_rate(app: App, value: float) -> None:
    if value != _rates(app)[0]:
        app.edit(Rates(fire_rate=value))


def _set_noise(app: App, value: float) -> None:
    if value != _rates(app)[1]:
        app.edit(Rates(noise=value))


def _rates(app: App) -> tuple[float, float]:
    return rates_of(app.session.world, app.session.rule)


#: Every dial by name. The rates belong to the world: changing them is a perturbation. All other
#: dials are settings of the viewer.
DIALS: dict[str, Dial] = {
    "brush": Dial(
        "Brush",
        "Radius of the pen; the eraser and the damage brush are larger",
        *_of_the_app("brush"),
        low=0.6,
        high=4.0,
        by=0.2,
        digits=1,
        shown=lambda value: f"{value:.1f} px",
    ),
    "strength": Dial(
        "Strength",
        "Strength of the faults below, and their share of the cells, at a press of a button",
        *_of_the_app("strength"),
        low=0.05,
        high=1.0,
        by=0.05,
        digits=2,
        shown=lambda value: f"{value:.0%}",
    ),
    "fire rate": Dial(
        "Fire rate",
        "Share of cells that update in each step. Rules are trained below 100%",
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
        "Standard deviation of the noise added to every state change",
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
        "Rotate the class colours, for example to tell two classes apart",
        *_of_the_app("hue"),
        low=0.0,
        high=1.0,
        by=0.05,
        digits=3,
        shown=lambda value: f"{value * 360:.0f}°",
        turns=True,
    ),
}
