"""The API document and its page."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver


@pytest.fixture(scope="module")
def document() -> dict:
    """The document as programs read it."""
    import json

    out = StringIO()
    call_command("spectacular", "--format", "openapi-json", stdout=out)
    return json.loads(out.getvalue())


def test_the_document_is_valid_and_made_without_a_warning():
    call_command("spectacular", "--fail-on-warn", "--validate", stdout=StringIO())


def test_every_operation_tells_what_it_takes_answers_and_refuses(document: dict):
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation["description"], where
            codes = set(operation["responses"])
            assert {"401", "403", "503"} <= codes, where
            assert codes & {"200", "201"} or (codes & {"204"} and "/tus" in path), where
            for code in codes & {"200", "201"}:
                assert operation["responses"][code]["content"], where


def test_every_route_of_the_api_is_in_the_document(document: dict):
    def walk(patterns, before=""):
        for pattern in patterns:
            here = before + str(pattern.pattern)
            inner = getattr(pattern, "url_patterns", None)
            yield from walk(inner, here) if inner else [here]

    routes = {
        "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", route)
        for route in walk(get_resolver("orchard.api.urls").url_patterns)
    }
    pages = {"/api/v1/schema", "/api/v1/docs", "/metrics", r"/^api(/|$)", r"/^v1(/|$)"}
    assert routes - pages == set(document["paths"])


def test_agents_bodies_are_described_with_their_limits(document: dict):
    shapes = document["components"]["schemas"]
    assert shapes["ClaimBody"]["properties"]["max"]["maximum"] == 100
    assert shapes["CompleteBody"]["required"] == ["worker_id", "token", "text", "time_ms"]
    refs = re.findall(r"#/components/schemas/(\w+)", str(document))
    assert set(refs) <= set(shapes)


def test_the_document_comes_as_json_and_as_yaml(client: Client):
    as_json = client.get("/api/v1/schema?format=json")
    assert as_json["Content-Type"].startswith("application/vnd.oai.openapi+json")
    assert b"openapi: 3.1.0" in client.get("/api/v1/schema").content


def test_the_page_needs_no_inline_script_or_style(client: Client):
    page = client.get("/api/v1/docs")
    text = page.content.decode()
    assert "default-src 'self'" in page["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=", text)
    sources = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert len(sources) == 5
    assert all(source.startswith("/") for source in sources)
    script = client.get("/api/v1/docs?script=")
    assert script["Content-Type"].startswith("application/javascript")
    assert "/api/v1/schema" in script.content.decode()


def test_what_the_page_loads_is_served_by_the_site(client: Client):
    text = client.get("/api/v1/docs").content.decode()
    for source in re.findall(r'"(/static/[^"]+)"', text):
        assert client.get(source).status_code == 200
