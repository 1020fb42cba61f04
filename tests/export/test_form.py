"""Rules as plain data, pictures as text, and the page that carries both."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import swarm_nca as sn
from swarm_nca.export import EXPORTS
from swarm_nca.export.form import form_of
from swarm_nca.export.html import SCRIPTS, page
from swarm_nca.export.picture_code import encoded
from swarm_nca.rules import Classes, Field, Mlp, Quantized, Rule


def carried(made: bytes) -> dict[str, object]:
    """The data inside a page."""
    found = re.search(rb'<script type="application/json" id="rule">(.*?)</script>', made)
    assert found
    data = json.loads(found[1])
    assert isinstance(data, dict)
    return data


@pytest.mark.parametrize("name", ["digits", "mnist", "fashion-mnist"])
def test_pages_of_the_shipped_rules_are_small(name: str) -> None:
    rule = sn.load_rule(name)
    assert len(page(rule, name, precision="float16")) <= 200_000
    assert len(page(rule, name, precision="float32")) <= 300_000


def test_the_page_is_one_file_that_asks_for_nothing() -> None:
    text = page(sn.load_rule("digits"), "digits").decode()
    assert not re.search(r"@@|https?://|@import|\bimport\(|\bfetch\(|XMLHttpRequest|src=", text)
    assert "default-src 'none'" in text


def test_every_source_of_the_page_is_used() -> None:
    from importlib.resources import files

    names = {file.name for file in (files("swarm_nca.export") / "page").iterdir()}
    assert names == {"page.html", "style.css", *SCRIPTS}


def test_weights_are_those_of_the_rule() -> None:
    rule = sn.load_rule("digits")
    data = carried(page(rule, "digits"))
    layers = rule.layers()
    assert layers is not None
    expected = torch.cat([one.reshape(-1) for layer in layers for one in layer]).numpy()
    held = np.frombuffer(base64.b64decode(str(data["weights"])), "<f4")
    np.testing.assert_array_equal(held, expected)
    assert data["sizes"] == [180, 80, 80, 19]


def test_fixed_filters_are_carried_beside_the_learned_weights() -> None:
    form = form_of(Mlp.growing())
    assert form.sizes == (48, 128, 16)
    assert form.filters is not None
    assert form.filters[0] == [0, 0, 0, 0, 1, 0, 0, 0, 0]


def test_a_rule_in_bits_is_carried_as_the_weights_in_use() -> None:
    rule = Quantized(hidden=(12,), hearing="dyadic", filters="ste_sign", scales="both")
    form = form_of(rule)
    assert form.sizes == (9 + 4 * 19, 12, 19)
    assert form.filters is not None
    assert len(form.filters) == 4
    np.testing.assert_array_equal(form.weights[0], rule.used()[0].weight.detach().numpy())


def test_names_cannot_leave_the_script() -> None:
    rule = Mlp(Classes.named("</script><script>alert(1)", "b & c"))
    made = page(rule, "<b>@@data@@</b>")
    readout = carried(made)["readout"]
    assert isinstance(readout, dict)
    assert readout["names"] == ["</script><script>alert(1)", "b & c"]
    assert b"alert(1)</script>" not in made
    assert b"<h1>&lt;b&gt;@@data@@&lt;/b&gt;</h1>" in made


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sn.make_rule(kind="elementary"), "kind 'elementary' cannot be exported"),
        (lambda: Mlp(slots=5), "this rule has 5 slots and 9 stimulus values"),
        (lambda: Mlp(stimulus_size=3), "this rule has 9 slots and 3 stimulus values"),
        (lambda: Mlp(Field()), "this rule has 'field'"),
    ],
)
def test_other_rules_are_refused_with_the_reason(make: Callable[[], Rule], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EXPORTS["html"].make(make(), "a rule", precision="float32")


def test_weights_beyond_float16_are_refused() -> None:
    rule = Mlp()
    with torch.no_grad():
        rule.output[0, 0] = 1e6
    with pytest.raises(ValueError, match=r"largest weight, 1e\+06, .* use float32"):
        page(rule, "a rule", precision="float16")


def decoded(code: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A second reading of the code, by its description."""
    data = base64.urlsafe_b64decode(code + "=" * (-len(code) % 4))
    rows, columns = int.from_bytes(data[:2]), int.from_bytes(data[2:4])
    values: list[int] = []
    at = 4
    while at < len(data):
        run, at = data[at], at + 1
        count = (run & 127) + 1
        values += list(data[at : at + count]) if run > 127 else [0] * count
        at += count if run > 127 else 0
    values += [0] * (rows * columns - len(values))
    return np.array(values, np.uint8).reshape(rows, columns)


@given(st.integers(1, 20), st.integers(1, 300), st.integers(0, 1 << 30), st.floats(0, 1))
def test_codes_give_pictures_back(rows: int, columns: int, seed: int, ink: float) -> None:
    random = np.random.default_rng(seed)
    values = (random.random((rows, columns)) < ink) * random.integers(0, 256, (rows, columns))
    np.testing.assert_array_equal(decoded(encoded(values / 255)), values)
