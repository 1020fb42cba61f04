"""Colours: light and dark, few of them, and the classes' own turned around the colour wheel."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from swarm_nca.rules import Readout

Color = tuple[int, int, int]

#: The contrast that a class's colour has with dark paper at least.
_STANDS_OUT = 2.4


@dataclass(frozen=True)
class Theme:
    """Every colour that is not a class's.

    Attributes:
        desk, panel, raised: behind everything, behind controls, a control.
        line, track: hairlines, and what fills up.
        ink, quiet, faint: text, and text that steps back.
        accent, good, bad: what is active, passed, failed.
        paper, mark: the canvas where nobody lives, and a cell that is silent.
        scale: from little to much, for every eye: lightness runs one way, away from the paper.
    """

    name: str
    desk: Color
    panel: Color
    raised: Color
    line: Color
    track: Color
    ink: Color
    quiet: Color
    faint: Color
    accent: Color
    good: Color
    bad: Color
    paper: Color
    mark: Color
    scale: tuple[Color, ...]


LIGHT = Theme(
    name="light",
    desk=(241, 242, 244),
    panel=(252, 252, 253),
    raised=(238, 240, 243),
    line=(222, 225, 230),
    track=(225, 228, 233),
    ink=(27, 31, 38),
    quiet=(96, 104, 116),
    faint=(158, 165, 176),
    accent=(44, 92, 214),
    good=(26, 132, 84),
    bad=(196, 48, 43),
    paper=(255, 255, 255),
    mark=(0, 0, 0),
    scale=((226, 232, 240), (160, 196, 222), (84, 144, 192), (32, 84, 148), (10, 28, 72)),
)
DARK = Theme(
    name="dark",
    desk=(17, 19, 23),
    panel=(25, 28, 33),
    raised=(40, 44, 52),
    line=(46, 51, 60),
    track=(50, 55, 65),
    ink=(231, 234, 239),
    quiet=(152, 160, 172),
    faint=(98, 106, 118),
    accent=(104, 150, 255),
    good=(74, 190, 130),
    bad=(240, 98, 90),
    paper=(33, 36, 42),
    mark=(250, 250, 250),
    scale=((48, 54, 66), (42, 92, 138), (52, 148, 168), (146, 206, 168), (255, 244, 190)),
)


@lru_cache(maxsize=128)
def name_colors(readout: Readout, hue: float, paper: Color) -> npt.NDArray[np.uint8]:
    """uint8 [names, 3], the colours of what cells show, turned by a share of the colour wheel.

    On dark paper dark ones are lightened until they stand out; on light paper all are as they are.
    """
    return np.array([_lifted(turned(color, hue), paper) for color in readout.colors], np.uint8)


def ink_on(color: Color) -> Color:
    """Black or white, whichever is easier to read on a colour."""
    return (0, 0, 0) if lightness(color) > 0.18 else (255, 255, 255)


def lightness(color: Color) -> float:
    """How light a colour is to the eye, from 0 to 1: relative luminance, as WCAG 2 defines it."""
    parts = (part / 255 for part in color)
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def turned(color: Color, hue: float) -> Color:
    """A colour turned by a share of the colour wheel, its lightness and strength kept."""
    if not hue:
        return color
    h, lightness, strength = colorsys.rgb_to_hls(*(part / 255 for part in color))
    red, green, blue = colorsys.hls_to_rgb((h + hue) % 1.0, lightness, strength)
    return round(255 * red), round(255 * green), round(255 * blue)


def _lifted(color: Color, paper: Color) -> Color:
    ground = lightness(paper)
    while ground < 0.18 and (lightness(color) + 0.05) / (ground + 0.05) < _STANDS_OUT:
        color = blend(color, (255, 255, 255), 0.05)
    return color


def blend(one: Color, other: Color, share: float) -> Color:
    """A colour on the way from one to another."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue
