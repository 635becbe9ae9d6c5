"""The client against the API document: every operation, parameter, body and answer."""

from __future__ import annotations

import inspect
import io
import json
import re
import types
import typing
from collections.abc import Mapping
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import msgspec
import pytest
from django.core.management import call_command

from orchard_client import groups
from orchard_client.call import Call, Reader
from orchard_client.calls import (
    issues,
    jobs,
    processes,
    reading,
    schedules,
    state,
    uploads,
    webhooks,
    workers,
)
from orchard_client.models import words
from orchard_client.models.base import Model
from orchard_client.models.state import Put
from orchard_client.operations import Feed, Operation, Procedure

LEFT_OUT = {
    "old_jobs": "the contract's own paths are for older programs; /api/v1 has the same",
    "old_job": "as above",
    "old_get_purifier": "as above",
    "old_set_purifier": "as above",
    "old_workers": "as above",
    "old_add_worker": "as above",
    "old_remove_worker": "as above",
    "submit": "as above",
    "stats": "as above",
    "openai_transcribe": "OpenAI's own clients ask this; submit and wait are ours",
    "openai_list_models": "as above",
    "openai_get_model": "as above",
}
NOT_ASKED = {
    ("search_logs", "format"): "lines come page by page; a file of them is for curl",
    ("get_entry", "If-None-Match"): "nothing is cached",
}
ZIPS = ("export_jobs",)
LATELY = {("Claimed", "is_duplicate")}
"""Fields that older servers do not send."""
OUTSIDE = {"check_health"}
"""Calls of addresses that the document does not have."""

