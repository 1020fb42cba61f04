"""Everything that can be done, by name and key: what the help shows and what buttons do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import pygame
from pygame.event import Event

from swarm_nca.perturbations import Restart
from swarm_nca.viewer import commands
from swarm_nca.viewer.faults import FAULTS
from swarm_nca.viewer.tools import TOOLS

if TYPE_CHECKING:
    from swarm_nca.viewer.app import App

#: Keys without a character of their own, and their names.
_NAMED = {
    pygame.K_LEFT: "left",
    pygame.K_RIGHT: "right",
    pygame.K_UP: "up",
    pygame.K_DOWN: "down",
    pygame.K_HOME: "home",
    pygame.K_END: "end",
    pygame.K_DELETE: "delete",
    pygame.K_BACKSPACE: "delete",
    pygame.K_ESCAPE: "escape",
    pygame.K_F1: "?",
    pygame.K_SPACE: "space",
}


class Action(NamedTuple):
    """Something that can be done.

    Attributes:
        keys: any of which does it; the first is shown.
        words: what it does, for the help and the tooltips.
    """

    keys: tuple[str, ...]
    words: str
    do: Callable[[App], None]
    heading: str

    @property
    def tip(self) -> str:
        """What it does, with its key."""
        return f"{self.words}  ({self.keys[0]})"


def key_of(event: Event) -> str:
    """A key press by name: its character, or a name for keys without one; `ctrl s` with control."""
    name = _NAMED.get(event.key)
    mods = getattr(event, "mod", 0)
    if name is not None:
        return f"shift {name}" if mods & pygame.KMOD_SHIFT else name
    if mods & (pygame.KMOD_CTRL | pygame.KMOD_META):
        return f"ctrl {chr(event.key)}" if 0 < event.key < 128 else ""
    return str(getattr(event, "unicode", ""))


def _tool(number: int) -> Callable[[App], None]:
    def choose(app: App) -> None:
        app.tool = TOOLS[number]

    return choose


def _jump(steps: int) -> Callable[[App], None]:
    def jump(app: App) -> None:
        if steps > 0 and app.session.step == app.session.reached:
            app.playing = False
            for _ in range(steps):
                app.session.advance()
        else:
            app.seek(app.session.step + steps)

    return jump


def _play(app: App) -> None:
    app.playing = not app.playing


def _restart(app: App) -> None:
    app.edit(Restart())


def _begin(app: App) -> None:
    app.seek(0)


def _end(app: App) -> None:
    app.seek(app.session.reached)


def _help(app: App) -> None:
    app.help = not app.help


def _escape(app: App) -> None:
    if app.help:
        app.help = False
    else:
        app.witness = None


ACTIONS = (
    Action(("space",), "Play or pause", _play, "Time"),
    Action((".", "right"), "One step", _jump(1), "Time"),
    Action((",", "left"), "One step back", _jump(-1), "Time"),
    Action(("shift left",), "Twenty steps back", _jump(-20), "Time"),
    Action(("shift right",), "Twenty steps on", _jump(20), "Time"),
    Action(("home",), "Back to the beginning", _begin, "Time"),
    Action(("end",), "To the latest moment", _end, "Time"),
    Action(("+", "="), "Faster", commands.nudge_speed(1), "Time"),
    Action(("-",), "Slower", commands.nudge_speed(-1), "Time"),
    *(Action((tool.key,), tool.tip, _tool(number), "Hand") for number, tool in enumerate(TOOLS)),
    Action(("]",), "A wider brush", commands.nudge("brush", 1), "Hand"),
    Action(("[",), "A finer brush", commands.nudge("brush", -1), "Hand"),
    Action(("c", "delete"), "Clear the canvas", lambda app: app.clear(), "World"),
    Action(("r",), "Restart: all cells forget everything", _restart, "World"),
    Action(("f",), "Fill the canvas with digits", lambda app: app.fill(), "World"),
    Action(("k",), "A canvas of another size", commands.next_side, "World"),
    *(Action((fault.key,), fault.words, fault.strike, "Disturb") for fault in FAULTS),
    Action(("b",), "Stronger faults", commands.nudge("strength", 1), "Disturb"),
    Action(("B",), "Weaker faults", commands.nudge("strength", -1), "Disturb"),
    Action(("u",), "More cells act in a step", commands.nudge("fire rate", 1), "Disturb"),
    Action(("U",), "Fewer cells act in a step", commands.nudge("fire rate", -1), "Disturb"),
    Action(("g",), "More noise in every change", commands.nudge("noise", 1), "Disturb"),
    Action(("G",), "Less noise in every change", commands.nudge("noise", -1), "Disturb"),
    Action(("w",), "Look at the next world of the batch", commands.next_world, "View"),
    Action(("v",), "Next view", commands.next_view(1), "View"),
    Action(("V",), "Previous view", commands.next_view(-1), "View"),
    Action(("n", "up"), "Next channel", commands.next_channel(1), "View"),
    Action(("N", "down"), "Previous channel", commands.next_channel(-1), "View"),
    Action(("h",), "Turn the colours", commands.nudge("hue", 1), "View"),
    Action(("H",), "Turn the colours back", commands.nudge("hue", -1), "View"),
    Action(("a",), "Another rule beside the first, or none", commands.next_beside, "View"),
    Action(("t",), "Light or dark", commands.next_theme, "View"),
    Action(("s",), "Save a screenshot (PNG)", commands.save_screenshot, "Keep"),
    Action(("o",), "Start or stop recording (WebP)", commands.toggle_recording, "Keep"),
    Action(("(",), "The span to film begins here, or not", commands.mark_in, "Keep"),
    Action((")",), "The span to film ends here, or not", commands.mark_out, "Keep"),
    Action(("O",), "Film the span, or the last steps (WebP)", commands.save_film(".webp"), "Keep"),
    Action(("ctrl o",), "Film it as a GIF", commands.save_film(".gif"), "Keep"),
    Action(("ctrl s", "y"), "Save the session as a scenario", commands.save_scenario, "Keep"),
    Action(("x",), "Save the states (NPZ)", commands.save_states, "Keep"),
    Action(("?",), "Help: all keys", _help, "Keep"),
    Action(("escape",), "Close", _escape, "Keep"),
)
