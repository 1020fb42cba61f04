"""The viewer: an interactive window on a running world.

The session (`session`, `plan`, `keyframes`, `history`) needs no window: it steps a world, applies
edits, goes back in time and can be saved as a scenario; a second rule can run beside the first.
The picture (`overlays`, `panes`, `panels`, `screen`, `floating`) is a function of the session and
of view settings. `app` joins the two: it takes events (`input`) and draws a picture. `window` shows
that picture on a screen, `headless` writes it to a file, and `film` films past steps.
"""

import os

# Set before the first import of pygame: its greeting would mix with the command's output.
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
