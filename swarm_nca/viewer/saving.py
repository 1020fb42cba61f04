"""What a session leaves behind: a scenario that repeats it, pictures, states, films."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from swarm_nca.config import dump, path_from, relocated
from swarm_nca.recording import Frame
from swarm_nca.recording.folder import states_npz
from swarm_nca.render import Rgb, png
from swarm_nca.rules import shipped_rules
from swarm_nca.viewer.samples import plain
from swarm_nca.viewer.session import Session

#: The formats of moving pictures.
MOVING = (".webp", ".gif")


def scenario_text(session: Session, folder: Path) -> str:
    """The session up to its latest moment as a scenario, which `swarm-nca run` repeats.

    Args:
        folder: where it will be saved: paths are told relative to it.

    Raises:
        ValueError: an empty canvas, on which nothing can run.
    """
    if session.waiting:
        raise ValueError("nobody lives on the canvas: draw something first, then save")
    opening = session.opening
    data = relocated(dict(opening.settings), opening.folder, folder)
    rule = opening.rule_name
    if isinstance(rule, str) and rule not in shipped_rules():
        rule = path_from(folder, opening.folder, rule)
    deeds: list[dict[str, Any]] = []
    for deed in session.plan:
        spelled = {"at": deed.at, "kind": deed.spelled.kind, **plain(deed.spelled)}
        deeds.append(relocated(spelled, opening.folder, folder))
    latest = max([session.reached, *(deed.at + 1 for deed in session.plan)])
    name = "session" if not opening.steps else f"{opening.name}-session"
    whole = {
        "name": name,
        **data,
        "rule": rule if isinstance(rule, str) else dict(rule),
        "steps": max(latest, opening.steps, 1),
        "perturbations": deeds,
    }
    if opening.expect:
        whole["expect"] = [one.model_dump(exclude_none=True) for one in opening.expect]
    return dump(whole)


def states_bytes(session: Session) -> bytes:
    """The present states as a NumPy archive; see `states_npz`."""
    return states_npz([Frame(session.step, session.world)])


def picture_bytes(frame: Rgb) -> bytes:
    """One frame as a PNG file."""
    return png(frame)


def moving_bytes(frames: Sequence[Rgb], kind: str, milliseconds: int | Sequence[int] = 33) -> bytes:
    """Frames as a moving picture that loops.

    Args:
        kind: `.webp` or `.gif`.
        milliseconds: how long a frame stays, or each of them.

    Raises:
        ValueError: no frame, or another kind.
    """
    if not frames:
        raise ValueError("there is no frame to save yet")
    if kind not in MOVING:
        raise ValueError(f"a moving picture is {' or '.join(MOVING)}, got {kind!r}")
    images = [Image.fromarray(frame) for frame in frames]
    if kind == ".gif":
        # One palette for all: a tenth of the time, a third of the size of one for each.
        palette = _palette(images)
        images = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    file = io.BytesIO()
    # Few whole pictures between the changes, and little search: quick, and small enough.
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
    """256 colours that a film gets along with, from up to 16 of its pictures, side by side."""
    chosen = images[:: -(-len(images) // 16)]
    width, height = images[0].size
    strip = Image.new("RGB", (width * len(chosen), height))
    for number, image in enumerate(chosen):
        strip.paste(image, (number * width, 0))
    return strip.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)


def free_name(folder: Path, stem: str, ending: str) -> Path:
    """The first of stem-1, stem-2, … that no file has yet."""
    number = 1
    while (path := folder / f"{stem}-{number}{ending}").exists():
        number += 1
    return path
