"""Runs as JUnit XML, which CI services read: a test case for each expectation."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from swarm_nca.recording import Expectation, Run


def bounds(expectation: Expectation) -> str:
    """What was expected, in a few characters: `≥ 0.95`, `0.2 … 0.4`."""
    low, high = expectation.min, expectation.max
    if low is not None and high is not None:
        return f"{low:g} … {high:g}"
    return f"≥ {low:g}" if low is not None else f"≤ {high:g}"


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
            told = f"{one.metric} at {one.at} {bounds(one)}"
            case = Xml.SubElement(suite, "testcase", classname=run.name, name=told)
            if not one.passed:
                message = f"expected {told}, met {one.value:.6g}"
                Xml.SubElement(case, "failure", message=message).text = message
    Xml.indent(root)
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"
