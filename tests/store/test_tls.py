"""TLS, users and passwords, against the Redis of the system: the embedded server has no TLS."""

from __future__ import annotations

import asyncio
import datetime

import pytest
import redis
import trustme

from statecore.store import ops
from statecore.store.address_urls import parse_address
from statecore.store.addresses import WrongAddress
from statecore.store.channels import open_channels
from statecore.store.errors import EngineRefuses, StoreUnavailable
from statecore.store.permissions import acl_rules
from statecore.store.redis import RedisStore
from tests.servers import ServerProcess, free_port
from tests.tls_servers import TlsServer, issued, redis_binary

A = ops.Key("a")


@pytest.fixture(scope="module")
def binary():
    return redis_binary()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A CA with its file."""
    folder = tmp_path_factory.mktemp("ca")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    return authority, folder / "ca.pem"


@pytest.fixture(scope="module")
def tls(binary, authority, tmp_path_factory):
    """A server with a certificate for localhost that wants one of its clients."""
    folder = tmp_path_factory.mktemp("tls")
    ca, path = authority
    server = TlsServer(folder, binary, path, issued(ca, folder, "localhost"))
    server.start()
    server.await_answer()
    server.paths = issued(ca, folder / "client", "client")
    yield server
    server.close()


def refusal(url):
    store = RedisStore(url)
    try:
        with pytest.raises(EngineRefuses) as refused:
            store.check()
    finally:
        store.close()
    assert "\n" not in str(refused.value)
    assert "; allowed: " in str(refused.value)
    return str(refused.value)


def test_both_sides_know_each_other_by_certificates(tls, authority):
    certificate, key = tls.paths
    url = tls.url(ssl_ca_certs=authority[1], ssl_certfile=certificate, ssl_keyfile=key)
    store = RedisStore(url)
    store.check()
    store.commit({}, [ops.Set("a", b"1")])
    assert store.read(A) == [b"1"]
    assert asyncio.run(store.aread(A)) == [b"1"]
    store.close()


def test_a_server_that_wants_our_certificate_is_told(tls, authority):
    assert "wants a certificate of ours" in refusal(tls.url(ssl_ca_certs=authority[1]))


def test_a_certificate_for_another_host_is_refused(tls, authority):
    certificate, key = tls.paths
    options = {"ssl_ca_certs": authority[1], "ssl_certfile": certificate, "ssl_keyfile": key}
    assert "its certificate does not" in refusal(tls.url("127.0.0.1", **options))
    store = RedisStore(tls.url("127.0.0.1", **options, ssl_check_hostname="false"))
    store.check()
    store.close()


def test_a_certificate_of_an_unknown_authority_is_refused(tls, tmp_path):
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    assert "does not vouch for" in refusal(tls.url(ssl_ca_certs=tmp_path / "other.pem"))


def test_an_expired_certificate_is_refused(binary, authority, tmp_path):
    ca, path = authority
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    expired = issued(ca, tmp_path / "old", "localhost", not_before=past,
                     not_after=past + datetime.timedelta(days=1))  # fmt: skip
    server = TlsServer(tmp_path, binary, path, expired)
    try:
        server.start()
        server.await_answer()
        assert "certificate has expired" in refusal(server.url(ssl_ca_certs=path))
    finally:
        server.close()


def test_tls_to_a_plain_port_and_the_other_way_round_are_told(tls, authority):
    plain = f"rediss://localhost:{tls.port}?ssl_ca_certs={authority[1]}"
    assert "does not speak TLS" in refusal(plain)
    assert "speaks TLS; allowed: rediss://" in refusal(f"redis://localhost:{tls.tls_port}")


def test_a_certificate_without_its_key_is_refused(tls, tmp_path):
    certificate, key = tls.paths
    with pytest.raises(WrongAddress, match="is set alone"):
        parse_address(tls.url(ssl_certfile=certificate))
    with pytest.raises(WrongAddress, match="allowed: a certificate in PEM, with its key"):
        parse_address(tls.url(ssl_certfile=key, ssl_keyfile=key))


@pytest.fixture(params=["redis", "valkey"])
def guarded(request, tmp_path):
    """A server that lets nobody in but the user that ``acl`` prints."""
    found = request.getfixturevalue("binary") if request.param == "redis" else None
    server = ServerProcess(tmp_path / "server", binary=found)
    try:
        server.start()
        server.await_answer()
        server.client.execute_command("ACL", "SETUSER", "orchard", *acl_rules("pa55word"))
        server.client.execute_command("ACL", "SETUSER", "default", "off")
        yield server
    finally:
        server.close()


def test_the_user_that_acl_prints_may_do_what_we_need(guarded, tmp_path):
    (tmp_path / "password").write_text("pa55word\n")
    url = f"redis://orchard@127.0.0.1:{guarded.port}?password_file={tmp_path}/password"
    store = RedisStore(url)
    store.check()
    writes = [
        ops.Set("a", b"1"), ops.Set("b", b"1", 1000), ops.HashSet("h", {"f": b"1", "g": b"1"}),
        ops.HashDelete("h", ("g",)), ops.SetAdd("s", ("m", "n")), ops.SetRemove("s", ("n",)),
        ops.SortedAdd("z", {"m": 1.0, "n": 2.0}), ops.SortedRemove("z", ("n",)),
        ops.SortedAddFromNow("l", {"m": 1}), ops.Append("e", (b"x",), 10), ops.Delete(("c",)),
        ops.Expire("a", 1000), ops.Expire("b", None),
    ]  # fmt: skip
    store.commit({A: None, ops.Field("h", "f"): None, ops.Size("h"): b"0"}, writes)
    refs = (A, ops.Field("h", "f"), ops.Size("h"), ops.WholeHash("h"), ops.Members("s"),
            ops.Count("z"), ops.Score("z", "m"))  # fmt: skip
    assert store.read(*refs) == [b"1", b"1", b"1", {"f": b"1"}, frozenset({"m"}), 1, 1.0]
    assert store.take("z", "l", 1, 1000) == ["m"]
    assert store.scan_index("l", 10, newest_first=True)
    tailed = store.tail("e", "")
    assert store.tail("e", tailed.cursor, block_ms=10).entries == ()
    assert store.describe("e")["streams"] == {"e": 1}
    assert store.describe("e")["software"]
    asyncio.run(publish_and_listen(store))
    store.close()


async def publish_and_listen(store):
    channels = open_channels(store)
    name = "poppo:channel:mirin:requests"
    async with channels.listen(name) as messages:
        assert await channels.publish(name, b"hello") == 1
        assert await anext(messages) == (name, b"hello")
    await channels.close()


def test_that_user_may_do_nothing_else(guarded):
    with redis.Redis("127.0.0.1", guarded.port, username="orchard", password="pa55word") as client:
        for command in (["FLUSHALL"], ["CONFIG", "SET", "save", ""], ["KEYS", "*"], ["SHUTDOWN"],
                        ["ACL", "LIST"], ["PUBLISH", "other", "x"]):  # fmt: skip
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*command)


def test_a_wrong_password_is_told(guarded):
    url = f"redis://orchard:pa55word@127.0.0.1:{guarded.port}"
    assert "authentication fails" in refusal(url.replace("pa55word", "wrong"))


def test_a_port_that_nobody_listens_on_is_no_mistake():
    store = RedisStore(f"redis://127.0.0.1:{free_port()}")
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        store.check()
    store.close()
