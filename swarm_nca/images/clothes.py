"""Patterns of clothes: T-shirt, trouser, pullover, dress, coat and shirt.

Each is flat and symmetric about column 0; the right half is drawn; row 0 is the top. One unit
is about a pixel for a garment 27 units high. A pattern takes its numbers from `Draws`, for B
garments at once.
"""

from __future__ import annotations

import numpy as np

from swarm_nca.images.draws import Column, Draws
from swarm_nca.images.sewing import Number, Panel, Worn, curve

_BEYOND = -4.0  # halves of an area extend across the axis, so that there is no visible seam

_ARMPIT = 8.5  # row of the armpit


def t_shirt(draws: Draws) -> list[Panel]:
    """Short sleeves, sometimes none; a round neck; sometimes a print."""
    width, shoulder = draws.between(5.4, 7.6), draws.between(5.8, 7.4)
    bare = draws.chance(0.12)
    shoulder = np.where(bare, 0.72 * shoulder, shoulder)
    neck, drop = draws.between(2.6, 4.6), draws.between(0.8, 4.0)
    length = draws.between(25, 30)
    slope, hem = draws.between(0.8, 3.0), width * draws.between(0.92, 1.12)
    body = _body(shoulder, width, hem, length, neck, drop, slope)
    angle, cuff = draws.between(0.4, 1.1), draws.between(4.0, 5.6)
    sleeve = _sleeve(shoulder, width, slope, angle, angle, draws.between(4, 9), cuff, ~bare)
    printed = _print(draws, draws.chance(0.25))
    return [sleeve, body, printed, _collar(neck, drop, draws.chance(0.4), 0.8)]


def trouser(draws: Draws) -> list[Panel]:
    """Two long legs with a gap between them."""
    waist, hip = draws.between(3.6, 5.2), draws.between(4.6, 6.2)
    ankle, leg = draws.between(3.6, 5.8), draws.between(2.0, 3.6)
    crotch, length = draws.between(8.0, 11.0), draws.between(25.0, 31.0)
    knee = (crotch + length) / 2
    gap = np.maximum(ankle - leg, 0.5)
    outline = (
        (0.0, _BEYOND),
        (0.0, waist),
        (0.45 * crotch, hip - 0.3),
        (crotch, hip),
        (knee, (hip + ankle) / 2 - 0.1),
        (length, ankle),
        (length, gap),
        (knee, 0.55 * gap + 0.2),
        (crotch, 0.1),
        (crotch, _BEYOND),
    )
    band = Panel(
        ((1.3, 0.0), (1.5, waist)), width=0.5, tone=0.75, mirrored=True, worn=draws.chance(0.6)
    )
    crease = Panel(
        ((crotch * 0.6, 0.6 * hip), (length - 1, (ankle + gap) / 2)),
        width=1.0,
        tone=draws.between(0.8, 1.2),
        mirrored=True,
        worn=draws.chance(0.6),
    )
    pocket = Panel(
        ((1.6, 0.55 * waist), (4.5, hip - 0.4)),
        width=0.5,
        tone=0.7,
        mirrored=True,
        worn=draws.chance(0.4),
    )
    return [Panel(outline, mirrored=True), crease, band, pocket]


def pullover(draws: Draws) -> list[Panel]:
    """Wide, with sleeves longer than the trunk, and bands at neck and hem."""
    shoulder, width = draws.between(5.6, 7.0), draws.between(5.0, 6.6)
    neck, drop = draws.between(2.4, 3.8), draws.between(0.0, 1.6)
    slope, length = draws.between(1.4, 3.6), draws.between(21, 27)
    hem = width * draws.between(0.94, 1.1)
    body = _body(shoulder, width, hem, length, neck, drop, slope)
    upper, cuff = draws.between(1.05, 1.3), draws.between(2.6, 3.8)
    lower, reach = draws.between(1.4, 1.6), draws.between(22, 26)
    sleeve = _sleeve(shoulder, width, slope, upper, lower, reach, cuff, tone=1.04)
    shade = _shade(width, hem, length, draws.between(0.05, 0.8), draws.chance(0.8))
    seam = _armhole(shoulder, width, slope, draws.between(0.7, 1))
    band = ((length - 1.8, 0.0), (length - 1.8, hem))
    hemmed = Panel(
        band, width=0.5, tone=draws.between(0.65, 1), mirrored=True, worn=draws.chance(0.7)
    )
    printed = _print(draws, draws.chance(0.2))
    return [sleeve, body, shade, seam, hemmed, printed, _collar(neck, drop, draws.chance(0.7), 1.1)]


def dress(draws: Draws) -> list[Panel]:
    """Long and slim, narrow at the waist; half of the dresses have sleeves."""
    shoulder, bust = draws.between(5.0, 7.6), draws.between(5.2, 7.8)
    waist, hem = bust * draws.between(0.72, 0.98), draws.between(5.5, 13.0)
    length, neck, drop = draws.between(30, 46), draws.between(2.5, 4.6), draws.between(1, 5)
    sleeved = draws.chance(0.5)
    shoulder = np.where(sleeved, shoulder, 0.8 * shoulder)
    belt = length * draws.between(0.3, 0.42)
    hip = np.maximum(bust, waist + 0.55 * (hem - waist))
    outline = (
        (drop, _BEYOND),
        (drop, 0.35 * neck),
        (0.4 * drop, 0.85 * neck),
        (0.0, neck),
        (1.2, shoulder),
        (5.5, np.where(sleeved, shoulder, 0.9 * np.minimum(shoulder, bust))),
        (9.0, bust),
        (belt, waist),
        ((belt + length) / 2, hip),
        (length, hem),
        (length, _BEYOND),
    )
    long = draws.chance(0.4)
    reach = np.where(long, draws.between(16, 24), draws.between(3, 8))
    angle, cuff = draws.between(0.95, 1.4), np.where(long, 3.2, 4.8)
    sleeve = _sleeve(shoulder, bust, 1.2, angle, angle + 0.08 * long, reach, cuff, sleeved)
    belted = Panel(
        ((belt, 0.0), (belt, waist)),
        width=1.0,
        tone=draws.between(0.5, 1.1),
        mirrored=True,
        worn=draws.chance(0.45),
    )
    pleat = Panel(
        ((belt + 2, 0.4 * waist), (length, 0.5 * hem)),
        width=1.0,
        tone=draws.between(0.75, 1.15),
        mirrored=True,
        worn=draws.chance(0.5),
    )
    return [sleeve, Panel(outline, mirrored=True), pleat, belted]


def coat(draws: Draws) -> list[Panel]:
    """Long sleeves close to the body, a collar or a hood, an opening or zip down the middle."""
    shoulder, width = draws.between(5.6, 7.0), draws.between(5.0, 6.4)
    neck, length = draws.between(2.4, 3.6), draws.between(24, 31)
    slope, hem = draws.between(1.4, 3.4), width * draws.between(0.98, 1.2)
    body = _body(shoulder, width, hem, length, neck, draws.between(0.3, 1.5), slope)
    upper, cuff = draws.between(1.12, 1.38), draws.between(2.6, 3.8)
    lower, reach = draws.between(1.42, 1.6), draws.between(22, 26.5)
    sleeve = _sleeve(shoulder, width, slope, upper, lower, reach, cuff, tone=1.05)
    shade = _shade(width, hem, length, draws.between(0.1, 0.9), draws.chance(0.8))
    seam = _armhole(shoulder, width, slope, draws.between(0.5, 0.9))
    rise = draws.between(0.6, 3.0)
    hood = Panel(
        ((-rise, _BEYOND), (-rise, 0.8 * neck), (slope, neck + 1), (3.5, 1.5), (4, _BEYOND)),
        tone=draws.between(0.75, 1.2),
        mirrored=True,
        worn=draws.chance(0.75),
    )
    line = ((1.0, 0.0), (length, 0.0))
    opening = Panel(line, width=draws.between(0.5, 1.3), tone=draws.between(0.3, 1.15))
    lapel = Panel(
        ((0.5, neck), (draws.between(6, 11), 0.2)),
        width=0.9,
        tone=0.65,
        mirrored=True,
        worn=draws.chance(0.35),
    )
    down = length * draws.between(0.55, 0.7)
    pocket = ((down, 0.4 * hem), (down + 2.5, 0.7 * hem))
    pocketed = Panel(pocket, width=0.7, tone=0.65, mirrored=True, worn=draws.chance(0.5))
    return [sleeve, body, shade, seam, hood, lapel, opening, pocketed]


