"""Several digits on one canvas: each connected piece is judged by itself."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from swarm_nca.perturbations import Draw
from swarm_nca.viewer.app import App
from swarm_nca.viewer.pieces import judged, pieces_of
from swarm_nca.viewer.session_config import from_rule

from .reading import curves_said, lies, window


@pytest.fixture(scope="module")
def board() -> App:
    """Nine digits after the cells of a shipped rule agree."""
    app = App(from_rule("digits", 84))
    app.playing = False
    app.fill()
    for _ in range(80):
        app.session.advance()
        app.settle()
    app.notice = ""
    return app


def pieces_read(app: App) -> tuple[str, list[str]]:
    """The sentence below the canvas and the names beside it."""
    said = [line.text for line in window(app)]
    place = next(n for n, text in enumerate(said) if text.endswith("pieces agree"))
    return said[place], said[place + 1 : said.index("Tools")]


def test_nine_digits_are_named_in_the_order_of_reading(board: App) -> None:
    sentence, names = pieces_read(board)
    world = board.session.world
    alive = np.zeros((84, 84), bool)
    alive.reshape(-1)[world.site.numpy()] = True
    label, count = ndimage.label(alive, np.ones((3, 3)))
    assert sentence == f"{count} of {count} pieces agree" == "9 of 9 pieces agree"
    best = world.logits.numpy().argmax(axis=1)
    wanted = []
    for row in range(3):
        for column in range(3):
            here = label[28 * row : 28 * row + 28, 28 * column : 28 * column + 28]
            number = np.bincount(here[here > 0]).argmax()
            cells = label.reshape(-1)[world.site.numpy()] == number
            (answer,) = set(best[cells].tolist())
            wanted.append(str(answer))
    assert names == wanted
    assert len(set(names)) > 3
    assert lies(board) == []


def test_the_largest_vote_counts_each_piece_by_itself(board: App) -> None:
    (values,) = curves_said(window(board))
    assert values["largest vote"] == "100%"
    counts = np.bincount(board.session.world.logits.numpy().argmax(axis=1))
    assert counts.max() / counts.sum() < 0.5


def test_a_piece_without_agreement_has_a_question_mark(board: App) -> None:
    session = board.session
    session.seek(8)
    found = judged(session.alone, session.rule.shown_above)
    unsure = [piece for piece in found if not piece.agrees]
    assert len(unsure) > 0
    sentence, names = pieces_read(board)
    assert sentence == f"{len(found) - len(unsure)} of {len(found)} pieces agree"
    assert len([name for name in names if name.endswith("?")]) == len(unsure)
    assert lies(board) == []
    session.seek(80)


def test_two_strokes_are_two_pieces_until_a_third_joins_them(app: App) -> None:
    app.clear()
    for row in (4.0, 20.0):
        app.edit(Draw(points=((row, 4.0), (row, 20.0)), radius=0.7))
    assert pieces_of(app.session.world).max() == 1
    assert "in 2 pieces" in " ".join(line.text for line in window(app))
    app.edit(Draw(points=((4.0, 12.0), (20.0, 12.0)), radius=0.7))
    assert pieces_of(app.session.world).max() == 0
    assert "pieces" not in " ".join(line.text for line in window(app))


def test_of_too_many_pieces_only_the_number_is_said(app: App) -> None:
    app.clear()
    dots = [(float(row), float(column)) for row in range(2, 28, 4) for column in range(2, 28, 4)]
    for dot in dots:
        app.edit(Draw(points=(dot,), radius=0.6))
    app.session.advance()
    sentence, names = pieces_read(app)
    assert sentence.endswith("of 49 pieces agree")
    assert names == []
