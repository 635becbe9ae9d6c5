"""Values that nobody expects, for all parsers that meet what others have written."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")

ODD_TEXTS = [
    "", "\0", "\ud800", "NaN", "-0", "1e999", "9" * 40, "１２", "true", "null", "..", "/", "://",
    "%", "%ff", "~nobody/x", "[::1", "[", "a:b@c", "\u202e", "٣", " ", "\r\n", "$", "~", "-", "=",
    "=?=", "bytes=-", "Bearer ", "\x7f", "é́", "🍊" * 3, "x" * 300, "2026-11-21T00:00:00Z",
    "0000-00-00",
]  # fmt: skip

texts = st.sampled_from(ODD_TEXTS) | st.text(max_size=30)
"""Any text, half characters among others."""
printable = texts.map(lambda text: text.encode("utf-8", "replace").decode())
"""Any text that can be sent."""
numbers = st.integers() | st.integers(-2, 70_000) | st.floats()
leaves = st.none() | st.booleans() | numbers | texts


def trees(leaf: Any = leaves, names: Any = texts) -> Any:
    """JSON of any shape; names are drawn from those given."""
    return st.recursive(
        leaf,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
        max_leaves=10,
    )


def objects(names: list[str], value: Any = None) -> Any:
    """An object that has some of the names that count, with anything in them."""
    return st.dictionaries(
        st.sampled_from(names) | texts, trees() if value is None else value, max_size=8
    )


def as_json(value: Any) -> bytes:
    """JSON as Python writes it: NaN and half characters included."""
    return json.dumps(value).encode()


@st.composite
def damaged(draw: Any, whole: bytes) -> bytes:
    """What becomes of good bytes: cut, bytes changed, put in or taken out."""
    raw = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(raw)))
        length = draw(st.integers(0, 8))
        raw[at : at + length] = draw(st.binary(max_size=8) | st.just(bytes(raw[:20])))
    return bytes(raw[: draw(st.integers(0, len(raw)))] if draw(st.booleans()) else raw)


def raw_json(value: Any = None) -> Any:
    """Bytes that are JSON, nearly JSON, or nothing of the kind."""
    good = (trees() if value is None else value).map(as_json)
    half = st.builds(lambda name: as_json({name: "?"}).replace(b"?", b"\xff"), texts)
    deep = st.integers(1, 20_000).map(lambda depth: b"[" * depth)
    return good | good.flatmap(damaged) | st.binary(max_size=60) | deep | half


def taken_or_refused(refusal: type[Exception], call: Callable[[], T]) -> tuple[T | None, str]:
    """What came of it, and the reason when it was refused; any other error is a fault of ours."""
    try:
        return call(), ""
    except refusal as fault:
        return None, str(fault) or repr(fault)
