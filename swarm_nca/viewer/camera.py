"""The camera: how large the picture is painted, and which part of it is in the middle."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pygame import Rect

from swarm_nca.viewer.layout import fitted

Point = tuple[int, int]

#: The change of the zoom per notch of the wheel, and the fewest cells across a pane.
NOTCH, _FEWEST = 1.25, 4


@dataclass(frozen=True)
class Camera:
    """A zoom and a place; the default shows the whole picture.

    Attributes:
        zoom: 1 for the whole picture; larger is closer.
        row, column: the part of the picture in the middle of the pane, as shares in [0, 1] of its
            height and width.
    """

    zoom: float = 1.0
    row: float = 0.5
    column: float = 0.5

    def place(self, pane: Rect, rows: int, columns: int) -> Rect:
        """The place of a whole picture of this many pixels; may extend beyond the pane.

        The picture covers the pane where it is larger, and stands in its middle otherwise.
        """
        whole = fitted(pane, rows, columns)
        if self.zoom <= 1.0:
            return whole
        factor = whole.width / columns * self.zoom
        factor = round(factor) if factor >= 2 else factor
        place = Rect(0, 0, max(1, round(columns * factor)), max(1, round(rows * factor)))
        place.left = _start(pane.left, pane.width, place.width, self.column)
        place.top = _start(pane.top, pane.height, place.height, self.row)
        return place

    def zoomed(self, notches: int, pane: Rect, extent: tuple[int, int], point: Point) -> Camera:
        """Closer (1) or farther (−1); the cell under the point stays there.

        Args:
            extent: (rows, columns) of the picture.
        """
        before = self.place(pane, *extent)
        most = max(1.0, min(pane.size) / _FEWEST / (before.width / extent[1] / self.zoom))
        zoom = min(max(self.zoom * NOTCH**notches, 1.0), most)
        after = replace(self, zoom=zoom).place(pane, *extent)
        left = point[0] - (point[0] - before.left) / before.width * after.width
        top = point[1] - (point[1] - before.top) / before.height * after.height
        return Camera(zoom)._toward(left, top, pane, extent)

    def moved(self, across: int, down: int, pane: Rect, extent: tuple[int, int]) -> Camera:
        """The picture moved by so many pixels of the window, as far as it covers the pane."""
        place = self.place(pane, *extent)
        return self._toward(place.left + across, place.top + down, pane, extent)

    def _toward(self, left: float, top: float, pane: Rect, extent: tuple[int, int]) -> Camera:
        size = self.place(pane, *extent).size
        column, row = (pane.centerx - left) / size[0], (pane.centery - top) / size[1]
        place = replace(self, row=row, column=column).place(pane, *extent)
        column = (pane.centerx - place.left) / place.width
        return replace(self, column=column, row=(pane.centery - place.top) / place.height)


#: The whole picture.
WHOLE = Camera()


def _start(start: int, room: int, length: int, middle: float) -> int:
    """Where a picture of some length starts on one side of a pane."""
    if length <= room:
        return start + (room - length) // 2
    wanted = round(start + room / 2 - middle * length)
    return min(start, max(start + room - length, wanted))
