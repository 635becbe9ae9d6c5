"""Webhooks go where they may: not into private networks unless allowed, never to metadata."""

from __future__ import annotations

import pytest

from orchard.domain.errors import InvalidInput
from orchard.ports.node_addresses import AddressRefused, parse_networks
from orchard.ports.webhook_addresses import check_receiver
from orchard.webhooks import endpoints
from orchard.webhooks.models import Delivery, Endpoint
from tests.services import orchards

PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"]
PRIVATE = [
    "10.1.2.3", "127.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "0.0.0.0", "::1", "::",
    "fc00::1", "fe80::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "2002:7f00:1::", "240.0.0.1",
    "255.255.255.255", "64:ff9b::a00:1", "198.18.0.1", "192.0.2.1", "2001:db8::1", "::7f00:1",
    "fe80::1%eth0", "224.0.0.1", "ff02::1",
]  # fmt: skip
METADATA = ["169.254.169.254", "fd00:ec2::254", "::ffff:169.254.169.254", "100.100.100.200"]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed(address):
    check_receiver(address, ())


@pytest.mark.parametrize("address", [*PRIVATE, *METADATA])
def test_private_addresses_are_refused(address):
    with pytest.raises(AddressRefused):
        check_receiver(address, ())


def test_a_network_that_was_allowed_is_and_no_other():
    allowed = parse_networks("10.0.0.0/8,fc00::/7")
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "fc00::1"):
        check_receiver(address, allowed)
    with pytest.raises(AddressRefused, match=r"ORCHARD_WEBHOOK_NETWORKS: 192\.168\.1\.1"):
        check_receiver("192.168.1.1", allowed)


@pytest.mark.parametrize("address", METADATA)
def test_metadata_is_refused_whatever_is_allowed(address):
    with pytest.raises(AddressRefused, match="metadata"):
        check_receiver(address, parse_networks("0.0.0.0/0,::/0"))


@pytest.mark.parametrize(
    "url",
    ["", "ftp://h/x", "http://", "http:///x", "//h/x", "http://a b/", "http://me:pw@127.0.0.1/",
     "http://127.0.0.1/#x", "http://127.0.0.1:99999/", "http://127.0.0.1:0/", "http://[::1",
     "javascript:alert(1)", "http://127.0.0.1\\@evil/", "http://127.0.0.1/\n", "file:///etc/passwd",
     "http://127.0.0.1/" + "x" * 500, "http://no-such-host.invalid/", "http://" + "a" * 70 + "/"],
)  # fmt: skip
def test_what_is_no_address_is_refused(store, url):
    with pytest.raises(InvalidInput) as refusal:
        endpoints.create(url)
    assert refusal.value.field == "url"
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize("host", ["10.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]"])
def test_a_private_address_is_refused_unless_it_is_allowed(store, host, monkeypatch):
    monkeypatch.setattr(endpoints, "allowed_networks", lambda: ())
    with pytest.raises(InvalidInput, match="ORCHARD_WEBHOOK_NETWORKS"):
        endpoints.create(f"http://{host}/hook")
    monkeypatch.setattr(endpoints, "allowed_networks", lambda: parse_networks("0.0.0.0/0,::/0"))
    endpoints.create(f"http://{host}/hook")


def test_a_name_that_leads_elsewhere_later_is_refused_when_it_is_sent(store, post, receiver):
    endpoints.create(receiver.url)
    post.networks = ""
    orchards.submit()
    post.settle()
    row = Delivery.objects.get()
    assert row.error.startswith("this is private, and in none of the networks")
    assert receiver.heard == []


def test_fields_that_are_wrong_are_named(store, receiver):
    for facts, field in [
        ({"types": ["job.exploded"]}, "types"),
        ({"description": "x" * 201}, "description"),
    ]:
        with pytest.raises(InvalidInput) as refusal:
            endpoints.create(receiver.url, **facts)
        assert refusal.value.field == field
