"""The pictures of a run folder by file name. To add one, write a function and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from swarm_nca.recording.animation import animation_webp
from swarm_nca.recording.channels import channels_png
from swarm_nca.recording.run import Run
from swarm_nca.recording.spacetime import is_row, row_channels_png
from swarm_nca.recording.summary import summary_png


def _channels(run: Run) -> bytes:
    return row_channels_png(run) if is_row(run.frames[0].world) else channels_png(run)


PICTURES: Mapping[str, Callable[[Run], bytes]] = {
    "run.webp": animation_webp,
    "summary.png": summary_png,
    "channels.png": _channels,
}


def pictures_of(run: Run) -> dict[str, bytes]:
    """Every picture of a run with frames, as the bytes of its file."""
    return {name: draw(run) for name, draw in PICTURES.items()}
