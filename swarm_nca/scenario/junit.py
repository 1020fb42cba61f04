"""Runs as JUnit XML for CI services: one test case per expectation."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from swarm_nca.recording import Expectation, Run


def told(expectation: Expectation) -> str:
    """An expectation in one line: `undecided at 5 ≤ 10 %`, `alive from 3 to 9 = 5`."""
    when = f"at {expectation.at}"
    if expectation.to is not None:
        when = f"from {expectation.at} to {expectation.to}"
    if expectation.within is not None:
        when = f"within {expectation.within} steps of {expectation.at}"
    return f"{expectation.metric} {when} {expectation.limits}"


def failure(expectation: Expectation) -> str:
    """A failed expectation in one line: bounds, and the value or why it was not measured."""
    reason = expectation.unknown
    found = f"not measured: {reason}" if reason else f"got {expectation.found}"
    return f"expected {told(expectation)}, {found}"


def failures(run: Run) -> list[str]:
    """One line for each failed expectation."""
    failed = [result for result in run.expectations if not result.passed]
    return [f"{run.name}: {failure(result)}" for result in failed]


def junit_xml(runs: Sequence[Run]) -> bytes:
    """The report: one test suite per run, one test case per expectation."""
    every = [result for run in runs for result in run.expectations]
    root = Xml.Element(
        "testsuites",
        name="swarm-nca",
        tests=str(len(every)),
        failures=str(sum(not result.passed for result in every)),
        errors="0",
        time=f"{sum(run.seconds or 0.0 for run in runs):.3f}",
    )
    for run in runs:
        failed = sum(not result.passed for result in run.expectations)
        suite = Xml.SubElement(
            root,
            "testsuite",
            name=run.name,
            tests=str(len(run.expectations)),
            failures=str(failed),
            errors="0",
            skipped="0",
            time=f"{run.seconds or 0.0:.3f}",
        )
        for result in run.expectations:
            case = Xml.SubElement(suite, "testcase", classname=run.name, name=told(result))
            if not result.passed:
                message = failure(result)
                Xml.SubElement(case, "failure", message=message, type="expectation").text = message
    Xml.indent(root)
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"
