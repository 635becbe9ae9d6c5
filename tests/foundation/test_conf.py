"""Settings: where a value comes from, and what is said about a wrong one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from orchard.checks import exposed, misspelt
from orchard.conf import Conf, load_conf
from orchard.conf_values import STORE_SCHEMES
from orchard.management.commands.show_settings import settings_page
from statecore.store import SCHEMES

ROOT = Path(__file__).parents[2]
NO_FILE = Path("/nonexistent/config.json")


def written(path: Path, content: Any) -> Path:
    """A configuration file with this content."""
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def refusal(environ: dict[str, str], path: Path = NO_FILE) -> str:
    """What is said about a wrong value."""
    with pytest.raises(ImproperlyConfigured) as refused:
        load_conf(environ, path)
    text = str(refused.value)
    assert "\n" not in text
    return text


WRONG = {
    "ORCHARD_AGENTS": [("-1", "from 0 to 64"), ("two", "a whole number")],
    "ORCHARD_WITHOUT": [("web", "pipeline, ambassador, dispatch"), ("pipeline;dispatch", "commas")],
    "ORCHARD_PIPELINE_MEMORY_MB": [("23", "24 to"), ("much", "a whole number")],
    "PORT": [("0", "1 to 65535"), ("65536", "1 to 65535"), ("http", "a whole number")],
    "ORCHARD_HOST": [("http://here", "host name or address"), ("a b", "host name")],
    "ORCHARD_ALLOWED_HOSTS": [("a,http://b", "without http://"), ("a:80", "without http://")],
    "ORCHARD_HTTPS": [("maybe", "true or false")],
    "ORCHARD_DATA": [("a\0b", "a path")],
    "ORCHARD_DEBUG": [("2", "true or false")],
    "ORCHARD_LOG_FORMAT": [("xml", "line or json")],
    "ORCHARD_LANGUAGE": [("tlh", "en or ja")],
    "ORCHARD_TIME_ZONE": [("Mars/Phobos", "Asia/Tokyo"), ("../etc/passwd", "Asia/Tokyo")],
    "ORCHARD_UPLOAD_MAX_BYTES": [("2GB", "a whole number"), ("-1", "from 1 to")],
    "ORCHARD_THROTTLE_KNOWN": [("0", "from 1")],
    "ORCHARD_THROTTLE_STRANGERS": [("1.5", "a whole number")],
    "ORCHARD_UPLOAD_TTL_S": [("0", "from 1 to"), ("a day", "a number")],
    "ORCHARD_UPLOAD_IDLE_S": [("0", "from 0.1 to"), ("long", "a number")],
    "ORCHARD_JOB_TTL_S": [("nan", "from 1 to"), ("inf", "from 1 to"), ("1h", "a number")],
    "ORCHARD_WORKER_TTL_S": [("0", "from 1 to"), ("1e300", "from 1 to")],
    "ORCHARD_WORKER_ONLINE_S": [("-30", "from 1 to")],
    "ORCHARD_CHUNK_LEASE_S": [("0", "from 0.1 to 86400")],
    "ORCHARD_STAGE_LEASE_S": [("soon", "a number from 0.1 to 86400")],
    "ORCHARD_CHUNK_MAX_ATTEMPTS": [("0", "from 1 to 1000")],
    "ORCHARD_STAGE_MAX_ATTEMPTS": [("three", "a whole number from 1 to 1000")],
    "ORCHARD_RETRY_BACKOFF_S": [("-0.1", "from 0 to 3600")],
    "ORCHARD_EVENTS_MAX": [("99", "from 100 to"), ("9" * 5000, "from 100 to")],
    "ORCHARD_RESULT_INLINE_MAX_BYTES": [("-1", "from 0 to")],
    "ORCHARD_PURIFIER_DEFAULT": [("perhaps", "true or false")],
    "ORCHARD_PROXIES": [("-1", "from 0 to 10"), ("two", "a whole number")],
    "ORCHARD_LOGIN_ATTEMPTS": [("0", "from 1 to 100")],
    "ORCHARD_LOGIN_PAUSE_S": [("0", "from 1 to 86400")],
    "ORCHARD_THROTTLE_HOT": [("0", "from 1 to")],
    "ORCHARD_OPENAI_MODELS": [("a b", "names with commas"), ("-x", "names with commas")],
    "ORCHARD_OPENAI_WAIT_S": [("-1", "from 0 to 86400"), ("long", "a number")],
    "ORCHARD_LOG_MAX_AGE_DAYS": [("0", "from 0.01 to 3660"), ("a week", "a number")],
    "ORCHARD_LOG_MAX_BYTES": [("1GB", "a whole number"), ("1000", "from 5000000 to")],
    "ORCHARD_STATE_DIR": [("a\0b", "text")],
    "ORCHARD_ISSUE_LEASE_S": [("0", "from 0.1 to")],
    "ORCHARD_ISSUE_SILENCE_S": [("never", "a number from 0.1 to")],
    "ORCHARD_PROCESS_TTL_S": [("nan", "from 0.1 to")],
    "ORCHARD_LOCK_TTL_S": [("86401", "from 0.1 to 86400")],
    "ORCHARD_VALUE_MAX_BYTES": [("1MB", "a whole number"), ("0", "from 1 to")],
    "ORCHARD_LABELS": [("gitlab", "files or github or off")],
    "ORCHARD_LABEL_MAX_ATTEMPTS": [("0", "from 1 to 1000")],
    "ORCHARD_LABEL_BACKOFF_S": [("-1", "from 0 to 3600")],
    "ORCHARD_ORPHAN_CHECK_S": [("0", "from 0.1 to 86400")],
    "ORCHARD_GITHUB_REPOSITORY": [("owner", "owner/name"), ("a/b/c", "owner/name")],
    "ORCHARD_GITHUB_URL": [("api.github.com", "https://host"), ("https://me:pw@h", "https://")],
}
WRONG |= {
    "ORCHARD_STORE_USERNAME": [("a\0b", "text")],
    "ORCHARD_STORE_PASSWORD_FILE": [("a\0b", "text")],
    "ORCHARD_STORE_CA": [("a\0b", "text")],
    "ORCHARD_STORE_CERTIFICATE": [("a\0b", "text")],
    "ORCHARD_STORE_KEY": [("a\0b", "text")],
    "ORCHARD_STORE_CHECK_HOSTNAME": [("perhaps", "true or false")],
    "ORCHARD_SENTINEL_USERNAME": [("a\0b", "text")],
    "ORCHARD_SENTINEL_PASSWORD_FILE": [("a\0b", "text")],
    "ORCHARD_TRACES": [("collector:4318", "http://host of a collector"), ("on", "or otel")],
    "ORCHARD_QUOTA_JOBS": [("-1", "from 0 to 1000000"), ("many", "a whole number")],
    "ORCHARD_QUOTA_AUDIO_HOURS": [("-1", "from 0 to 1000000"), ("nan", "from 0 to 1000000")],
    "ORCHARD_QUALITY_GUARD": [("perhaps", "true or false")],
    "ORCHARD_JOB_TYPES": [("a b", "dotted paths"), ("Pages", "dotted paths")],
    "ORCHARD_JOB_TYPE_LIMITS": [("text", "text=4"), ("a=-1", "text=4"), ("a=4;b=1", "text=4")],
    "ORCHARD_DURABILITY": [("twice", "local or replicated")],
    "ORCHARD_NODE_NETWORKS": [("home", "192.168.0.0/16"), ("10.0.0.1/8", "networks with commas")],
    "ORCHARD_NODE_TIMEOUT_S": [("0", "from 0.1 to 86400"), ("nan", "from 0.1 to 86400")],
    "ORCHARD_NODE_REST_S": [("0", "from 0.05 to 3600"), ("soon", "a number")],
    "ORCHARD_WEBHOOK_NETWORKS": [("home", "192.168.0.0/16"), ("10.0.0.1/8", "networks with")],
    "ORCHARD_WEBHOOK_TIMEOUT_S": [("0", "from 0.1 to 60"), ("nan", "from 0.1 to 60")],
    "ORCHARD_WEBHOOK_KEEP_DAYS": [("0", "from 1 to 3660"), ("long", "a number")],
    "ORCHARD_KEY_RING": [("a\0b", "text")],
    "ORCHARD_SEALED": [("sound", "some of state, transcripts"), ("state;files", "with commas")],
    "ORCHARD_S3_BUCKET": [("Großes", "small letters"), ("a", "3 to 63")],
    "ORCHARD_S3_URL": [("s3.example.org", "https://host"), ("ftp://h", "http://host")],
    "ORCHARD_S3_REGION": [("a\0b", "text")],
    "ORCHARD_S3_PREFIX": [("../up", "names with slashes"), ("/a", "names with slashes")],
    "ORCHARD_FALLBACK": [("maybe", "auto or on or off")],
    "ORCHARD_PARTITIONS": [("-1", "from 0 to 1024"), ("1025", "from 0 to 1024"), ("x", "number")],
    "ORCHARD_ENGINE_WAIT_S": [("-1", "from 0 to 86400"), ("long", "a number from 0")],
    "ORCHARD_FAILOVER_WAIT_S": [("-1", "from 0 to 60"), ("nan", "from 0 to 60")],
}
WRONG_SECRETS = {
    "ORCHARD_STORE_PASSWORD": [("pa55word\0", "text")],
    "ORCHARD_SENTINEL_PASSWORD": [("pa55word\0", "text")],
    "ORCHARD_STORE": [
        ("postgres://:pa55word@h/0", "embedded://, memory://, redis://, rediss://, unix://"),
        ("redis://:pa55word@h:99999/0", "host:port"),
        ("redis:///0?password=pa55word", "host:port"),
        ("unix://?password=pa55word", "unix:///path"),
        ("embedded://pa55word", "embedded:// alone"),
        ("redis", "embedded://"),
    ],
    "DATABASE_URL": [
        ("mysql://u:pa55word@h/d", "postgres://"),
        ("postgres://u:pa55word@h:x/d", "postgres://"),
    ],
    "ORCHARD_SECRET_KEY": [("pa55word", "at least 50 characters")],
    "ORCHARD_GITHUB_TOKEN": [("pa55word\0", "text")],
    "ORCHARD_S3_ACCESS_KEY": [("pa55word\0", "text")],
    "ORCHARD_S3_SECRET_KEY": [("pa55word\0", "text")],
}


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [(name, *case) for name, cases in WRONG.items() for case in cases],
)
def test_a_wrong_value_is_refused_with_its_name_and_what_is_allowed(name, value, allowed):
    text = refusal({name: value})
    assert text.startswith(f"{name} is {value!r}; allowed: ")
    assert allowed in text


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [(name, *case) for name, cases in WRONG_SECRETS.items() for case in cases],
)
def test_a_wrong_secret_is_refused_without_being_shown(name, value, allowed):
    text = refusal({name: value})
    assert text.startswith(f"{name} is (not shown); allowed: ")
    assert allowed in text
    assert "pa55word" not in text


def test_every_setting_is_tried_with_wrong_values():
    assert {*WRONG, *WRONG_SECRETS} == {one.metadata["env"] for one in fields(Conf)}


def test_environment_wins_over_file_and_file_over_defaults(tmp_path):
    path = written(tmp_path / "c.json", {"orchard": {"port": 81, "job_ttl_s": 7}})
    conf = load_conf({"PORT": "82"}, path)
    assert (conf.port, conf.job_ttl_s, conf.chunk_lease_s) == (82, 7.0, 30.0)


def test_an_empty_variable_is_as_good_as_none():
    assert load_conf({"PORT": "", "ORCHARD_STORE": ""}, NO_FILE) == Conf()


@pytest.mark.parametrize("value", [True, 1.5, "x", None, [], {}, 10**400])
def test_values_in_the_file_are_checked_too(tmp_path, value):
    path = written(tmp_path / "c.json", {"orchard": {"port": value}})
    assert f"{path}: orchard.port is {value!r}; allowed:" in refusal({}, path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "cannot be read as JSON"),
        ("[" * 100_000, "cannot be read as JSON"),
        ("[]", "must hold a JSON object"),
        ({"orchard": []}, "orchard must be an object"),
        ({"orchad": {}}, "unknown section orchad; did you mean orchard?"),
        ({"orchard": {"prot": 1}}, "orchard.prot is no setting; did you mean port?"),
        ({"orchard": {"zzzzzz": 1}}, "orchard.zzzzzz is no setting"),
        ({"unifiedStateManagement": {"backnd": "file"}}, "did you mean backend?"),
        ({"unifiedStateManagement": {"backend": "reddis"}}, "allowed: file or redis"),
        ({"unifiedStateManagement": {"redis": 1}}, "redis must be an object"),
        ({"unifiedStateManagement": {"enabled": "yes"}}, "allowed: true or false"),
        ({"unifiedStateManagement": {"redis": {"hst": ""}}}, "did you mean host?"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, content, said):
    path = written(tmp_path / "c.json", content)
    text = refusal({}, path)
    assert text.startswith(f"{path}: ")
    assert said in text


def state_section(**redis: Any) -> dict[str, Any]:
    """The section as the programs of before wrote it."""
    return {
        "unifiedStateManagement": {
            "enabled": True,
            "backend": "redis",
            "redis": {"enabled": True, "processId": None, **redis},
            "namespaces": {"issues": {"description": "Issue関連の状態"}},
        }
    }


@pytest.mark.parametrize(
    ("redis", "url"),
    [
        ({}, "redis://127.0.0.1:6379/0"),
        ({"host": "db.lan", "port": 7000, "db": 3}, "redis://db.lan:7000/3"),
        ({"password": "p@ss/#1"}, "redis://:p%40ss%2F%231@127.0.0.1:6379/0"),
        ({"host": "::1"}, "redis://[::1]:6379/0"),
        ({"enabled": False}, "embedded://"),
    ],
)
def test_the_old_section_names_the_redis_server(tmp_path, redis, url):
    path = written(tmp_path / "c.json", state_section(**redis))
    assert load_conf({}, path).store == url


@pytest.mark.parametrize(
    "redis", [{"port": "6379"}, {"port": 0}, {"db": -1}, {"db": True}, {"host": ""}, {"host": 1}]
)
def test_a_wrong_redis_server_is_refused_by_name(tmp_path, redis):
    path = written(tmp_path / "c.json", state_section(**redis))
    (name,) = redis
    assert f"unifiedStateManagement.redis.{name} is {redis[name]!r}; allowed:" in refusal({}, path)


def test_sections_of_other_programs_are_let_alone(tmp_path):
    path = written(tmp_path / "c.json", {"github": {"owner": "x"}, "language": "ja"})
    assert load_conf({}, path) == Conf()


def test_secrets_are_never_shown():
    conf = load_conf({"ORCHARD_STORE": "redis://:pa55word@h:1/0"}, NO_FILE)
    assert conf.show("store") == "(set)"
    assert conf.show("secret_key") == "(not set)"
    assert "pa55word" not in repr(conf)


def test_the_example_file_is_valid():
    conf = load_conf({}, ROOT / "config/config.example.json")
    assert conf.store == "redis://127.0.0.1:6379/0"


def test_all_stores_of_the_settings_can_be_opened():
    # Files are for older programs and for scripts: a site of many processes wants an engine.
    assert set(STORE_SCHEMES) == set(SCHEMES) - {"file"}
    for scheme in STORE_SCHEMES:
        end = {"unix": "/sock", "embedded": "", "memory": ""}.get(scheme, "h")
        end += "/name" if "sentinel" in scheme else ""
        assert load_conf({"ORCHARD_STORE": f"{scheme}://{end}"}, NO_FILE)


def test_the_settings_page_is_up_to_date():
    assert (ROOT / "docs/settings.md").read_text() == settings_page(), (
        "run: python manage.py show_settings --markdown > docs/settings.md"
    )


def run_manage(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """What the command line answers."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | environ, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("command", ["up", "serve", "pipeline", "sign_in_link"])
def test_a_command_refuses_a_wrong_setting_in_one_line(command, tmp_path):
    done = run_manage(command, PORT="eighty", ORCHARD_DATA=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr == (
        "Configuration: PORT is 'eighty'; allowed: a whole number from 1 to 65535\n"
    )


def test_a_data_folder_that_cannot_be_is_refused_by_name(tmp_path):
    blocking = tmp_path / "file"
    blocking.write_text("")
    done = run_manage("show_settings", ORCHARD_DATA=str(blocking / "var"))
    assert done.returncode == 1
    assert done.stderr.startswith("Configuration: ORCHARD_DATA is ")
    assert done.stderr.count("\n") == 1


def test_a_configuration_file_that_is_named_must_exist(tmp_path):
    done = run_manage("show_settings", ORCHARD_CONFIG=str(tmp_path / "none.json"))
    assert "allowed: a file that exists" in done.stderr


def test_production_settings_pass_djangos_own_checks(tmp_path):
    done = run_manage(
        "check", "--deploy", "--fail-level", "WARNING", ORCHARD_DATA=str(tmp_path),
        ORCHARD_HTTPS="true", ORCHARD_HOST="0.0.0.0", ORCHARD_ALLOWED_HOSTS="orchard.example",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_a_misspelt_variable_is_warned_about_and_a_foreign_one_is_not():
    environ = {"ORCHARD_UPLOAD_MAX_BYTE": "1", "ORCHARD_MASTER": "x", "ORCHARD_PORT_80_TCP": "y"}
    messages = [warning.msg for warning in misspelt(environ)]
    assert messages == [
        "ORCHARD_UPLOAD_MAX_BYTE is no setting; did you mean ORCHARD_UPLOAD_MAX_BYTES?"
    ]


def test_faults_shown_to_other_machines_are_warned_about():
    assert [one.id for one in exposed(Conf(debug=True, host="0.0.0.0"))] == ["orchard.W002"]
    assert [one.id for one in exposed(Conf(allowed_hosts="a,*"))] == ["orchard.W003"]
    assert exposed(Conf(debug=True)) == []
