"""The layout for any size of window: rails left and right, time below, canvas in the middle.

Lengths are given for 1280 × 720 and scaled by one factor.
"""

from __future__ import annotations

from dataclasses import dataclass

from pygame import Rect

#: The size for which lengths are given, and the smallest readable size.
DESIGN, SMALLEST = (1280, 720), (960, 540)

_HEAD, _FOOT, _LEFT, _RIGHT, _MARGIN = 52, 104, 216, 324, 16

#: The room below the canvas for its answer, a scale or a notice.
_BELOW = 38

#: The line above each of two canvases, and the room between them.
TITLE, _APART = 22, 20


@dataclass(frozen=True)
class Layout:
    """Places on the window.

    Attributes:
        scale: pixels per pixel of the design.
        head, left, right, foot: the bars along the edges.
        views: the line of view buttons above the canvas.
        stage: the space left for the canvas.
    """

    scale: float
    window: Rect
    head: Rect
    left: Rect
    right: Rect
    foot: Rect
    views: Rect
    stage: Rect

    def px(self, length: float) -> int:
        """A length of the design in pixels."""
        return round(length * self.scale)

    def panes(self, count: int) -> tuple[Rect, ...]:
        """Places for one canvas, or for two, each with a line above for the rule's name."""
        stage, title, apart = self.stage, self.px(TITLE), self.px(_APART)
        if count == 1:
            return (stage,)
        across = Rect(stage.topleft, ((stage.width - apart) // 2, stage.height))
        down = Rect(stage.topleft, (stage.width, (stage.height - apart) // 2))
        wide = min(across.width, across.height - title) >= min(down.width, down.height - title)
        first = across if wide else down
        second = first.move((across.width + apart, 0) if wide else (0, down.height + apart))
        return tuple(
            Rect(pane.left, pane.top + title, pane.width, pane.height - title)
            for pane in (first, second)
        )

    def rail(self, inspects: bool) -> tuple[Rect, Rect, Rect]:
        """The places of vote, curves and inspector, one below the other.

        Args:
            inspects: whether the inspector shows something; if not, vote and curves get more room.
        """
        bar, px = self.right, self.px
        vote, cell = (px(178), px(204)) if inspects else (px(214), px(76))
        gap, left, width = px(12), bar.left + px(16), bar.width - px(36)
        top = bar.top + px(12)
        curves = min(bar.bottom - top - vote - cell - px(6), px(340))
        return (
            Rect(left, top, width, vote - gap),
            Rect(left, top + vote, width, curves - gap),
            Rect(left, top + vote + curves, width, cell),
        )

    def canvas(self, rows: int, columns: int, count: int = 1) -> Rect:
        """The place of a picture of this many pixels, or of the first of two."""
        return fitted(self.panes(count)[0], rows, columns)


def fitted(pane: Rect, rows: int, columns: int) -> Rect:
    """The place of a picture in a pane, at a whole number of screen pixels per pixel if it fits."""
    factor = min(pane.width / columns, pane.height / rows)
    if factor >= 1:
        factor = int(factor)
    place = Rect(0, 0, max(1, round(columns * factor)), max(1, round(rows * factor)))
    place.center = pane.center
    return place


def layout_of(size: tuple[int, int]) -> Layout:
    """The layout of a window."""
    width, height = size
    scale = max(0.25, min(width / DESIGN[0], height / DESIGN[1]))

    def px(length: float) -> int:
        return round(length * scale)

    head = Rect(0, 0, width, px(_HEAD))
    foot = Rect(0, height - px(_FOOT), width, px(_FOOT))
    between = foot.top - head.bottom
    left = Rect(0, head.bottom, px(_LEFT), between)
    right = Rect(width - px(_RIGHT), head.bottom, px(_RIGHT), between)
    margin = px(_MARGIN)
    middle = Rect(left.right, head.bottom, right.left - left.right, between)
    views = Rect(middle.left + margin, middle.top + px(10), middle.width - 2 * margin, px(30))
    top = views.bottom + px(10)
    stage = Rect(views.left, top, views.width, middle.bottom - top - px(_BELOW))
    return Layout(scale, Rect(0, 0, width, height), head, left, right, foot, views, stage)
