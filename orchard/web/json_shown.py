"""JSON values as the pages show them: what kind they are, how large, how they begin, as a tree."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext, pgettext_lazy

from orchard.web.words import Word

PREVIEW_CHARS = 160
PART_CHARS = 20_000
"""Of a text that is longer, so much is shown."""
EDITABLE_CHARS = 200_000
"""A longer text is not for an editor in a page."""
TREE_BYTES = 200_000
TREE_NODES = 3_000
"""Larger values are shown as text."""
DEEPEST = 60
OPEN_LEVELS = 2
LONGEST_STRING = 2_000
NO_LABEL = SafeString("")

KINDS: Mapping[str, Word] = {
    "object": pgettext_lazy("json", "object"),
    "array": pgettext_lazy("json", "list"),
    "string": pgettext_lazy("json", "text"),
    "number": pgettext_lazy("json", "number"),
    "boolean": pgettext_lazy("json", "yes or no"),
    "null": pgettext_lazy("json", "null"),
}
_FIRST = {"{": "object", "[": "array", '"': "string", "t": "boolean", "f": "boolean", "n": "null"}


@dataclass(frozen=True)
class ShownValue:
    """A value as its page shows it."""

    text: str
    """As JSON with indents, or as it is stored when it does not parse or is large."""
    kind: Word
    size: int
    """Bytes as stored."""
    is_json: bool
    tree: SafeString | None
    """``None`` when it has none, or would be too large."""

    @property
    def is_part(self) -> bool:
        """Whether only the beginning is shown."""
        return len(self.text) > PART_CHARS

    @property
    def part(self) -> str:
        """The text, or its beginning."""
        return self.text[:PART_CHARS]

    @property
    def is_editable(self) -> bool:
        """Whether an editor in a page can hold it."""
        return len(self.text) <= EDITABLE_CHARS


def show_value(raw: bytes) -> ShownValue:
    """A stored value, for people."""
    plain = raw.decode("utf-8", "replace")
    kind, value, text, is_json = kind_of(raw), None, plain, False
    if len(raw) <= TREE_BYTES * 5:
        try:
            value = json.loads(plain)
            text, is_json = pretty(value), True
        except (ValueError, RecursionError):
            pass
    tree = draw_tree(value) if is_json and len(raw) <= TREE_BYTES else None
    return ShownValue(text, kind, len(raw), is_json, tree)


def pretty(value: Any) -> str:
    """A value as JSON with indents.

    Raises:
        ValueError: it has a number that JSON has not.
    """
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)


def kind_of(raw: bytes) -> Word:
    """What kind of value a JSON text holds, by how it begins."""
    begin = raw[:20].decode("utf-8", "replace").lstrip()[:1]
    return KINDS[_FIRST.get(begin, "number")]


def describe(raw: bytes) -> str:
    """Kind and size in a few words."""
    return f"{kind_of(raw)} · {filesizeformat(len(raw))}"


def preview(raw: bytes) -> str:
    """How a value begins, on one line."""
    text = raw[: PREVIEW_CHARS * 4].decode("utf-8", "ignore")
    return text[:PREVIEW_CHARS] + ("…" if len(text) > PREVIEW_CHARS else "")


def draw_tree(value: Any) -> SafeString | None:
    """A value as nested lists that open and close; ``None`` when it is too large for that."""
    return _node(value, 0) if _fits(value, 0, [TREE_NODES]) else None


def _fits(value: Any, depth: int, left: list[int]) -> bool:
    left[0] -= 1
    if left[0] < 0 or depth > DEEPEST:
        return False
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return all(_fits(one, depth + 1, left) for one in inner)


def _node(value: Any, depth: int, label: SafeString = NO_LABEL) -> SafeString:
    if isinstance(value, dict) and value:
        rows = [(_label(json.dumps(k, ensure_ascii=False)[1:-1]), v) for k, v in value.items()]
        count = ngettext("%(n)d field", "%(n)d fields", len(value)) % {"n": len(value)}
    elif isinstance(value, list) and value:
        rows = [(_label(str(n)), one) for n, one in enumerate(value)]
        count = ngettext("%(n)d item", "%(n)d items", len(value)) % {"n": len(value)}
    else:
        return format_html("{}{}", label, _leaf(value))
    inner = format_html_join(
        "", "<li>{}</li>", ((_node(one, depth + 1, name),) for name, one in rows)
    )
    return format_html(
        '<details class="branch"{}><summary>{}<span class="count">{}</span></summary>'
        "<ul>{}</ul></details>",
        SafeString(" open") if depth < OPEN_LEVELS else "", label, count, inner,
    )  # fmt: skip


def _label(name: str) -> SafeString:
    return format_html('<span class="field">{}</span> ', name)


def _leaf(value: Any) -> SafeString:
    kind = "string" if isinstance(value, str) else "number"
    kind = "literal" if value is None or isinstance(value, bool) else kind
    text = json.dumps(value, ensure_ascii=False)
    if len(text) > LONGEST_STRING:
        text = text[:LONGEST_STRING] + gettext("… (more in the text)")
    return format_html('<span class="{}">{}</span>', f"json-{kind}", text)
