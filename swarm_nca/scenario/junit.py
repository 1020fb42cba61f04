"""Runs as JUnit XML for CI services: one test case per expectation."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from swarm_nca.recording import Expectation, Run


def bounds(expectation: Expectation) -> str:
    """The bounds of an expectation: `≥ 0.95`, `0.2 … 0.4`, `= 5`."""
    low, high = expectation.min, expectation.max
    if low is not None and low == high:
        return f"= {low:g}"
    if low is not None and high is not None:
        return f"{low:g} … {high:g}"
    return f"≥ {low:g}" if low is not None else f"≤ {high:g}"


def told(expectation: Expectation) -> str:
    """An expectation in one line: `undecided at 5 ≤ 0.1`."""
    return f"{expectation.metric} at {expectation.at} {bounds(expectation)}"


def failure(expectation: Expectation) -> str:
    """A failed expectation in one line: bounds, and the value or why it was not measured."""
    reason = expectation.unknown
    found = f"not measured: {reason}" if reason else f"got {expectation.value:.6g}"
    return f"expected {told(expectation)}, {found}"


def failures(run: Run) -> list[str]:
    """One line for each failed expectation."""
    failed = [result for result in run.expectations if not result.passed]
    return [f"{run.name}: {failure(result)}" for result in failed]


def junit_xml(runs: Sequence[Run]) -> bytes:
    """The report: one test suite per run, one test case per expectation."""
    root = Xml.Element("testsuites", name="swarm-nca")
    for run in runs:
        failed = sum(not result.passed for result in run.expectations)
        suite = Xml.SubElement(
            root,
            "testsuite",
            name=run.name,
            tests=str(len(run.expectations)),
            failures=str(failed),
            errors="0",
            time=f"{run.seconds or 0.0:.3f}",
        )
        for result in run.expectations:
            case = Xml.SubElement(suite, "testcase", classname=run.name, name=told(result))
            if not result.passed:
                message = failure(result)
                Xml.SubElement(case, "failure", message=message).text = message
    Xml.indent(root)
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"
