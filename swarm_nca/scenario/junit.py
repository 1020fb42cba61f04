"""Runs as JUnit XML for CI services: one test case per expectation."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from swarm_nca.measure.wording import bounds, printed
from swarm_nca.recording import Expectation, Run


def told(expectation: Expectation) -> str:
    """An expectation in one line: `undecided at 5 ≤ 10 %`."""
    limits = bounds(expectation.metric, expectation.min, expectation.max)
    return f"{expectation.metric} at {expectation.at} {limits}"


def failure(expectation: Expectation) -> str:
    """A failed expectation in one line: bounds, and the value or why it was not measured."""
    reason, value = expectation.unknown, printed(expectation.metric, expectation.value)
    found = f"not measured: {reason}" if reason else f"got {value}"
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
