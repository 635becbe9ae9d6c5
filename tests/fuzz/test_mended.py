"""What the fuzzing found once: each fault by itself, so that it never comes back."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from orchard.ports.node_addresses import AddressRefused, find_addresses, parse_networks


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The API document."""
    from drf_spectacular.generators import SchemaGenerator

    return SchemaGenerator().get_schema(request=None, public=True)


def operation(document: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    return document["paths"][path][method]


@pytest.mark.parametrize("path", ["/workers/add", "/workers/remove", "/api/v1/workers"])
@pytest.mark.parametrize("url", ["[]", "http://[", "[zz]:80", "[1::2::3]", "h:0x1"])
def test_a_worker_at_what_is_no_address_is_refused(client: Client, path: str, url: str):
    answer = client.post(path, {"url": url}, content_type="application/json")
    assert answer.status_code in (400, 404)
    assert client.get("/workers").json()["count"] == 0


@pytest.mark.parametrize("url", ["http://[]", "http://[1::2::3]", "http://:80", "http://h:99999"])
async def test_a_url_without_a_host_is_never_asked(url: str):
    with pytest.raises(AddressRefused):
        await find_addresses(url, parse_networks("127.0.0.0/8"))


def test_a_form_that_says_nothing_of_the_purifier_does_not_turn_it_off(client: Client):
    path = "/preferences/purifier"
    assert client.get(path).json() == {"usePurifier": True}
    assert client.post(path, {}).status_code == 400
    assert client.get(path).json() == {"usePurifier": True}
    assert client.post(path, {"usePurifier": "false"}).json() == {"usePurifier": False}


def test_a_recording_is_described_as_a_file_and_not_as_an_address(document: dict[str, Any]):
    shape = document["components"]["schemas"]["SubmitForm"]["properties"]["file"]
    assert (shape["type"], shape["format"]) == ("string", "binary")


def test_the_number_of_an_issue_is_described_as_a_number(document: dict[str, Any]):
    for path in (one for one in document["paths"] if "{number}" in one):
        for asked in document["paths"][path].values():
            (number,) = [one for one in asked["parameters"] if one["name"] == "number"]
            assert number["schema"] == {"type": "integer", "minimum": 1, "maximum": 2**53 - 1}


def test_a_body_that_must_be_there_is_described_as_such(document: dict[str, Any]):
    renew = operation(document, "patch", "/api/v1/locks/{name}")
    put = operation(document, "put", "/api/v1/state/{namespace}/{key}")
    claim = operation(document, "post", "/api/v1/workers/{worker_id}/claim")
    needed = [one["requestBody"]["required"] for one in (renew, put, claim)]
    assert needed == [True, True, False]


def test_a_body_may_be_too_large_wherever_there_is_one(document: dict[str, Any]):
    for path, operations in document["paths"].items():
        for method, one in operations.items():
            assert "requestBody" not in one or "413" in one["responses"], (method, path)


def test_what_may_be_empty_in_an_address_is_described_so(document: dict[str, Any]):
    asked = operation(document, "get", "/api/v1/issues")["parameters"]
    assert [one["allowEmptyValue"] for one in asked] == [True] * 3


def test_an_issue_that_nobody_holds_is_alive_false_alone_and_so_described(
    client: Client, document: dict[str, Any]
):
    answer = client.post("/api/v1/issues/7/heartbeat", {}, content_type="application/json")
    assert answer.json() == {"alive": False}
    assert document["components"]["schemas"]["IssueBeatAnswer"]["required"] == ["alive"]


def test_a_result_that_may_be_anything_may_be_null_in_one_way_only(document: dict[str, Any]):
    shapes = document["components"]["schemas"]
    for shape, field in (("IssueAnswer", "result"), ("ChangedAnswer", "old")):
        assert "oneOf" not in shapes[shape]["properties"][field]


def test_what_the_address_names_is_no_longer_than_an_address_can_be(document: dict[str, Any]):
    for operations in document["paths"].values():
        for one in operations.values():
            for asked in one.get("parameters", ()):
                if asked["in"] == "query":
                    assert asked["schema"].get("maxLength", 0) <= 3000, asked
