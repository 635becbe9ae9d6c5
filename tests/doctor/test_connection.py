"""Every fault of the connection for real: named in plain words, with what helps."""

from __future__ import annotations

import json
import shutil
import socket
import time
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from orchard.doctor import connection, surroundings
from orchard.doctor.connection import reach
from orchard.doctor.troubles import CODES, explain
from orchard.management.commands.doctor import Command
from orchard.services import engine
from statecore.store import open_store
from statecore.store.redis import RedisStore

SECRET = "swordfish-1"


def codes(url: str, **options: object) -> list[str]:
    """What is wrong with the engine at a URL."""
    store, troubles = reach(lambda: open_store(url), url)
    if store:
        store.close()
    for trouble in troubles:
        assert SECRET not in trouble.what + trouble.help
        assert trouble.help
    return [trouble.code for trouble in troubles]


def with_login(server, login):
    return server.url.replace("redis://", f"redis://{login}@")


def test_a_good_engine_has_no_troubles(own_engine_server):
    assert codes(own_engine_server.url) == []


def test_nobody_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"redis://:{SECRET}@127.0.0.1:{port}/0"
    (trouble,) = reach(lambda: open_store(url), url)[1]
    assert trouble.code == "refused"
    assert f"127.0.0.1:{port}" in trouble.what
    assert "valkey-cli" in trouble.help


def test_the_socket_is_not_there(tmp_path):
    assert codes(f"unix://{tmp_path}/valkey.sock") == ["refused"]


def test_there_is_no_such_host():
    assert codes("redis://no-such-host.invalid:6379/0") == ["no-host"]


def test_somebody_listens_and_never_answers():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert codes(f"redis://127.0.0.1:{silent.getsockname()[1]}/0") == ["no-answer"]


def test_the_password_is_missing_or_wrong(own_engine_server):
    own_engine_server.client.config_set("requirepass", SECRET)
    assert codes(own_engine_server.url) == ["no-password"]
    assert codes(with_login(own_engine_server, ":wrong")) == ["wrong-password"]
    assert codes(with_login(own_engine_server, f":{SECRET}")) == []


def test_the_user_lacks_commands_that_are_needed(own_engine_server):
    rules = ["on", f">{SECRET}", "~*", "&*", "+@all", "-zadd", "-config|get"]
    own_engine_server.client.execute_command("ACL", "SETUSER", "orchard", *rules)
    url = with_login(own_engine_server, f"orchard:{SECRET}")
    store, troubles = reach(lambda: open_store(url), url)
    assert store
    store.close()
    gap = next(trouble for trouble in troubles if trouble.code == "acl-gap")
    assert "ZADD" in gap.what
    assert "CONFIG GET" in gap.what
    assert "+zadd" in gap.help
    assert "+config|get" in gap.help
    assert gap.is_grave


def test_the_user_may_run_no_scripts(own_engine_server):
    rules = ["on", f">{SECRET}", "~*", "&*", "+@all", "-eval", "-evalsha"]
    own_engine_server.client.execute_command("ACL", "SETUSER", "orchard", *rules)
    assert codes(with_login(own_engine_server, f"orchard:{SECRET}")) == ["acl-gap"]


def test_the_memory_is_full(own_engine_server):
    own_engine_server.client.config_set("maxmemory", "1")
    assert "out-of-memory" in codes(own_engine_server.url)


def test_the_engine_forgets_and_keeps_nothing(own_engine_server):
    own_engine_server.client.config_set("maxmemory-policy", "allkeys-lru")
    own_engine_server.client.config_set("appendonly", "no")
    assert set(codes(own_engine_server.url)) == {"evicts", "not-kept"}


def test_the_engine_writes_snapshots_only(own_engine_server):
    own_engine_server.client.config_set("save", "3600 1")
    own_engine_server.client.config_set("appendonly", "no")
    assert codes(own_engine_server.url) == ["snapshots-only"]


def test_the_engine_is_a_replica(own_engine_server):
    own_engine_server.client.replicaof("127.0.0.1", own_engine_server.port)  # of itself: never up
    found = codes(own_engine_server.url)
    assert {"read-only", "is-replica"} & set(found)


def test_the_engine_cannot_write_its_snapshots(own_engine_server):
    client = own_engine_server.client
    client.config_set("appendonly", "no")
    client.config_set("save", "3600 1000000")
    client.set("x", 1)
    shutil.rmtree(own_engine_server.directory)
    client.bgsave()
    stop = time.monotonic() + 10
    while client.info("persistence")["rdb_last_bgsave_status"] == "ok":
        assert time.monotonic() < stop
        time.sleep(0.05)
    assert "not-persisted" in codes(own_engine_server.url)
    client.config_set("save", "")  # else it would refuse to end


