"""The compose file: held against the specification of Compose, with every image at one version."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

FILE = Path(__file__).parents[2] / "docker-compose.yml"


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    """The file as Compose takes it when nothing is set in ``.env``."""
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", FILE.read_text("utf-8"))
    assert re.findall(r"\$\{\w", text) == [], "a variable without a default"
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def test_the_specification_knows_every_key_and_value(whole):
    PyCompose.from_json(json.dumps(whole))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("restart",), "sometimes"),
        (("cap_dorp",), ["ALL"]),
        (("healthcheck", "intervall"), "2s"),
        (("healthcheck", "interval"), "2 moments"),
        (("depends_on", "prepare", "condition"), "service_done"),
    ],
)
def test_a_slip_would_be_found(whole, place, value):
    harmed = copy.deepcopy(whole)
    part = harmed["services"]["web"]
    for name in place[:-1]:
        part = part[name]
    part[place[-1]] = value
    with pytest.raises(ValueError, match=r"unknown|valid|extension"):
        PyCompose.from_json(json.dumps(harmed))


def test_every_image_of_others_has_a_version(whole):
    ours = {"orchard"}
    images = {one["image"] for one in whole["services"].values()} - ours
    assert images
    for image in images:
        assert re.fullmatch(r"[\w./-]+:v?[0-9][\w.-]*", image), image


def test_every_profile_is_told_how_to_choose(whole):
    text = FILE.read_text("utf-8")
    profiles = {name for one in whole["services"].values() for name in one.get("profiles", ())}
    told = set(re.findall(r"#   COMPOSE_PROFILES=(\w+)", text))
    assert profiles == told


def test_what_a_comment_says_to_set_is_used(whole):
    text = FILE.read_text("utf-8")
    named = set(re.findall(r"^ *#   ([A-Z][A-Z0-9_]+)=", text, re.MULTILINE))
    used = set(re.findall(r"\$\{(\w+):-", text)) | {"COMPOSE_PROFILES"}
    assert named <= used | {one["environment"] for one in whole["secrets"].values()}


def test_every_file_that_a_container_sees_is_there(whole):
    volumes = [volume for one in whole["services"].values() for volume in one.get("volumes", ())]
    files = [volume.split(":")[0] for volume in volumes if volume.startswith(".")]
    assert files
    assert [name for name in files if not (FILE.parent / name).is_file()] == []


def test_prometheus_and_grafana_find_what_they_show(whole):
    services = whole["services"]
    asked = yaml.safe_load((FILE.parent / "deploy/monitoring/prometheus.yml").read_text("utf-8"))
    (scrape,) = asked["scrape_configs"]
    secrets = {f"/run/secrets/{name}" for name in services["prometheus"]["secrets"]}
    assert {scrape["authorization"]["credentials_file"]} == secrets
    (target,) = scrape["static_configs"][0]["targets"]
    assert target.split(":")[0] in services
    seen = {volume.split(":")[1] for volume in services["prometheus"]["volumes"]}
    assert {f"/etc/prometheus/{name}" for name in asked["rule_files"]} <= seen
    found = FILE.parent / "deploy/monitoring/grafana-datasource.yml"
    (source,) = yaml.safe_load(found.read_text("utf-8"))["datasources"]
    assert (source["type"], source["isDefault"]) == ("prometheus", True)
    assert source["url"] == "http://prometheus:9090"
    shown = FILE.parent / "deploy/monitoring/grafana-dashboards.yml"
    (provider,) = yaml.safe_load(shown.read_text("utf-8"))["providers"]
    folder = provider["options"]["path"]
    assert [v for v in services["grafana"]["volumes"] if v.split(":")[1].startswith(f"{folder}/")]


def test_every_volume_that_is_declared_is_used(whole):
    used = {
        volume.split(":")[0]
        for one in whole["services"].values()
        for volume in one.get("volumes", ())
    }
    assert set(whole["volumes"]) == {name for name in used if not name.startswith(".")}