MODULES = (issues, jobs, processes, reading, schedules, state, uploads, webhooks, workers)
CALLS = {
    name: function
    for module in MODULES
    for name, function in inspect.getmembers(module, inspect.isfunction)
    if function.__module__ == module.__name__ and not name.startswith("_")
}
SAMPLES: dict[str, Any] = {
    "hot_words": ["Dashwood"], "form": "txt", "job_ids": ["0123456789abcdef"],
    "file": io.BytesIO(b"sound"), "numbers": [1], "changes": [Put(namespace="n", key="k", value=1)],
    "lines": [{"message": "m"}], "values": {"k": 1}, "value": 1, "number": 7, "purifier": True,
    "edited": True, "use_purifier": True, "if_none_match": True, "language": "en", "progress": 0.5,
    "first": b"sound", "part": b"sound",
}  # fmt: skip
PLAIN = {
    "Literal": "x",
    "Sort": "newest",
    "Any": 1,
    "str": "x",
    "int": 1,
    "float": 1.5,
    "bool": True,
}
LISTS = ("leases", "results", "failures", "segments")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document as the server makes it."""
    out = StringIO()
    call_command("spectacular", "--format", "openapi-json", stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture(scope="module")
def operations(document) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Method, path and description of every operation by its id."""
    return {
        operation["operationId"]: (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def sample(name: str, parameter: inspect.Parameter, operation: str) -> Any:
    if operation == "exchange_chunks" and name == "progress":
        return []
    if name in SAMPLES:
        return SAMPLES[name]
    kind = str(parameter.annotation)
    if name in LISTS:
        return []
    if "Mapping" in kind or "Facts" in kind:
        return {"a": 1}
    if "datetime" in kind:
        return datetime(2026, 11, 21, tzinfo=UTC)
    return next((value for word, value in PLAIN.items() if word in kind), None)


def made(name: str) -> Call[Any]:
    """The call with a value for each of its parameters."""
    function = CALLS[name]
    given = {
        key: None if (name, key) == ("create_job", "progress") else sample(key, one, name)
        for key, one in inspect.signature(function).parameters.items()
    }
    return function(**given)


def resolve(document: Mapping[str, Any], shape: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in shape or len(shape.get("allOf", ())) == 1:
        if "$ref" in shape:
            shape = document["components"]["schemas"][shape["$ref"].rpartition("/")[2]]
        else:
            shape = shape["allOf"][0]
    return shape


def test_every_operation_has_its_call_or_a_reason(operations):
    assert set(operations) == (set(CALLS) - OUTSIDE) | set(LEFT_OUT)


def test_every_call_is_a_method_of_a_client():
    offered = {
        inspect.unwrap(one.make).__name__
        for group in vars(groups).values()
        if inspect.isclass(group) and group.__module__ == groups.__name__
        for one in vars(group).values()
        if isinstance(one, Operation | Procedure | Feed)
    }
    assert set(CALLS) - OUTSIDE <= offered


@pytest.mark.parametrize("name", sorted(set(CALLS) - OUTSIDE))
def test_a_call_goes_where_the_document_says(name, operations):
    method, path, _ = operations[name]
    call = made(name)
    pattern = re.sub(r"\\\{key\\\}", "entry", re.escape(path))
    assert call.method == method
    assert re.fullmatch(re.sub(r"\\\{\w+\\\}", r"[^/]+", pattern), call.path)


@pytest.mark.parametrize("name", sorted(set(CALLS) - OUTSIDE))
def test_a_call_asks_all_that_can_be_asked_and_nothing_else(name, operations):
    _, _, operation = operations[name]
    asked = {"query": made(name).query, "header": made(name).headers}
    for place, given in asked.items():
        said = {
            one["name"] for one in operation.get("parameters", ())
            if one["in"] == place and (name, one["name"]) not in NOT_ASKED
        }  # fmt: skip
        assert set(given) == said, place


@pytest.mark.parametrize("name", sorted(set(CALLS) - OUTSIDE))
def test_a_body_has_the_fields_of_the_document(name, operations, document):
    _, _, operation = operations[name]
    content = operation.get("requestBody", {}).get("content", {})
    call = made(name)
    if "multipart/form-data" in content:
        shape = resolve(document, content["multipart/form-data"]["schema"])
        assert {"file", *call.form} == set(shape["properties"])
        return
    shape = resolve(document, content.get("application/json", {}).get("schema", {}))
    if not shape.get("properties"):
        assert (call.body is None) == (not content)
        return
    assert set(msgspec.json.decode(call.body or b"{}")) == set(shape["properties"])


@pytest.mark.parametrize("name", sorted(set(CALLS) - OUTSIDE))
def test_an_answer_is_read_as_the_type_of_the_document(name, operations, document):
    _, _, operation = operations[name]
    read = made(name).read
    model = read.kind if isinstance(read, Reader) else None
    if name in ("get_entry", "put_entry", "get_transcript", "get_chunk_audio", "get_output", *ZIPS):
        assert model is None  # a value with its tag, text, sound
        return
    for status in {"200", "201"} & set(operation["responses"]):
        shape = operation["responses"][status]["content"]["application/json"]["schema"]
        differences = list(compare(document, model, shape, name))
        assert differences == []


def compare(document, kind, shape, where):
    """How a type differs from what the document says."""
    shape = resolve(document, shape)
    kinds = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    plain = next((one for one in kinds if one is not type(None)), Any)
    if isinstance(plain, type) and issubclass(plain, Model):
        yield from compare_fields(document, plain, shape, where)
    elif typing.get_origin(plain) is list:
        yield from compare(document, typing.get_args(plain)[0], shape.get("items", {}), where)
    else:
        if name_of(plain) not in (said := names_of(shape)) and said:
            yield f"{where}: {plain} is none of {said}"
    if "null" in names_of(shape) and type(None) not in kinds and plain is not Any:
        yield f"{where}: may be null"


def compare_fields(document, model, shape, where):
    fields = {field.encode_name: field for field in msgspec.structs.fields(model)}
    if set(fields) != set(shape["properties"]):
        yield f"{where}: {set(fields) ^ set(shape['properties'])}"
    for name in set(fields) & set(shape["properties"]):
        field, here = fields[name], f"{where}.{name}"
        said = name in shape.get("required", ())
        if field.required != said and (model.__name__, name) not in LATELY:
            yield f"{here}: required by one of both"
        yield from compare(document, field.type, shape["properties"][name], here)


def name_of(kind) -> str:
    origin = typing.get_origin(kind) or kind
    names = {bool: "boolean", int: "integer", float: "number", dict: "object", list: "array"}
    return names.get(origin, "any" if kind is Any else "string")


def names_of(shape) -> set[str]:
    said = shape.get("type", ())
    return {said} if isinstance(said, str) else set(said)


def test_words_of_states_are_those_of_the_document(document):
    shapes = document["components"]["schemas"]
    for word, shape in {
        words.JobStatus: "JobStatus", words.ChunkStatus: "ChunkStatus",
        words.WorkerStatus: "WorkerStatus", words.IssueStatus: "IssueStatus",
        words.LabelStatus: "LabelStatus", words.Outcome: "OutcomeEnum",
        words.NodeCondition: "ConditionEnum",
        words.DeliveryState: "DeliveryState",
    }.items():  # fmt: skip
        assert [str(one) for one in word] == shapes[shape]["enum"]
