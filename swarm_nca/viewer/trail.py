"""Undo and redo: two stacks of snapshots of sessions.

A snapshot is taken before each change and put back by undo; what undo replaces is kept for redo.
Everything between the press and the release of a pointer is one change, for example a stroke or the
drag of a slider. Snapshots share keyframes with the session, so an edit costs little memory; the
oldest snapshots are dropped when there are too many or when they hold too many bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from swarm_nca.viewer.session import Session, Snapshot

#: Maximum number of changes that can be undone, and maximum bytes of keyframes they hold.
MOST, ROOM = 100, 160 * 2**20


class Trail:
    """The changes that can be undone and redone."""

    def __init__(self) -> None:
        self._back: list[Snapshot] = []
        self._ahead: list[Snapshot] = []
        self._held: Counter[int] = Counter()
        self._bytes = 0
        self._open = self._noted = False

    @property
    def undoable(self) -> int:
        """Number of changes that can be undone."""
        return len(self._back)

    @property
    def redoable(self) -> int:
        """Number of changes that can be redone."""
        return len(self._ahead)

    def begin(self) -> None:
        """Begin a change that lasts until `end`, if none has begun."""
        if not self._open:
            self._open, self._noted = True, False

    def end(self) -> None:
        """End the change."""
        self._open = self._noted = False

    @contextmanager
    def change(self, session: Session, words: str) -> Iterator[None]:
        """Keep what the session is before the block; nothing if the block raises an error.

        Args:
            words: what the block does, for the notice.
        """
        before = None if self._noted else session.snapshot(words)
        yield
        if before is not None:
            self._noted = self._open
            self._drop(self._ahead)
            self._push(self._back, before)
            while len(self._back) > MOST or (self._bytes > ROOM and len(self._back) > 1):
                self._release(self._back.pop(0))

    @contextmanager
    def silence(self) -> Iterator[None]:
        """Keep no snapshots in the block, which is part of a larger change."""
        noted, self._noted = self._noted, True
        try:
            yield
        finally:
            self._noted = noted

    def undo(self, session: Session) -> Snapshot | None:
        """The snapshot to put back; None without one. `session` is the one shown now."""
        return self._move(self._back, self._ahead, session)

    def redo(self, session: Session) -> Snapshot | None:
        """The snapshot that the last undo replaced; None without one."""
        return self._move(self._ahead, self._back, session)

    def _move(
        self, source: list[Snapshot], target: list[Snapshot], session: Session
    ) -> Snapshot | None:
        self.end()
        if not source:
            return None
        snapshot = source.pop()
        self._push(target, session.snapshot(snapshot.words))
        self._release(snapshot)
        return snapshot

    def _push(self, stack: list[Snapshot], snapshot: Snapshot) -> None:
        stack.append(snapshot)
        for frame in snapshot.frames():
            self._bytes += 0 if self._held[id(frame)] else frame.bytes
            self._held[id(frame)] += 1

    def _release(self, snapshot: Snapshot) -> None:
        for frame in snapshot.frames():
            self._held[id(frame)] -= 1
            if not self._held[id(frame)]:
                del self._held[id(frame)]
                self._bytes -= frame.bytes

    def _drop(self, stack: list[Snapshot]) -> None:
        while stack:
            self._release(stack.pop())
