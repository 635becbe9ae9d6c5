"""The catalogs: complete in Japanese, compiled, and with the same blanks to fill."""

from __future__ import annotations

import gettext
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CATALOGS = sorted(ROOT.glob("**/locale/*/LC_MESSAGES/*.po"))
CATALOGS = [path for path in CATALOGS if ".venv" not in path.parts]
STRING = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'
TRANSLATION = rf"msgstr(?:\[\d\])? {STRING}"
ENTRY = re.compile(
    rf"(?:msgctxt {STRING})?msgid {STRING}(?:msgid_plural {STRING})?((?:{TRANSLATION})+)"
)
BLANK = re.compile(r"%\(\w+\)[ds]")


def unquote(text: str) -> str:
    parts = re.findall(r'"((?:[^"\\]|\\.)*)"', text)
    return "".join(parts).replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")


def read(path: Path) -> dict[str, list[str]]:
    """Translations by context and text as compiled catalogs key them."""
    found = {}
    for context, text, _, translations, _ in ENTRY.findall(path.read_text("utf-8")):
        key = f"{unquote(context)}\x04{unquote(text)}" if context else unquote(text)
        found[key] = [
            unquote(one) for one in re.findall(rf"msgstr(?:\[\d\])? {STRING}", translations)
        ]
    found.pop("")
    return found


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", CATALOGS, ids=name)
def test_the_compiled_catalog_is_that_of_the_source(path):
    with path.with_suffix(".mo").open("rb") as compiled:
        catalog = gettext.GNUTranslations(compiled)._catalog
    for key, translations in read(path).items():
        found = [catalog.get(key) or catalog.get((key, 0))]
        found += [catalog[key, n] for n in range(1, len(translations))]
        assert found == translations, key


@pytest.mark.parametrize("path", [p for p in CATALOGS if "ja" in p.parts], ids=name)
def test_nothing_is_left_untranslated_in_japanese(path):
    texts = read(path)
    assert texts
    assert [key for key, translations in texts.items() if not all(translations)] == []
    for key, translations in texts.items():
        for translation in translations:
            # A plural's singular may leave its number out.
            assert set(BLANK.findall(key)) <= set(BLANK.findall(translation)), key


@pytest.mark.parametrize("path", [p for p in CATALOGS if "ja" in p.parts], ids=name)
def test_both_languages_know_the_same_texts(path):
    english = Path(str(path).replace("/ja/", "/en/"))
    assert read(path).keys() == read(english).keys()


def test_every_text_of_pages_and_scripts_is_in_the_catalogs():
    known = {key.rpartition("\x04")[2] for path in CATALOGS for key in read(path)}
    marked = []
    for path in (ROOT / "templates/orchard").rglob("*.html"):
        marked += re.findall(r'{% translate "([^"]+)"', path.read_text())
        marked += re.findall(r"{% translate '([^']+)'", path.read_text())
    for path in (ROOT / "orchard/static/orchard").glob("*.js"):
        marked += re.findall(r'\b_\("([^"]+)"', path.read_text())
    for path in (ROOT / "orchard/web").glob("*.py"):
        marked += re.findall(r'\b_\(\s*"([^"]+)"\s*\)', path.read_text())
    assert len(marked) > 150
    assert sorted(set(marked) - known) == []
