"""Colours: a light and a dark theme, and rotation of the class colours."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from swarm_nca.rules import Readout

Color = tuple[int, int, int]

#: Minimum contrast of a class colour with dark paper.
_MIN_CONTRAST = 2.4


@dataclass(frozen=True)
class Theme:
    """All colours except those of classes.

    Attributes:
        desk, panel, raised: the window's background, panels, controls.
        line, track: hairlines, and the empty part of bars.
        ink, quiet, faint: text in three strengths.
        accent, good, bad: active, passed, failed.
        paper, mark: the canvas without cells, and a silent cell.
        scale: from low to high; lightness is monotonic, away from the paper's.
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
    """uint8 [names, 3], the read-out's colours, rotated by a share of the colour wheel.

    On dark paper, dark colours are lightened to the minimum contrast; on light paper none change.
    """
    return np.array([_lifted(turned(color, hue), paper) for color in readout.colors], np.uint8)


def ink_on(color: Color) -> Color:
    """Black or white: the one easier to read on a colour."""
    return (0, 0, 0) if lightness(color) > 0.18 else (255, 255, 255)


def lightness(color: Color) -> float:
    """Relative luminance of a colour in [0, 1], as defined by WCAG 2."""
    parts = (part / 255 for part in color)
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def turned(color: Color, hue: float) -> Color:
    """A colour rotated by a share of the colour wheel; keeps lightness and saturation."""
    if not hue:
        return color
    h, lightness, saturation = colorsys.rgb_to_hls(*(part / 255 for part in color))
    red, green, blue = colorsys.hls_to_rgb((h + hue) % 1.0, lightness, saturation)
    return round(255 * red), round(255 * green), round(255 * blue)


def _lifted(color: Color, paper: Color) -> Color:
    behind = lightness(paper)
    while behind < 0.18 and (lightness(color) + 0.05) / (behind + 0.05) < _MIN_CONTRAST:
        color = blend(color, (255, 255, 255), 0.05)
    return color


def blend(one: Color, other: Color, share: float) -> Color:
    """A mixture of two colours: `one` at share 0, `other` at share 1."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue
