"""Patterns of shoes and bags: sandal, sneaker, bag and ankle boot.

Shoes are drawn from the side, with the toe at column 0 and the heel at about column 28; a row is a
distance below the highest shaft. Bags are upright and symmetric about column 0.
"""

from __future__ import annotations

import numpy as np

from swarm_nca.images.draws import Draws
from swarm_nca.images.sewing import Panel, Point, curve

_BEYOND = -4.0  # halves of an area extend across the axis, so that there is no visible seam


def sandal(draws: Draws) -> list[Panel]:
    """A sole with straps; flat, with a wedge or with a thin heel."""
    kind = draws.evenly()
    raised, thin = kind > 0.5, kind > 0.75
    rise = np.where(~raised, draws.between(0, 1.5), draws.between(4, 12))
    ground = 20.0
    ball = draws.between(8, 11)
    toe, heel = (ground - 1.2, 0.5), (ground - 1.2 - rise, 26.5)
    middle = (ground - 1.2 - 0.45 * rise, 18.0)
    line: tuple[Point, ...] = (toe, (ground - 1, ball), middle, heel)
    sole = Panel(
        curve(line, closed=False), width=draws.between(1.6, 4.2), tone=draws.between(0.6, 1.1)
    )
    base = (*line[1:], (ground, 26.0), (ground, ball))
    wedge = Panel(base, tone=draws.between(0.7, 1.1), worn=raised & ~thin)
    tip = 26.5 - draws.between(0, 2)
    stiletto = Panel((heel, (ground, tip)), width=draws.between(1.0, 3.5), tone=0.95, worn=thin)
    width, height = draws.between(1.6, 4.4), draws.between(3.0, 6.5)
    front = draws.between(3, 6)
    loop = (
        (ground - 1.5, front),
        (ground - 1 - height, front + 2.5),
        (ground - 1.2, front + 5.5),
    )
    toe_strap = Panel(curve(loop, closed=False), width=width, tone=draws.between(0.8, 1.2))
    above = ground - 1.2 - rise
    up = draws.between(5, 9)
    ankle = (
        (above - 0.5, 26.0),
        (above - up, 26.0),
        (above - up + 0.8, 20.0),
        (above + 0.3 * rise - 0.5, 18.5),
    )
    ankle_strap = Panel(
        curve(ankle, closed=False), width=draws.between(1.2, 2.6), worn=draws.chance(0.75)
    )
    across = ((ground - 1 - height, front + 2.5), (above - up + 1, 20.0))
    thong = Panel(across, width=draws.between(1.2, 2.4), worn=draws.chance(0.5))
    back = Panel(((above, 16.0), (above - 0.6 * up, 18.5)), width=1.8, worn=draws.chance(0.3))
    return [wedge, stiletto, sole, toe_strap, thong, ankle_strap, back]


def sneaker(draws: Draws) -> list[Panel]:
    """A low shoe with a rubber sole, laces, and marks on the side."""
    high = draws.between(9.5, 14.5)
    ground = 14.0
    top = ground - high
    tongue, dip = draws.between(14, 17.5), draws.between(0.8, 2.4)
    upper = curve(
        (
            (ground - 0.8, 0.3),
            (ground - draws.between(3.6, 5.0), 1.8),
            (ground - 0.58 * high, 8.0),
            (top + 0.2, tongue),
            (top + dip, 21.5),
            (top + draws.between(0, 1.4), 26.6),
            (ground - 4.5, 27.6),
            (ground - 0.8, 27.4),
        )
    )
    thick = draws.between(1.6, 3.0)
    sole = ((ground - thick, 0.3), (ground - thick, 27.8), (ground, 27.0), (ground, 1.5))
    rubber = Panel(sole, tone=draws.evenly(0.1, 1.15))
    line = ((ground - thick, 0.6), (ground - thick, 27.6))
    welt = Panel(line, width=0.7, tone=draws.evenly(0.5, 1.2))
    laces = [
        Panel(
            ((top + 1.6 + 1.1 * i, tongue - 1.5 - 2.0 * i), (top + 4.0 + i, tongue + 1.2 - 2 * i)),
            width=0.8,
            tone=draws.evenly(0.5, 1.2),
            worn=draws.chance(0.6),
        )
        for i in range(3)
    ]
    lean = draws.between(-3, 3)
    marks = [
        Panel(
            ((top + 5, 17.0 + step + lean), (ground - thick, 15.0 + step)),
            width=draws.between(0.7, 1.6),
            tone=draws.evenly(0.3, 1.3),
            worn=draws.chance(0.45),
        )
        for step in (0.0, 2.8)
    ]
    cap = Panel(
        ((top + 3.5, 24.5), (ground - thick, 23.5)), width=0.7, tone=0.7, worn=draws.chance(0.5)
    )
    return [Panel(upper), rubber, welt, *laces, *marks, cap]


def bag(draws: Draws) -> list[Panel]:
    """A wide or tall bag with or without a handle."""
    wide, tall = draws.between(9, 14.5), draws.between(11, 21)
    top_wide = wide * draws.between(0.82, 1.1)
    corner = draws.between(0.3, 2.5)
    body = (
        (0.0, _BEYOND),
        (0.0, top_wide - corner),
        (corner, top_wide),
        (tall - corner, wide),
        (tall, wide - corner),
        (tall, _BEYOND),
    )
    span, up = top_wide * draws.between(0.3, 0.75), draws.between(4, 16)
    arch = ((1.0, span), (-0.55 * up, 0.92 * span), (-0.92 * up, 0.5 * span), (-up, 0.0))
    handle = Panel(
        curve(arch, closed=False),
        width=draws.between(0.9, 1.8),
        tone=draws.evenly(0.7, 1.2),
        mirrored=True,
        worn=draws.chance(0.8),
    )
    flap_depth = tall * draws.between(0.25, 0.6)
    flap = Panel(
        ((flap_depth, 0.0), (flap_depth, 0.55 * wide), (0.0, top_wide - 0.5)),
        width=0.7,
        tone=draws.evenly(0.5, 1.15),
        mirrored=True,
        worn=draws.chance(0.45),
    )
    zipped = Panel(
        ((1.6, 0.0), (1.6, top_wide - 1)),
        width=0.7,
        tone=draws.evenly(0.5, 1.15),
        mirrored=True,
        worn=draws.chance(0.5),
    )
    clasp = Panel(
        ((flap_depth - 0.6, 0.0), (flap_depth + 0.6, 0.0)),
        width=1.8,
        tone=draws.evenly(0.2, 1.2),
        worn=draws.chance(0.45),
    )
    seam = Panel(
        ((1.0, 0.55 * top_wide), (tall - 1, 0.6 * wide)),
        width=0.7,
        tone=draws.between(0.7, 1.1),
        mirrored=True,
        worn=draws.chance(0.35),
    )
    return [handle, Panel(body, mirrored=True), flap, zipped, seam, clasp]


def ankle_boot(draws: Draws) -> list[Panel]:
    """A shaft up to the ankle, a foot to the left, and a flat, thick or thin heel."""
    high = draws.chance(0.55)
    heel = np.where(high, draws.between(3.5, 8.5), draws.between(1.0, 2.2))
    ground = 26.0
    shaft = ground - 13 - heel * 0.8 - draws.between(1, 8)
    front, ankle = draws.between(12.5, 15.0), ground - 7.5 - 0.7 * heel
    sole = ground - 0.6 - heel
    foot = curve(
        (
            (ground - 0.6, 1.0),
            (ground - 3.2, 0.6),
            (ground - 5.2, 5.0),
            (ankle, front - 1.2),
            ((shaft + ankle) / 2, front),
        ),
        closed=False,
    )
    outline = (
        *foot,
        (shaft, front - draws.between(-0.5, 1.2)),
        (shaft + draws.between(-0.5, 0.8), 25.6),
        ((shaft + sole) / 2, 25.0),
        (sole - 2, 26.6),
        (sole, 26.3),
        (sole + 0.3 * heel, 19.0),
        (ground, 11.0),
        (ground, 1.5),
    )
    block = draws.between(2.5, 8.5)
    tip = draws.between(0, 1.2)
    stilt = (
        (sole - 1.0, 26.6),
        (ground, 26.4 - tip),
        (ground, 26.4 - tip - 0.8 * block),
        (sole, 26.0 - block),
    )
    heeled = Panel(stilt, tone=draws.evenly(0.7, 1.1))
    welt = Panel(
        ((ground - 1.2, 0.8), (ground - 1.2, 11.5), (sole + 0.2, 19.5), (sole - 0.6, 26.0)),
        width=draws.between(0.7, 1.4),
        tone=draws.evenly(0.35, 1.05),
        worn=draws.chance(0.7),
    )
    gusset = Panel(
        ((shaft + 0.5, 18.0), (ankle + 1, 19.0), (shaft + 0.5, 22.0)),
        tone=draws.between(0.7, 1.15),
        worn=draws.chance(0.4),
    )
    strap = Panel(
        ((ankle, front - 0.5), (ankle - 0.5, 25.2)),
        width=draws.between(0.7, 1.6),
        tone=draws.evenly(0.6, 1.15),
        worn=draws.chance(0.35),
    )
    return [Panel(outline), heeled, gusset, strap, welt]
