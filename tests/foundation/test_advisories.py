"""What is installed: each package pinned, none at odds with another, none with a known weakness."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Collection, Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.listening import Listener, Request, body_of, say

ROOT = Path(__file__).parents[2]
PINS = ROOT / "constraints.txt"
WEAK = {
    "id": "TEST-1", "modified": "2026-01-01T00:00:00Z", "summary": "weak", "aliases": [],
    "affected": [{
        "package": {"name": "django", "ecosystem": "PyPI"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99"}]}],
    }],
}  # fmt: skip


def pinned() -> dict[str, str]:
    """The version of each package, by its plain name."""
    pairs = (line.split("==") for line in PINS.read_text().splitlines() if "==" in line)
    return {canonicalize_name(name): version.strip() for name, version in pairs}


def required() -> Iterator[Requirement]:
    """What the files of requirements name."""
    for path in ROOT.glob("requirements*.txt"):
        for line in path.read_text().splitlines():
            if text := line.partition("#")[0].strip():
                yield Requirement(text)


def come_along(*, everywhere: bool = False) -> dict[str, str | None]:
    """The installed version of everything that is required, directly or by something required.

    With ``everywhere`` also what other systems and versions of Python need.
    """
    found: dict[str, str | None] = {}
    seen, waiting = set(), [(one.name, frozenset(one.extras)) for one in required()]
    while waiting:
        name, extras = waiting.pop()
        key = canonicalize_name(name), extras
        if key in seen or key[0] == "pip":  # which whoever installs has already
            continue
        seen.add(key)
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            found[key[0]] = None
            continue
        found[key[0]] = installed.version
        for one in map(Requirement, installed.requires or []):
            if is_needed(one, extras or {""}, everywhere):
                waiting.append((one.name, frozenset(one.extras)))
    return found


def is_needed(one: Requirement, extras: Collection[str], everywhere: bool) -> bool:
    """Whether a package with these extras needs this."""
    if one.marker is None or (everywhere and "extra" not in str(one.marker)):
        return True
    return any(one.marker.evaluate({"extra": extra}) for extra in extras)


def audit(*options: str) -> tuple[list[dict[str, Any]], str]:
    """What is known of every pinned package; or nothing, and why."""
    command = [sys.executable, "-m", "pip_audit", "-r", str(PINS), "--no-deps", "--disable-pip"]
    command += ["--format", "json", "--progress-spinner", "off", "--timeout", "10", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    try:
        known = json.loads(done.stdout)["dependencies"]
    except ValueError:
        return [], done.stderr.strip().splitlines()[-1]
    return known, "" if any("vulns" in one for one in known) else known[0]["skip_reason"]


def to_mend(known: list[dict[str, Any]]) -> list[str]:
    """Weaknesses that another version mends."""
    return [
        f"{one['name']} {one['version']}: {weak['id']}, mended in {weak['fix_versions']}"
        for one in known
        for weak in one.get("vulns", ())
        if weak["fix_versions"]
    ]


def test_everything_that_comes_along_is_pinned_at_the_version_that_is_tested():
    pins, installed = pinned(), come_along()
    assert {name: pins.get(name) for name in installed} == installed


def test_nothing_is_pinned_that_nobody_needs():
    assert pinned().keys() - come_along(everywhere=True).keys() == set()


def test_no_package_is_at_odds_with_another():
    command = [sys.executable, "-m", "pip", "check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    ours = come_along()
    odd = [line for line in done.stdout.splitlines() if re.split("[ =]", line)[0].lower() in ours]
    assert odd == []


def test_no_pinned_version_has_a_weakness_that_another_one_mends():
    known, why = audit()
    if why:
        pytest.skip(f"no advisories can be had here: {why}")
    assert to_mend(known) == []


class Advisories(Listener):
    """Answers as osv.dev does: it knows of one weakness, of Django's."""

    def post(self, request: Request) -> None:
        """Say what is known of a package."""
        is_weak = json.loads(body_of(request))["package"]["name"].lower() == "django"
        body = json.dumps({"vulns": [WEAK]} if is_weak else {}).encode()
        say(request, 200, body, Content_Type="application/json")


def test_a_weakness_would_be_found():
    with Advisories() as server:
        url = f"{server.url}/v1/query"
        known, why = audit("--vulnerability-service", "osv", "--osv-url", url)
    assert why == ""
    (weak,) = to_mend(known)
    assert weak == f"django {pinned()['django']}: TEST-1, mended in ['99']"
