"""Values of metrics as text, the same in terminals, reports and messages: shares in percent."""

from __future__ import annotations

import math

from swarm_nca.measure.metrics import METRICS, OTHERS

#: Metrics that count cells.
_WHOLE = ("alive", "nonfinite")


def printed(metric: str, value: float) -> str:
    """A metric's value as text: `97.6 %`, `1,204`, `0.457`; `–` for nan."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞"
    if is_share(metric):
        return f"{value:.0%}".replace("%", " %") if value in (0, 1) else f"{100 * value:.1f} %"
    if metric in _WHOLE:
        return f"{value:,.0f}"
    if metric in OTHERS or 0 < value < 0.01:  # errors are small
        return f"{value:.3g}"
    return f"{value:.3f}" if value < 100 else f"{value:.2g}"


def bound(metric: str, value: float) -> str:
    """A bound as text, with all its digits: `95 %`, `0.0078125`."""
    return f"{100 * value:.12g} %" if is_share(metric) else f"{value:g}"


def bounds(metric: str, least: float | None, most: float | None) -> str:
    """The bounds of a metric: `≥ 95 %`, `0.2 … 0.4`, `= 5`; empty without bounds."""
    low, high = ("" if end is None else bound(metric, end) for end in (least, most))
    if low and low == high:
        return f"= {low}"
    if low and high:
        return f"{low} … {high}"
    return f"≥ {low}" if low else f"≤ {high}" if high else ""


def is_share(metric: str) -> bool:
    """Whether values are shares; tasks name such metrics of their own `…accuracy`, `…abstains`."""
    if metric in METRICS:
        return METRICS[metric].share
    return metric.endswith(("accuracy", "abstains"))


def title(metric: str) -> str:
    """A metric's name in words: `cell accuracy`."""
    return metric.replace("_", " ")


def unit(metric: str) -> str:
    """The unit of a score, after a space: percent, or none."""
    return " %" if is_share(metric) else ""