def shirt(draws: Draws) -> list[Panel]:
    """Buttons under a pointed collar, or a blouse's wide neck; long sleeves on most."""
    buttoned, short = draws.chance(0.6), draws.chance(0.2)
    shoulder, width = draws.between(5.6, 7.0), draws.between(4.9, 6.8)
    neck = np.where(buttoned, draws.between(2.2, 3.2), draws.between(3.0, 4.8))
    drop, slope = draws.between(0.8, 3.6), draws.between(1.2, 3.2)
    length, hem = draws.between(25, 28), width * draws.between(1.0, 1.2)
    body = _body(shoulder, width, hem, length, neck, drop, slope, draws.between(0, 2.0))
    upper = np.where(short, draws.between(0.6, 1.2), draws.between(1.08, 1.32))
    lower = np.where(short, upper, draws.between(1.28, 1.5))
    reach = np.where(short, draws.between(5, 9), draws.between(18, 25))
    cuff = np.where(short, 5.0, draws.between(2.3, 3.4))
    sleeve = _sleeve(shoulder, width, slope, upper, lower, reach, cuff)
    shade = _shade(width, hem, length - 2, draws.between(0.05, 0.9), draws.chance(0.8) & ~short)
    line = ((drop, 0.0), (length, 0.0))
    placket = Panel(
        line, width=draws.between(0.5, 0.9), tone=draws.between(0.75, 1.2), worn=buttoned
    )
    points = ((-0.4, 0.8 * neck), (0.3, neck + 0.2), (drop + 1.6, 0.9), (drop, 0.2))
    collar = Panel(points, tone=draws.between(0.7, 1.6), mirrored=True, worn=buttoned)
    return [sleeve, body, shade, placket, collar]


def _body(
    shoulder: Number,
    width: Number,
    hem: Number,
    length: Number,
    neck: Number,
    drop: Number,
    slope: Number,
    tail: Number = 0.0,
) -> Panel:
    """The trunk: `neck` wide at the top, its line `drop` deep; shoulders `slope` lower than it.

    `tail`: how much higher the hem is at the sides.
    """
    return Panel(
        (
            (drop, _BEYOND),
            (drop, 0.35 * neck),
            (0.45 * drop, 0.85 * neck),
            (0.0, neck),
            (slope, shoulder),
            (_ARMPIT, width),
            (0.6 * length, 0.97 * width),
            (length - tail, hem),
            (length, 0.6 * hem),
            (length, _BEYOND),
        ),
        mirrored=True,
    )


def _sleeve(
    shoulder: Number,
    width: Number,
    slope: Number,
    upper: Column,
    lower: Column,
    length: Number,
    cuff: Number,
    worn: Worn = True,
    tone: Number = 1.0,
) -> Panel:
    """From shoulder and armpit outwards; `upper`, `lower`: arms' angles, π/2 hanging down."""
    elbow = (slope + 0.4 * length * np.sin(upper), shoulder + 0.4 * length * np.cos(upper))
    wrist = (elbow[0] + 0.6 * length * np.sin(lower), elbow[1] + 0.6 * length * np.cos(lower))
    inner = (wrist[0] + cuff * np.cos(lower), wrist[1] - cuff * np.sin(lower))
    bent = 0.6 * cuff + 1.4
    crook = (elbow[0] + bent * np.cos(lower), elbow[1] - bent * np.sin(lower))
    outline = (
        (0.6 * slope, 0.7 * shoulder),
        (slope, shoulder),
        elbow,
        wrist,
        inner,
        crook,
        (_ARMPIT, width),
        (_ARMPIT, 0.5 * width),
    )
    return Panel(outline, tone=tone, mirrored=True, worn=worn)


def _armhole(shoulder: Number, width: Number, slope: Number, tone: Column) -> Panel:
    """The seam between trunk and sleeve, down to the armpit."""
    line = ((slope, shoulder), (_ARMPIT, width))
    return Panel(line, width=0.65, tone=tone, mirrored=True)


def _shade(width: Number, hem: Number, length: Number, tone: Column, worn: Worn) -> Panel:
    """The shadow between trunk and sleeve, from the armpit down."""
    line = ((_ARMPIT - 1, width), (0.6 * length, width + 0.3), (length, hem + 0.5))
    return Panel(line, width=1.1, tone=tone, mirrored=True, worn=worn)


def _collar(neck: Number, drop: Number, worn: Worn, width: float) -> Panel:
    """A band along the neckline."""
    line = ((drop, 0.0), (drop, 0.35 * neck), (0.45 * drop, 0.85 * neck), (0.0, neck))
    return Panel(curve(line, closed=False), width=width, tone=0.8, mirrored=True, worn=worn)


def _print(draws: Draws, worn: Worn) -> Panel:
    """A patch on the chest."""
    top, wide = draws.between(6, 10), draws.between(2, 5)
    patch = ((top, _BEYOND), (top, wide), (top + wide, wide), (top + wide, _BEYOND))
    return Panel(patch, tone=draws.evenly(0.3, 1.5), mirrored=True, worn=worn)