def test_clocks_are_apart(own_engine_server, monkeypatch):
    real = time.time
    monkeypatch.setattr(connection.time, "time", lambda: real() + 3600)
    assert codes(own_engine_server.url) == ["clock-apart"]


def test_memory_is_no_place_for_state():
    assert codes("memory://") == ["in-memory"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("LOADING Valkey is loading the dataset in memory", "loading"),
        ("MISCONF Errors writing to the AOF file: No space left on device", "not-persisted"),
        ("READONLY You can't write against a read only replica.", "read-only"),
        ("OOM command not allowed when used memory > 'maxmemory'.", "out-of-memory"),
        ("max number of clients reached", "too-many-clients"),
        ("DENIED Redis is running in protected mode because", "protected-mode"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "certificate"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number", "no-tls"),
        ("CLUSTERDOWN Hash slot not served", "primary-away"),
        ("unknown command 'SMISMEMBER'", "old-engine"),
        ("Error 113 connecting to 10.0.0.9:6379. No route to host.", "no-answer"),
        ("The embedded engine does not answer; it may stand still", "embedded-still"),
        ("The embedded engine does not start; its log says:\nBad file", "embedded-dead"),
        ("ERR something new", "engine-fault"),
    ],
)
def test_what_engines_say_is_put_in_plain_words(said, code):
    assert explain(said, "db1", 6380).code == code
    assert "{" not in explain(said, "db1", 6380).help


def test_no_two_troubles_have_one_name():
    assert len(CODES) == len(set(CODES))


# -- around the programs -------------------------------------------------------------


@pytest.mark.django_db
def test_good_surroundings_have_no_troubles(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path
    assert [t for t in surroundings.examine_surroundings(tmp_path) if t.is_grave] == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (blocked := tmp_path / "file").write_text("in the way")
    (trouble,) = surroundings._folder(blocked)
    assert trouble.code == "not-writable"
    assert str(blocked) in trouble.what


def test_a_disk_that_is_nearly_full_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(surroundings, "DISK_LEAST_BYTES", 1 << 60)
    (trouble,) = surroundings._folder(tmp_path)
    assert trouble.code == "disk-near"


@pytest.mark.django_db(transaction=True)
def test_a_database_without_its_tables_is_named():
    call_command("migrate", "orchard", "zero", verbosity=0)
    try:
        (trouble,) = surroundings._database()
        assert trouble.code == "not-migrated"
        assert "prepare" in trouble.help
    finally:
        call_command("migrate", verbosity=0)


# -- the command -----------------------------------------------------------------------


@pytest.fixture
def site(settings, tmp_path, redis_store):
    settings.DATA_DIR, settings.MEDIA_ROOT = tmp_path, tmp_path / "media"
    before = engine.use(redis_store)
    yield redis_store
    engine.use(before)


def doctor(*arguments: str) -> tuple[int, str]:
    """Exit code and output of the command."""
    out = StringIO()
    try:
        call_command(Command(), *arguments, stdout=out, stderr=StringIO())
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


@pytest.mark.django_db
def test_the_command_ends_with_0_when_all_is_well(site):
    code, told = doctor()
    assert code == 0, told
    assert told.strip().endswith("All is well.")


@pytest.mark.django_db
def test_the_command_tells_as_json_and_mends_only_when_told(site):
    from statecore.store import ops

    site.commit({}, [ops.SetAdd("poppo:processes:active", ("ghost",))])
    code, told = doctor("--json")
    assert code == 1
    answer = json.loads(told)
    assert answer["is_well"] is False
    assert answer["state"]["counts"] == {"process-gone": 1}
    assert doctor("--json", "--repair")[0] == 1
    code, told = doctor("--json", "--repair", "--yes")
    assert (code, json.loads(told)["mended"]) == (0, {"process-gone": 1})
    assert doctor()[0] == 0


@pytest.mark.django_db
def test_the_command_ends_with_2_when_the_engine_is_away(site, own_engine_server, monkeypatch):
    own_engine_server.kill()
    engine.use(RedisStore(own_engine_server.url))
    monkeypatch.setattr(
        "orchard.management.commands.doctor.get_conf", lambda: _At(own_engine_server.url)
    )
    code, told = doctor()
    assert code == 2
    assert "Nobody listens" in told


class _At:
    def __init__(self, url: str) -> None:
        self.store, self.data_dir = url, Path()
