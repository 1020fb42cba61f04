"""Runs as JUnit XML, which CI services read: a test case for each expectation."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from swarm_nca.recording import Expectation, Run


def bounds(expectation: Expectation) -> str:
    """What was expected, in a few characters: `≥ 0.95`, `0.2 … 0.4`, `= 5`."""
    low, high = expectation.min, expectation.max
    if low is not None and low == high:
        return f"= {low:g}"
    if low is not None and high is not None:
        return f"{low:g} … {high:g}"
    return f"≥ {low:g}" if low is not None else f"≤ {high:g}"


def told(expectation: Expectation) -> str:
    """What was expected, in one line: `undecided at 5 ≤ 0.1`."""
    return f"{expectation.metric} at {expectation.at} {bounds(expectation)}"


def failure(expectation: Expectation) -> str:
    """What was expected and what was met instead, or why nothing was, in one line."""
    met = expectation.unknown
    met = f", not known: {met}" if met else f", met {expectation.value:.6g}"
    return f"expected {told(expectation)}{met}"


def failures(run: Run) -> list[str]:
    """A line for each expectation that was not met."""
    return [f"{run.name}: {failure(one)}" for one in run.expectations if not one.passed]


def junit_xml(runs: Sequence[Run]) -> bytes:
    """The report: one test suite per run, one test case per expectation of it."""
    root = Xml.Element("testsuites", name="swarm-nca")
    for run in runs:
        failed = sum(not one.passed for one in run.expectations)
        suite = Xml.SubElement(
            root,
            "testsuite",
            name=run.name,
            tests=str(len(run.expectations)),
            failures=str(failed),
            errors="0",
            time=f"{run.seconds or 0.0:.3f}",
        )
        for one in run.expectations:
            case = Xml.SubElement(suite, "testcase", classname=run.name, name=told(one))
            if not one.passed:
                message = failure(one)
                Xml.SubElement(case, "failure", message=message).text = message
    Xml.indent(root)
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"
