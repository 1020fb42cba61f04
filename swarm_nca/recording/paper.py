"""A sheet measured in pixels, on which every figure of a run is laid out.

Pictures of cells must lie on whole pixels, otherwise equal squares get different sizes. So figures
are composed in pixels, and matplotlib draws text and curves.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from swarm_nca.atomic import check_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Pixels per inch, which sets the size of text given in points. 144 is sharp on most screens.
DPI = 144

INK = "#1b1f24"
QUIET = "#68707a"
ACCENT = "#B3261E"
FAINT = "#d5d9de"

#: Colours that colour-blind readers can tell apart (Okabe and Ito 2008).
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#1b1f24")


#: Suffixes of figures' files.
SUFFIXES = (".png", ".pdf")


def check_figures(files: Iterable[Path]) -> None:
    """Raise a ValueError unless figures can be written to these files; see `Paper.file`."""
    for file in files:
        check_file(file)
        if file.suffix not in SUFFIXES:
            raise ValueError(f"{file}: name a figure that ends in {' or '.join(SUFFIXES)}")


class Paper:
    """White paper, `width` × `height` pixels, the origin at the top left."""

    def __init__(self, width: int, height: int) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.width, self.height = width, height
        self._figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
        self._canvas = FigureCanvasAgg(self._figure)

    def picture(self, x: float, y: float, rgb: npt.NDArray[np.uint8]) -> None:
        """Place an array [h, w, 3] pixel by pixel, its top left corner at (x, y)."""
        height = rgb.shape[0]
        self._figure.figimage(rgb, round(x), self.height - round(y) - height, origin="upper")

    def text(
        self,
        x: float,
        y: float,
        words: str,
        size: float = 9,
        color: str = INK,
        across: Literal["left", "center", "right"] = "left",
        **font: Any,
    ) -> None:
        """Write text whose baseline starts, is centred or ends at (x, y); size in points."""
        self._figure.text(
            x / self.width,
            1 - y / self.height,
            words,
            size=size,
            color=color,
            ha=across,
            va="baseline",
            parse_math=False,
            **font,
        )

    def line(
        self, x0: float, y0: float, x1: float, y1: float, color: str = FAINT, width: float = 0.8
    ) -> None:
        """Draw a straight line; width in points."""
        from matplotlib.lines import Line2D

        across = [x0 / self.width, x1 / self.width]
        down = [1 - y0 / self.height, 1 - y1 / self.height]
        line = Line2D(across, down, color=color, linewidth=width)
        line.set_transform(self._figure.transFigure)
        self._figure.add_artist(line)

    def frame(self, x: float, y: float, rgb: npt.NDArray[np.uint8]) -> None:
        """A hairline around a picture placed at (x, y), so that white pictures have an edge."""
        right, bottom = x + rgb.shape[1], y + rgb.shape[0]
        for ends in ((x, y, right, y), (x, bottom, right, bottom)):
            self.line(*ends)
        for ends in ((x, y, x, bottom), (right, y, right, bottom)):
            self.line(*ends)

    def chip(self, x: float, y: float, side: float, color: tuple[int, int, int]) -> None:
        """A small square of a class's colour, with an outline for pale colours."""
        square = np.full((round(side), round(side), 3), 120, np.uint8)
        square[2:-2, 2:-2] = color
        self.picture(x, y, square)

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        """Axes that span these pixels, without a box, with a light grid."""
        place = (
            x / self.width,
            1 - (y + height) / self.height,
            width / self.width,
            height / self.height,
        )
        axes = self._figure.add_axes(place)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        for side in ("left", "bottom"):
            axes.spines[side].set_color(QUIET)
        axes.tick_params(labelsize=7.5, colors=QUIET, length=3)
        axes.grid(color="#eceef1", linewidth=0.7)
        axes.set_axisbelow(True)
        return axes

    def png(self) -> bytes:
        """The finished sheet as a PNG file."""
        from PIL import Image

        self._canvas.draw()  # type: ignore[no-untyped-call]
        pixels = np.asarray(self._canvas.buffer_rgba())[..., :3]  # type: ignore[no-untyped-call]
        file = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(pixels)).save(file, "png")
        return file.getvalue()

    def pdf(self) -> bytes:
        """The finished sheet as a PDF file with vector lines and text."""
        import matplotlib

        file = io.BytesIO()
        # Type 42 keeps text searchable; without a date the bytes are reproducible.
        with matplotlib.rc_context({"pdf.fonttype": 42}):
            self._figure.savefig(file, format="pdf", metadata={"CreationDate": None})
        return file.getvalue()

    def file(self, suffix: str) -> bytes:
        """The finished sheet as a file with one of `SUFFIXES`."""
        return self.pdf() if suffix == ".pdf" else self.png()


def draw_key(
    axes: Axes,
    anchor: tuple[float, float],
    columns: int,
    *,
    size: float = 8.5,
    corner: Literal["upper left", "lower right"] = "upper left",
    handlelength: float = 2.0,
    columnspacing: float = 2.0,
) -> None:
    """The names of all lines, without a frame.

    Args:
        anchor: the place of the key's `corner`, in shares of the width and height of the axes.
        columns: most names in one line.
        size: of the text, in points.
        handlelength, columnspacing: length of a sample and room between columns, in sizes of text.
    """
    axes.legend(
        loc=corner,
        bbox_to_anchor=anchor,
        ncols=columns,
        frameon=False,
        fontsize=size,
        labelcolor=INK,
        borderpad=0,
        borderaxespad=0,
        handlelength=handlelength,
        columnspacing=columnspacing,
    )
