"""Pictures as short text, for links and for pages: grey in 255 steps, run-length encoded.

The code is base64 (URL-safe, without padding) of bytes: the number of rows and the number of
columns, two bytes each, high byte first; then runs. A byte n below 128 stands for n + 1 pixels of
grey 0; a byte 128 + n is followed by the n + 1 grey values of as many pixels. Pixels after the last
run are 0.
"""

from __future__ import annotations

import base64

import numpy as np
import numpy.typing as npt

#: The longest run that one byte can announce.
_LONGEST = 128


def encoded(grey: npt.NDArray[np.floating]) -> str:
    """The code of a picture [H, W] in [0, 1], H and W below 65,536."""
    rows, columns = grey.shape
    values = np.rint(np.clip(grey, 0.0, 1.0) * 255).astype(np.uint8).reshape(-1)
    out = bytearray([rows >> 8, rows & 255, columns >> 8, columns & 255])
    inked = values > 0
    edges = np.flatnonzero(np.diff(inked.astype(np.int8))) + 1
    for run in np.split(values, edges):
        for start in range(0, len(run), _LONGEST):
            part = run[start : start + _LONGEST]
            if part[0]:
                out += bytes([127 + len(part)]) + part.tobytes()
            else:
                out.append(len(part) - 1)
    return base64.urlsafe_b64encode(bytes(out)).decode().rstrip("=")
