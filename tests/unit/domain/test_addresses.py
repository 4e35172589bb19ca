"""Which IP addresses Shoal speaks to: every edge of the table, and names that lead to several."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.domain.addresses import (
    LOCAL_RULES,
    AddressRules,
    IpAddress,
    Target,
    forbidden,
    vet,
)
from shoal.domain.errors import AddressRefused, NameNotResolved
from tests.support.resolver import Resolver

RULES = AddressRules()
PUBLIC = "93.184.216.34"

FORBIDDEN_IPV4 = [
    IPv4Network("0.0.0.0/8"),
    IPv4Network("10.0.0.0/8"),
    IPv4Network("100.64.0.0/10"),
    IPv4Network("127.0.0.0/8"),
    IPv4Network("169.254.0.0/16"),
    IPv4Network("172.16.0.0/12"),
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.0.2.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv4Network("192.168.0.0/16"),
    IPv4Network("198.18.0.0/15"),
    IPv4Network("198.51.100.0/24"),
    IPv4Network("203.0.113.0/24"),
    IPv4Network("224.0.0.0/4"),
    IPv4Network("240.0.0.0/4"),
    IPv4Network("168.63.129.16/32"),
]
PUBLIC_IPV6 = IPv6Network("2000::/3")
FORBIDDEN_IPV6 = [
    IPv6Network("2001::/23"),
    IPv6Network("2001:db8::/32"),
    IPv6Network("2002::/16"),
    IPv6Network("3fff::/20"),
]
FORBIDDEN: list[IPv4Network | IPv6Network] = [*FORBIDDEN_IPV4, *FORBIDDEN_IPV6]


def is_forbidden(address: IpAddress) -> bool:
    """The table, read the plainest way."""
    if isinstance(address, IPv4Address):
        return any(address in network for network in FORBIDDEN_IPV4)
    return address not in PUBLIC_IPV6 or any(address in network for network in FORBIDDEN_IPV6)


def around(network: IPv4Network | IPv6Network) -> list[IpAddress]:
    """First and last address of a network, and their neighbours."""
    first, last = int(network[0]), int(network[-1])
    kind = type(network[0])
    numbers = {first - 1, first, first + 1, last - 1, last, last + 1}
    return [kind(number) for number in sorted(numbers) if 0 <= number < 2**network.max_prefixlen]


EDGES = [address for network in [*FORBIDDEN, PUBLIC_IPV6] for address in around(network)]
IPV4 = st.integers(0, 2**32 - 1).map(IPv4Address)
IPV6 = st.integers(0, 2**128 - 1).map(IPv6Address) | st.integers(2**125, 2**126 - 1).map(IPv6Address)


@pytest.mark.parametrize("address", EDGES, ids=str)
def test_edge_of_the_table_is_on_its_side(address: IpAddress) -> None:
    assert (forbidden(address) is not None) == is_forbidden(address)


@pytest.mark.parametrize("network", FORBIDDEN, ids=str)
def test_network_of_the_table_is_forbidden_to_its_ends(network: IPv4Network | IPv6Network) -> None:
    assert forbidden(network[0])
    assert forbidden(network[-1])


@given(IPV4 | IPV6)
def test_any_address_is_judged_as_the_table_says(address: IpAddress) -> None:
    assert (forbidden(address) is not None) == is_forbidden(address)


@given(st.sampled_from(FORBIDDEN), st.data())
def test_any_address_of_a_forbidden_network_is_forbidden(
    network: IPv4Network | IPv6Network, data: st.DataObject
) -> None:
    assert forbidden(network[data.draw(st.integers(0, network.num_addresses - 1))])


@given(IPV4 | IPV6)
def test_what_is_permitted_is_global(address: IpAddress) -> None:
    assert forbidden(address) or address.is_global


@pytest.mark.parametrize(
    "address",
    ["::1", "::", "::ffff:8.8.8.8", "64:ff9b::808:808", "fe80::1", "fc00::1", "ff02::1", "5f00::1", "4000::"],
)
def test_ipv6_outside_the_public_internet_is_forbidden(address: str) -> None:
    assert forbidden(IPv6Address(address)) == "an address outside the public internet"


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450::1", "3ffe::1"]
)
def test_public_address_is_permitted(address: str) -> None:
    assert forbidden(ip_network(address)[0]) is None


def test_name_is_resolved_once_and_all_its_addresses_are_kept() -> None:
    resolve = Resolver([PUBLIC, "2606:4700::1111", PUBLIC])
    vetted = vet("https://Hooks.example.com:8443/a", RULES, resolve)
    assert vetted.target == Target("https", "hooks.example.com", 8443, "/a")
    assert vetted.addresses == (PUBLIC, "2606:4700::1111")
    assert resolve.asked == [("hooks.example.com", 8443)]


@pytest.mark.parametrize(
    "bad", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "168.63.129.16", "::1", "fe80::1%2", "::ffff:8.8.8.8"]
)
@pytest.mark.parametrize("order", [list, lambda addresses: addresses[::-1]], ids=["last", "first"])
def test_one_forbidden_address_refuses_the_name(bad: str, order: Callable[[list[str]], list[str]]) -> None:
    with pytest.raises(AddressRefused, match="host name leads to") as refused:
        vet("https://hooks.example.com/", RULES, Resolver(order([PUBLIC, bad])))
    assert bad not in str(refused.value)


def test_name_without_an_address_is_not_resolved() -> None:
    with pytest.raises(NameNotResolved):
        vet("https://hooks.example.com/", RULES, Resolver([]))


def test_refused_url_is_never_resolved() -> None:
    resolve = Resolver([PUBLIC])
    with pytest.raises(AddressRefused):
        vet("https://127.0.0.1/", RULES, resolve)
    assert resolve.asked == []


def test_the_local_stage_lets_names_lead_to_loopback_and_to_no_other_forbidden_address() -> None:
    url = "http://localhost:8080/"
    assert vet(url, LOCAL_RULES, Resolver(["::1", "127.0.0.1"])).addresses == ("::1", "127.0.0.1")
    with pytest.raises(AddressRefused, match="a private network"):
        vet(url, LOCAL_RULES, Resolver(["127.0.0.1", "192.168.0.1"]))
