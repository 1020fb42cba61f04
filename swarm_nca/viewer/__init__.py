"""The viewer: hold the swarm in your hand.

The session (`session`, `plan`, `keyframes`, `history`) knows no window: it steps a world, takes
edits, goes back in time and can be saved as a scenario; a second rule may live beside the first.
What it looks like (`overlays`, `stage`, `panels`, `screen`, `floating`) is a function of the
session and of view settings. `app` joins the two: events in, by the `hand`, a picture out. `window`
puts that picture on a screen, `headless` into a file, and a `reel` films what has just happened.
"""

import os

# Set before pygame is imported anywhere: its greeting would mix with the command's output.
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
