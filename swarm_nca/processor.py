"""Name and maker of this machine's processor."""

from __future__ import annotations

import functools
import platform
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")


@functools.cache
def processor() -> str:
    """The processor's name, such as `AMD EPYC 7763`; the architecture where the name is unknown."""
    return _field("model name") or platform.processor() or platform.machine()


@functools.cache
def by_intel() -> bool:
    """Whether Intel made the processor; also true of Macs with `x86_64`, which have no others."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return False
    maker = _field("vendor_id") or platform.processor()  # Windows: `…, GenuineIntel`
    return "GenuineIntel" in maker or platform.system() == "Darwin"


def _field(name: str) -> str | None:
    """A field of Linux's description of the first core; None on other systems."""
    try:
        lines = _CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    fields = (line.partition(":") for line in lines)
    return next((value.strip() for key, _, value in fields if key.strip() == name), None)
