"""What is made of the figures: the page, the dashboard, the example and its alerts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families as parse

from orchard.metrics import traffic
from orchard.metrics.catalogue import FIGURES
from orchard.services import engine
from statecore.store.redis import RedisStore
from tests.api.fixtures import Tokens
from tests.api.metric_site import plant

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "metrics.md").read_text("utf-8")
BY_PROMETHEUS = {"job", "instance"}
"""Labels that Prometheus adds."""
Told = dict[str, tuple[str, set[str]]]


@pytest.fixture
def told(redis_store: RedisStore, tokens: Tokens) -> Iterator[Told]:
    """Type and labels of each figure, in a scrape of a site on a real engine."""
    before = engine.use(redis_store)
    plant()
    Client().get("/healthz")
    text = Client(headers=tokens("read")).get("/metrics").content.decode()
    yield {
        sample.name: (family.type, set(sample.labels))
        for family in parse(text)
        for sample in family.samples
    }
    engine.use(before)


@pytest.fixture(scope="module")
def board() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "deploy/grafana/orchard.json").read_text("utf-8"))
    return found


def selectors(expression: str) -> list[promql_parser.VectorSelector]:
    """What an expression of PromQL asks for, by name and labels; one that is none raises."""
    found: list[promql_parser.VectorSelector] = []

    def look(part: promql_parser.Expr) -> bool:
        if isinstance(part, promql_parser.VectorSelector):
            found.append(part)
        return True

    promql_parser.walk(promql_parser.parse(expression), look)
    return found


def missing(expression: str, told: Told) -> list[str]:
    """What an expression asks for and is not told: figures, and labels of them."""
    found = []
    for one in selectors(expression):
        if one.name == "up":  # Prometheus' own
            continue
        if one.name not in told:
            found.append(one.name)
            continue
        labels = {matcher.name for matcher in one.matchers.matchers}
        found += sorted(labels - told[one.name][1] - BY_PROMETHEUS)
    return found


def test_every_figure_is_told_of_a_real_engine_with_its_type_and_labels(told: Told):
    for figure in FIGURES:
        kind = "gauge" if figure.kind == "info" else figure.kind
        assert told[figure.name] == (kind, set(figure.labels)), figure.name


def test_nothing_is_told_that_is_not_in_the_catalogue(told: Told):
    named = {figure.name for figure in FIGURES} | {"orchard_live_sockets"}
    own = ("process_", "orchard_http_")
    assert {name for name in told if not name.startswith(own)} == named


def test_the_page_names_every_figure_of_the_site_and_no_other():
    rows = re.findall(
        r"^\| `(orchard_\w+)` \| (\w+) \| ([^|]*) \| ([^|]*) \|$", DOCUMENT, re.MULTILINE
    )
    shown = {
        name: (kind, set(re.findall(r"`(\w+)`", labels)), meaning)
        for name, kind, labels, meaning in rows
    }
    ours = {one.name: (one.kind, set(one.labels), one.meaning) for one in FIGURES}
    for metric in (traffic.requests, traffic.durations, traffic.sockets):
        name = metric._name + ("_total" if metric._type == "counter" else "")
        ours[name] = (metric._type, set(metric._labelnames), metric._documentation)
    assert shown == ours


def test_the_page_names_the_figures_that_the_client_library_adds(told: Told):
    added = {name for name in told if name.startswith("process_")}
    assert added
    assert [name for name in added if f"`{name}`" not in DOCUMENT] == []


def test_the_dashboard_asks_only_for_what_is_told(told: Told, board: dict[str, Any]):
    asked = [one["expr"] for panel in board["panels"] for one in panel.get("targets", ())]
    assert len(asked) > 30
    assert [(one, missing(one, told)) for one in asked if missing(one, told)] == []
    (job,) = [one for one in board["templating"]["list"] if one["type"] == "query"]
    assert job["query"] == "label_values(orchard_engine_up, job)"


def test_a_slip_in_an_expression_would_be_found(told: Told):
    assert missing('max(orchard_job{state="x"})', told) == ["orchard_job"]
    assert missing('max(orchard_jobs{state="x"})', told) == ["state"]
    with pytest.raises(ValueError, match="parenthesis"):
        selectors("max(orchard_jobs")


def test_the_dashboard_has_the_shape_that_grafana_imports(board: dict[str, Any]):
    assert {"title", "uid", "schemaVersion", "time", "refresh"} <= board.keys()
    assert board["id"] is None
    panels = board["panels"]
    assert len({one["id"] for one in panels}) == len(panels)
    assert {one["type"] for one in panels} == {"row", "stat", "timeseries"}
    source = {"type": "prometheus", "uid": "${datasource}"}
    for panel in [one for one in panels if one["type"] != "row"]:
        assert panel["datasource"] == source
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert all({"refId", "expr"} <= one.keys() for one in panel["targets"])
        assert all(one["datasource"] == source for one in panel["targets"])
    variables = {one["name"] for one in board["templating"]["list"]}
    assert set(re.findall(r"\$\{?(\w+)", json.dumps(panels))) == variables


def test_no_two_panels_of_the_dashboard_overlap(board: dict[str, Any]):
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        columns = range(place["x"], place["x"] + place["w"])
        lines = range(place["y"], place["y"] + place["h"])
        cells = {(x, y) for x in columns for y in lines}
        assert max(columns) < 24, panel["title"]
        assert not cells & taken, panel["title"]
        taken |= cells


def test_the_example_for_prometheus_asks_this_address_with_a_token(db: None):
    conf = yaml.safe_load((ROOT / "deploy/prometheus.yml").read_text("utf-8"))
    (job,) = conf["scrape_configs"]
    assert Client().get(job["metrics_path"]).status_code == 401
    assert job["authorization"].keys() == {"type", "credentials_file"}
    assert job["authorization"]["type"] == "Bearer"
    assert job["static_configs"][0]["targets"]
    assert all((ROOT / "deploy" / name).exists() for name in conf["rule_files"])


def test_every_alert_asks_only_for_what_is_told(told: Told):
    rules = yaml.safe_load((ROOT / "deploy/prometheus-rules.yml").read_text("utf-8"))
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in alerts}) == len(alerts) > 5
    for rule in alerts:
        assert selectors(rule["expr"])
        assert missing(rule["expr"], told) == [], rule["alert"]
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in ("critical", "warning")
