"""Saved results of a session: a scenario that repeats it, pictures, states, films."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from swarm_nca.config import dump, folder_name, relocated
from swarm_nca.recording import Frame
from swarm_nca.recording.folder import states_npz
from swarm_nca.render import Rgb, png
from swarm_nca.rules import shipped_rules
from swarm_nca.viewer.samples import plain
from swarm_nca.viewer.session import Session

#: Endings of films.
MOVING = (".webp", ".gif")


def scenario_text(session: Session, folder: Path) -> str:
    """The session up to its latest step as a scenario that `swarm-nca run` repeats.

    Args:
        folder: of the file; paths are written relative to it.

    Raises:
        ValueError: no cell is alive.
    """
    if session.waiting:
        raise ValueError("no cell is alive on the canvas: draw something first, then save")
    opening = session.opening
    rule = opening.rule_name
    latest = max([session.reached, *(edit.at + 1 for edit in session.plan)])
    whole = {
        "name": folder_name(opening.name, "-session") if opening.steps else "session",
        **opening.settings,
        "rule": rule if isinstance(rule, str) else dict(rule),
        "steps": max(latest, opening.steps, 1),
        "perturbations": [
            {"at": edit.at, "kind": edit.spelled.kind, **plain(edit.spelled)}
            for edit in session.plan
        ],
    }
    if opening.expect:
        whole["expect"] = [expect.model_dump(exclude_none=True) for expect in opening.expect]
    return dump(relocated(whole, opening.folder, folder, shipped_rules()))


def states_bytes(session: Session) -> bytes:
    """The present states as a NumPy archive; see `states_npz`."""
    return states_npz([Frame(session.step, session.world)])


def picture_bytes(frame: Rgb) -> bytes:
    """One frame as a PNG file."""
    return png(frame)


def moving_bytes(frames: Sequence[Rgb], kind: str, milliseconds: int | Sequence[int] = 33) -> bytes:
    """Frames as the bytes of a looping film.

    Args:
        kind: `.webp` or `.gif`.
        milliseconds: duration of every frame, or of each one.

    Raises:
        ValueError: no frame, or another kind.
    """
    if not frames:
        raise ValueError("a film needs at least one frame, got none")
    if kind not in MOVING:
        raise ValueError(f"a film is {' or '.join(MOVING)}, got {kind!r}")
    images = [Image.fromarray(frame) for frame in frames]
    if kind == ".gif":
        # One common palette: a tenth of the time and a third of the size of one per frame.
        palette = _palette(images)
        images = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    file = io.BytesIO()
    # Few key frames and little search: fast, and small enough.
    options: dict[str, Any] = {
        "lossless": True,
        "quality": 10,
        "method": 1,
        "kmin": 100,
        "kmax": 200,
    }
    images[0].save(
        file,
        kind[1:],
        save_all=True,
        append_images=images[1:],
        duration=milliseconds if isinstance(milliseconds, int) else list(milliseconds),
        loop=0,
        **(options if kind == ".webp" else {}),
    )
    return file.getvalue()


def _palette(images: Sequence[Image.Image]) -> Image.Image:
    """256 colours for a film, from up to 16 of its pictures side by side."""
    chosen = images[:: -(-len(images) // 16)]
    width, height = images[0].size
    strip = Image.new("RGB", (width * len(chosen), height))
    for number, image in enumerate(chosen):
        strip.paste(image, (number * width, 0))
    return strip.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)


def free_name(folder: Path, stem: str, ending: str) -> Path:
    """The first of stem-1, stem-2, … that does not exist yet."""
    number = 1
    while (path := folder / f"{stem}-{number}{ending}").exists():
        number += 1
    return path
