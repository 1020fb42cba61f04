"""The table of actions with their keys: the help shows it, buttons and keys use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import pygame
from pygame.event import Event

from swarm_nca.viewer import commands
from swarm_nca.viewer.faults import FAULTS
from swarm_nca.viewer.tools import TOOLS

if TYPE_CHECKING:
    from swarm_nca.viewer.app import App

#: Names of keys without a character.
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
    pygame.K_F11: "f11",
    pygame.K_PAGEUP: "page up",
    pygame.K_PAGEDOWN: "page down",
    pygame.K_SPACE: "space",
    pygame.K_RETURN: "enter",
    pygame.K_KP_ENTER: "enter",
}


class Action(NamedTuple):
    """An action.

    Attributes:
        keys: each of them starts the action; the first is shown.
        words: the effect, for the help and the tooltips.
        do: applies it to an app.
        heading: its section of the help.
    """

    keys: tuple[str, ...]
    words: str
    do: Callable[[App], None]
    heading: str

    @property
    def tip(self) -> str:
        """The tooltip: the effect, and the key in brackets."""
        return f"{self.words}  ({self.keys[0]})"


def key_of(event: Event) -> str:
    """The name of a key press: its character, or a name such as `left`; `ctrl s` with control."""
    name = _NAMED.get(event.key)
    mods = getattr(event, "mod", 0)
    if name is not None:
        return f"shift {name}" if mods & pygame.KMOD_SHIFT else name
    if mods & (pygame.KMOD_CTRL | pygame.KMOD_META):
        shift = "shift " if mods & pygame.KMOD_SHIFT else ""
        return f"ctrl {shift}{chr(event.key)}" if 0 < event.key < 128 else ""
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


def _begin(app: App) -> None:
    app.seek(0)


def _end(app: App) -> None:
    app.seek(app.session.reached)


def _help(app: App) -> None:
    app.help = not app.help


def _escape(app: App) -> None:
    if app.help:
        app.help = False
    elif app.witness is not None:
        app.witness = None
    else:
        app.full_screen = False


ACTIONS = (
    Action(("space",), "Play or pause", _play, "Time"),
    Action((".", "right"), "One step forward", _jump(1), "Time"),
    Action((",", "left"), "One step back", _jump(-1), "Time"),
    Action(("shift left",), "20 steps back", _jump(-20), "Time"),
    Action(("shift right",), "20 steps forward", _jump(20), "Time"),
    Action(("home",), "Go to step 0", _begin, "Time"),
    Action(("end",), "Go to the latest step", _end, "Time"),
    Action(("+", "="), "Faster", commands.nudge_speed(1), "Time"),
    Action(("-",), "Slower", commands.nudge_speed(-1), "Time"),
    *(Action((tool.key,), tool.tip, _tool(number), "Tools") for number, tool in enumerate(TOOLS)),
    Action(("ctrl z",), "Undo the last change", commands.undo, "Tools"),
    Action(("ctrl y", "ctrl shift z"), "Redo the change undone", commands.redo, "Tools"),
    Action(("]",), "Larger brush", commands.nudge("brush", 1), "Tools"),
    Action(("[",), "Smaller brush", commands.nudge("brush", -1), "Tools"),
    Action(("ctrl p",), "Open a rule or a scenario", commands.open_picker, "World"),
    Action(("c", "delete"), "Clear the canvas", lambda app: app.clear(), "World"),
    Action(("f",), "Fill the canvas with digits", lambda app: app.fill(), "World"),
    Action(("k",), "New canvas of the next size", commands.next_side, "World"),
    *(Action((fault.key,), fault.words, fault.strike, "Disturb") for fault in FAULTS),
    Action(("b",), "Stronger faults", commands.nudge("strength", 1), "Disturb"),
    Action(("B",), "Weaker faults", commands.nudge("strength", -1), "Disturb"),
    Action(("u",), "Higher fire rate", commands.nudge("fire rate", 1), "Disturb"),
    Action(("U",), "Lower fire rate", commands.nudge("fire rate", -1), "Disturb"),
    Action(("g",), "More noise", commands.nudge("noise", 1), "Disturb"),
    Action(("G",), "Less noise", commands.nudge("noise", -1), "Disturb"),
    Action(("w",), "Show the next world of the batch", commands.next_world, "View"),
    Action(("page up",), "Zoom in", commands.zoom(1), "View"),
    Action(("page down",), "Zoom out", commands.zoom(-1), "View"),
    Action(("ctrl 0",), "Show the whole canvas", commands.zoom(0), "View"),
    Action(("f11",), "Full screen, or window", commands.toggle_full_screen, "View"),
    Action(("v",), "Next view", commands.next_view(1), "View"),
    Action(("V",), "Previous view", commands.next_view(-1), "View"),
    Action(("n", "up"), "Next channel", commands.next_channel(1), "View"),
    Action(("N", "down"), "Previous channel", commands.next_channel(-1), "View"),
    Action(("h",), "Rotate the class colours", commands.nudge("hue", 1), "View"),
    Action(("H",), "Rotate the class colours back", commands.nudge("hue", -1), "View"),
    Action(("a",), "Second rule: the next one, or none", commands.next_beside, "View"),
    Action(("t",), "Light or dark theme", commands.next_theme, "View"),
    Action(("s",), "Save a screenshot (PNG)", commands.save_screenshot, "Save"),
    Action(("o",), "Start or stop recording (WebP)", commands.toggle_recording, "Save"),
    Action(("(",), "Mark or unmark a film's start", commands.mark_in, "Save"),
    Action((")",), "Mark or unmark a film's end", commands.mark_out, "Save"),
    Action(("O",), "Film marked or latest steps (WebP)", commands.save_film(".webp"), "Save"),
    Action(("ctrl o",), "Film marked or latest steps (GIF)", commands.save_film(".gif"), "Save"),
    Action(("ctrl s", "y"), "Save the session as a scenario", commands.save_scenario, "Save"),
    Action(("x",), "Save the states (NPZ)", commands.save_states, "Save"),
    Action(("?",), "Show or hide this help", _help, "Save"),
    Action(("escape",), "Close the help or the inspector", _escape, "Save"),
)
