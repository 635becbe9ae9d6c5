"""Push nodes may be in the networks that were allowed, and never at a metadata address."""

from __future__ import annotations

import pytest

from orchard.conf_nodes import PRIVATE, is_network_list
from orchard.ports.node_addresses import AddressRefused, check_address, find_addresses
from orchard.ports.node_addresses import parse_networks as parse

ANYWHERE = parse("0.0.0.0/0,::/0")


@pytest.mark.parametrize("address", ["10.1.2.3", "192.168.0.7", "172.31.255.1", "fd12::1"])
def test_private_networks_are_allowed_by_default(address):
    check_address(address, parse(PRIVATE))


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "::1", "8.8.8.8", "169.254.1.1", "fe80::1", "172.32.0.1", "100.64.0.1",
     "::ffff:127.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1"],
)  # fmt: skip
def test_this_machine_and_strangers_are_not(address):
    with pytest.raises(AddressRefused, match="ORCHARD_NODE_NETWORKS"):
        check_address(address, parse(PRIVATE))


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "fd00:ec2::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
     "2002:a9fe:a9fe::", "100.100.100.200", "168.63.129.16"],
)  # fmt: skip
def test_metadata_addresses_are_refused_whatever_is_allowed(address):
    with pytest.raises(AddressRefused, match="metadata"):
        check_address(address, ANYWHERE)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "fe80::1%eth0"])
def test_what_is_no_machine_is_refused_whatever_is_allowed(address):
    with pytest.raises(AddressRefused):
        check_address(address, ANYWHERE)


@pytest.mark.parametrize(
    "url", ["http://2130706433", "http://0x7f.1:80", "http://127.1", "http://localhost"]
)
async def test_other_spellings_of_this_machine_are_this_machine(url):
    with pytest.raises((AddressRefused, OSError)):
        await find_addresses(url, parse(PRIVATE))
    assert set(await find_addresses(url, parse("127.0.0.0/8,::1"))) <= {"127.0.0.1", "::1"}


async def test_a_port_that_there_is_not_is_refused():
    with pytest.raises(AddressRefused, match="port"):
        await find_addresses("http://10.0.0.1:99999", ANYWHERE)


@pytest.mark.parametrize("text", ["", "10.0.0.0/8", " 10.0.0.0/8 , ::1 ", PRIVATE])
def test_lists_of_networks_are_understood(text):
    assert is_network_list(text) == ""
    assert len(parse(text)) == len([name for name in text.split(",") if name.strip()])


@pytest.mark.parametrize("text", ["10.0.0.1/8", "home", "10.0.0.0/33"])
def test_what_is_no_list_of_networks_is_refused_with_an_example(text):
    assert "192.168.0.0/16" in is_network_list(text)
