"""The default class colours differ for readers with and without colour blindness.

The simulations and the colour difference are written here from their papers: Machado, Oliveira and
Fernandes 2009 (severity 1.0), Viénot, Brettel and Mollon 1999, and CIEDE2000 as in Sharma, Wu and
Dalal 2005, with that paper's test data.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest

from swarm_nca.rules import DIGITS, Classes
from swarm_nca.rules.classes import DEMO_COLORS, TEN_COLORS

#: The smallest allowed difference.
LEAST = 15.0

MACHADO = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}

#: Linear RGB to cone responses, and the projections onto the cones that remain.
CONES = np.array(
    [[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.02996, 0.18431, 1.46709]]
)
VIENOT = {
    "protanopia": [[0, 2.02344, -2.52581], [0, 1, 0], [0, 0, 1]],
    "deuteranopia": [[1, 0, 0], [0.494207, 0, 1.24827], [0, 0, 1]],
}

Lab = tuple[float, float, float]


def linear(color: tuple[int, int, int]) -> npt.NDArray[np.float64]:
    parts = [part / 255 for part in color]
    return np.array([v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts])


def lab(rgb: npt.NDArray[np.float64]) -> Lab:
    """CIELAB of linear sRGB, white point D65."""
    r, g, b = np.clip(rgb, 0, 1).tolist()
    x = (0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047
    y = 0.2126729 * r + 0.7151522 * g + 0.0721750 * b
    z = (0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883
    fx, fy, fz = (
        v ** (1 / 3) if v > 216 / 24389 else (24389 / 27 * v + 16) / 116 for v in (x, y, z)
    )
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def ciede2000(one: Lab, other: Lab) -> float:
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    g = 0.5 * (1 - math.sqrt(mean**7 / (mean**7 + 25**7)))
    c1, c2 = math.hypot((1 + g) * a1, b1), math.hypot((1 + g) * a2, b2)
    h1 = math.degrees(math.atan2(b1, (1 + g) * a1)) % 360 if c1 else 0.0
    h2 = math.degrees(math.atan2(b2, (1 + g) * a2)) % 360 if c2 else 0.0
    turn = h2 - h1
    if c1 * c2 == 0:
        turn, h = 0.0, h1 + h2
    else:
        turn += 360 if turn < -180 else -360 if turn > 180 else 0
        h = (h1 + h2) / 2 if abs(h1 - h2) <= 180 else ((h1 + h2 + 360) / 2) % 360
    dh = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn) / 2)
    lm, cm = (l1 + l2) / 2, (c1 + c2) / 2
    t = 1 - 0.17 * math.cos(math.radians(h - 30)) + 0.24 * math.cos(math.radians(2 * h))
    t += 0.32 * math.cos(math.radians(3 * h + 6)) - 0.20 * math.cos(math.radians(4 * h - 63))
    sl = 1 + 0.015 * (lm - 50) ** 2 / math.sqrt(20 + (lm - 50) ** 2)
    sc, sh = 1 + 0.045 * cm, 1 + 0.015 * cm * t
    bend = -2 * math.sqrt(cm**7 / (cm**7 + 25**7))
    bend *= math.sin(math.radians(60 * math.exp(-(((h - 275) / 25) ** 2))))
    parts = (l2 - l1) / sl, (c2 - c1) / sc, dh / sh
    return math.sqrt(sum(part**2 for part in parts) + bend * parts[1] * parts[2])


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((50, 2.5, 0), (58, 24, 15), 19.4535),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_measure_gives_the_published_differences(
    one: Lab, other: Lab, difference: float
) -> None:
    assert ciede2000(one, other) == pytest.approx(difference, abs=1e-4)


def simulations() -> dict[str, npt.NDArray[np.float64]]:
    found = {"normal vision": np.eye(3)}
    found |= {f"{name}, Machado": np.array(matrix) for name, matrix in MACHADO.items()}
    back = np.linalg.inv(CONES)
    found |= {f"{name}, Viénot": back @ np.array(way) @ CONES for name, way in VIENOT.items()}
    return found


@pytest.mark.parametrize("seen", simulations())
def test_any_two_default_colours_can_be_told_apart(seen: str) -> None:
    # Silent cells are black, the paper is white.
    colors = {**dict(zip(DIGITS.names, DIGITS.colors, strict=True)), "silent": (0, 0, 0)}
    colors["paper"] = (255, 255, 255)
    labs = {name: lab(simulations()[seen] @ linear(color)) for name, color in colors.items()}
    apart = {pair: ciede2000(labs[pair[0]], labs[pair[1]]) for pair in combinations(labs, 2)}
    close = min(apart, key=lambda pair: apart[pair])
    assert apart[close] >= LEAST, (close, apart[close])


def test_the_measure_finds_the_colours_of_the_demo_too_close() -> None:
    for name, matrix in MACHADO.items():
        labs = [lab(np.array(matrix) @ linear(color)) for color in DEMO_COLORS]
        assert min(ciede2000(*pair) for pair in combinations(labs, 2)) < LEAST, name


def test_files_with_the_colours_of_the_demo_show_the_default_colours() -> None:
    data = {"names": ["a", "b"], "colors": [list(color) for color in DEMO_COLORS[:2]]}
    read = Classes.from_json(data)
    assert read.colors == TEN_COLORS[:2] == Classes.named("a", "b").colors
    assert read.to_json() == data  # hash and file of an earlier rule stay as they are
    own = Classes(("a", "b"), ((1, 2, 3), TEN_COLORS[1]))
    assert Classes.from_json(own.to_json()) == own
