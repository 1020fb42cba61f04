"""A real screen for tests: Xvfb, and the few requests of the X protocol that replace a user.

Events go through the server to the window under the pointer, as from a mouse (XTEST extension);
pictures come from the server, not from the app.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from swarm_nca.render import Rgb

SIZE = (1600, 900)

#: Opcodes of requests, and XTEST's kinds of events.
CONFIGURE_WINDOW, QUERY_TREE, INTERN_ATOM, SEND_EVENT, GET_IMAGE, QUERY_EXTENSION = (
    12,
    15,
    16,
    25,
    73,
    98,
)
KEY_DOWN, KEY_UP, BUTTON_DOWN, BUTTON_UP, MOTION = 2, 3, 4, 5, 6


class Screen:
    """A user in front of a screen: moves, clicks, types, and looks."""

    def __init__(self, display: str) -> None:
        self.display = display
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(f"/tmp/.X11-unix/X{display.removeprefix(':')}")
        self._send(struct.pack("<BxHHHHxx", ord("l"), 11, 0, 0, 0))
        accepted, length = struct.unpack("<BxxxxxH", self._read(8))
        assert accepted == 1
        setup = self._read(4 * length)
        vendor, formats = struct.unpack_from("<16xH3xB", setup)
        self.root = struct.unpack_from("<I", setup, 32 + (vendor + 3) // 4 * 4 + 8 * formats)[0]
        reply = self._ask(QUERY_EXTENSION, 0, struct.pack("<Hxx8s", 5, b"XTEST"))
        present, self._xtest = reply[8], reply[9]
        assert present

    def close(self) -> None:
        self._socket.close()

    def look(self) -> Rgb:
        """The whole screen, uint8 [H, W, 3]."""
        body = struct.pack("<IhhHHI", self.root, 0, 0, *SIZE, 0xFFFFFFFF)
        pixels = np.frombuffer(self._ask(GET_IMAGE, 2, body)[32:], np.uint8)
        shown: npt.NDArray[np.uint8] = pixels.reshape(SIZE[1], SIZE[0], 4)[:, :, 2::-1]
        return shown

    def wait(self, seen: Callable[[Rgb], bool]) -> Rgb:
        """Wait until `seen` holds for the screen; returns the screen."""
        until = time.monotonic() + 120
        while not seen(shot := self.look()):
            assert time.monotonic() < until, "never seen"
            time.sleep(0.05)
        return shot

    def move(self, place: tuple[int, int]) -> None:
        self._fake(MOTION, 0, place)

    def press(self, place: tuple[int, int], button: int = 1) -> None:
        self.move(place)
        self._fake(BUTTON_DOWN, button)

    def release(self, button: int = 1) -> None:
        self._fake(BUTTON_UP, button)

    def click(self, place: tuple[int, int], button: int = 1) -> None:
        self.press(place, button)
        self.release(button)

    def drag(self, *places: tuple[int, int]) -> None:
        self.press(places[0])
        for place in places[1:]:
            time.sleep(0.02)
            self.move(place)
        self.release()

    def window(self) -> int | None:
        """The only window, if there is one."""
        reply = self._ask(QUERY_TREE, 0, struct.pack("<I", self.root))
        count = struct.unpack_from("<H", reply, 16)[0]
        return struct.unpack_from("<I", reply, 32)[0] if count else None

    def resize(self, window: int, size: tuple[int, int]) -> None:
        """Resize a window and move it to the screen's corner."""
        self._send_request(CONFIGURE_WINDOW, 0, struct.pack("<IHxxiiII", window, 15, 0, 0, *size))

    def shut(self, window: int) -> None:
        """Send a window the request to close, as its close button does."""
        kind, wish = self._atom(b"WM_PROTOCOLS"), self._atom(b"WM_DELETE_WINDOW")
        event = struct.pack("<BBHIIII12x", 33, 32, 0, window, kind, wish, 0)
        self._send_request(SEND_EVENT, 0, struct.pack("<II", window, 0) + event)

    def _atom(self, name: bytes) -> int:
        padded = name + bytes(-len(name) % 4)
        reply = self._ask(INTERN_ATOM, 0, struct.pack("<Hxx", len(name)) + padded)
        return int(struct.unpack_from("<I", reply, 8)[0])

    def _fake(self, kind: int, detail: int, place: tuple[int, int] = (0, 0)) -> None:
        event = struct.pack("<BBxxII8xhh8x", kind, detail, 0, self.root, *place)
        self._send_request(self._xtest, 2, event)

    def _send_request(self, opcode: int, detail: int, body: bytes) -> None:
        self._send(struct.pack("<BBH", opcode, detail, 1 + len(body) // 4) + body)

    def _ask(self, opcode: int, detail: int, body: bytes) -> bytes:
        self._send_request(opcode, detail, body)
        while True:
            head = self._read(32)
            if head[0] == 1:
                return head + self._read(4 * struct.unpack_from("<I", head, 4)[0])
            assert head[0] != 0, f"the server refused a request: error {head[1]}"

    def _send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def _read(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            part = self._socket.recv(count - len(data))
            assert part, "the server has gone"
            data += part
        return bytes(data)


@contextmanager
def screen() -> Iterator[Screen]:
    """A private screen for the duration of the block."""
    here, there = os.pipe()
    what = ["-displayfd", str(there), "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24", "-ac"]
    server = subprocess.Popen(
        ["Xvfb", *what, "-nolisten", "tcp"], pass_fds=[there], stderr=subprocess.DEVNULL
    )
    os.close(there)
    try:
        with os.fdopen(here) as stream:
            number = stream.readline().strip()
        assert number, "Xvfb did not start"
        user = Screen(f":{number}")
        try:
            yield user
        finally:
            user.close()
    finally:
        server.terminate()
        server.wait()
