"""Addresses that callers choose: which of them Shoal speaks to, and what such an exchange brings back."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import quote

import idna

from shoal.domain.errors import AddressRefused, NameNotResolved

URL_CHARACTERS_MAX = 2_048
HOST_CHARACTERS_MAX = 253  # RFC 1035
DEFAULT_PORTS = {"https": 443, "http": 80}

IpAddress = IPv4Address | IPv6Address

Resolve = Callable[[str, int], Sequence[str]]
"""Port: every IP address of a host name and port. Raises `NameNotResolved`."""

_FORBIDDEN_IPV4 = {
    IPv4Network("0.0.0.0/8"): "an unspecified address",
    IPv4Network("10.0.0.0/8"): "a private network",
    IPv4Network("100.64.0.0/10"): "a carrier's private network",
    IPv4Network("127.0.0.0/8"): "a loopback address",
    IPv4Network("168.63.129.16/32"): "a cloud's internal service",
    IPv4Network("169.254.0.0/16"): "a link-local address",
    IPv4Network("172.16.0.0/12"): "a private network",
    IPv4Network("192.0.0.0/24"): "a reserved address",
    IPv4Network("192.0.2.0/24"): "a documentation address",
    IPv4Network("192.88.99.0/24"): "an IPv6 relay",
    IPv4Network("192.168.0.0/16"): "a private network",
    IPv4Network("198.18.0.0/15"): "a benchmarking network",
    IPv4Network("198.51.100.0/24"): "a documentation address",
    IPv4Network("203.0.113.0/24"): "a documentation address",
    IPv4Network("224.0.0.0/4"): "a multicast address",
    IPv4Network("240.0.0.0/4"): "a reserved address",
}
_PUBLIC_IPV6 = IPv6Network("2000::/3")
_FORBIDDEN_IPV6 = {
    IPv6Network("2001::/23"): "a reserved address",
    IPv6Network("2001:db8::/32"): "a documentation address",
    IPv6Network("2002::/16"): "a 6to4 address",
    IPv6Network("3fff::/20"): "a documentation address",
}
_LOOPBACK = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))

# Parsers disagree on these characters: some drop them, some split at them. U+D800 to U+DFFF is no text.
_UNSAFE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\\\ud800-\udfff]")
_AUTHORITY = re.compile(r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)]|(?P<name>[^:\[\]]+))(?::(?P<port>[0-9]{0,5}))?")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
# Resolvers read a host with such an end as an IPv4 address in decimal, octal or hex, whole or in parts.
_NUMERIC_END = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")


@dataclass(frozen=True, slots=True)
class AddressRules:
    """What a stage lets through."""

    https_only: bool = True
    ports: Container[int] = frozenset({443, 8443})
    loopback_allowed: bool = False


LOCAL_RULES = AddressRules(https_only=False, ports=range(1, 65_536), loopback_allowed=True)
"""For the local stage alone."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL points: `host` is a lower-case ASCII name without its root dot, or a loopback address.

    `path` begins with a slash and ends with the query.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class VettedTarget:
    """A target and every IP address of its host, all permitted: the name need not be resolved again."""

    target: Target
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Response:
    """What came back. `headers` have lower-case names; `body` is undecoded, and cut if `truncated`.

    `duration_ms` runs from the connecting to the last byte read.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    truncated: bool
    duration_ms: int


def vet(url: str, rules: AddressRules, resolve: Resolve) -> VettedTarget:
    """Parse and resolve a URL, the latter once. Raises `AddressRefused`, `NameNotResolved`."""
    target = parse_target(url, rules)
    addresses = tuple(dict.fromkeys(resolve(target.host, target.port)))
    if not addresses:
        raise NameNotResolved("The URL's host name has no address.")
    for address in map(ip_address, addresses):
        reason = None if rules.loopback_allowed and _is_loopback(address) else forbidden(address)
        if reason:
            raise AddressRefused(f"The URL's host name leads to {reason}; it must be reachable publicly.")
    return VettedTarget(target, addresses)


def forbidden(address: IpAddress) -> str | None:
    """What kind of address it is that nobody may have Shoal speak to; None if it is permitted."""
    if isinstance(address, IPv4Address):
        return next((reason for network, reason in _FORBIDDEN_IPV4.items() if address in network), None)
    if address not in _PUBLIC_IPV6:
        return "an address outside the public internet"
    return next((reason for network, reason in _FORBIDDEN_IPV6.items() if address in network), None)


def parse_target(url: str, rules: AddressRules) -> Target:
    """Read a URL without resolving anything. Raises `AddressRefused`. A fragment is left out."""
    if len(url) > URL_CHARACTERS_MAX:
        raise AddressRefused(f"The URL is longer than {URL_CHARACTERS_MAX:,} characters.")
    if _UNSAFE.search(url):
        raise AddressRefused("The URL contains a space, a backslash or a control character.")
    scheme, _, rest = url.partition("://")
    scheme = scheme.lower()
    if scheme != "https" and (rules.https_only or scheme != "http"):
        raise AddressRefused("The URL must begin with https://.")
    authority, *path = re.split(r"(?=[/?])", rest.partition("#")[0], maxsplit=1)
    host, port = _parse_authority(authority, rules, DEFAULT_PORTS[scheme])
    return Target(scheme, host, port, _parse_path("".join(path)))


def _parse_authority(authority: str, rules: AddressRules, default_port: int) -> tuple[str, int]:
    if "@" in authority:
        raise AddressRefused("The URL contains a user name or password.")
    parts = _AUTHORITY.fullmatch(authority)
    if not parts:
        raise AddressRefused("The URL's host name or port is malformed.")
    port = int(parts["port"] or default_port)
    if port not in rules.ports:
        raise AddressRefused(f"The URL's port is {port}, which is not permitted.")
    host = _parse_literal(parts["ipv6"], rules) if parts["ipv6"] else _parse_name(parts["name"], rules)
    return host, port


def _parse_name(name: str, rules: AddressRules) -> str:
    """The host name to resolve. What reads as an IPv4 address is one, in digits of any script."""
    if len(name) > HOST_CHARACTERS_MAX:
        raise AddressRefused(f"The URL's host name is longer than {HOST_CHARACTERS_MAX} characters.")
    host = _ascii(name).lower().removesuffix(".")
    if _NUMERIC_END.fullmatch(host):
        return _parse_literal(host, rules)
    if len(host) > HOST_CHARACTERS_MAX or not all(map(_LABEL.fullmatch, host.split("."))):
        raise AddressRefused("The URL's host name is malformed.")
    return host


def _ascii(name: str) -> str:
    """A name of any script in the form the DNS knows (UTS 46)."""
    if name.isascii():
        return name
    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError:
        raise AddressRefused("The URL's host name is malformed.") from None


def _parse_literal(literal: str, rules: AddressRules) -> str:
    """An IP address instead of a name: a loopback one in its usual notation, where that is let through."""
    try:
        address = ip_address(literal)
        permitted = rules.loopback_allowed and _is_loopback(address)
    except ValueError:
        permitted = False
    if not permitted:
        raise AddressRefused("The URL's host is an IP address; it must be a name.")
    return str(address)


def _is_loopback(address: IpAddress) -> bool:
    return any(address in network for network in _LOOPBACK)


def _parse_path(path: str) -> str:
    """Path and query as the caller wrote them, but percent-encoded where they are not ASCII."""
    return quote(path if path.startswith("/") else f"/{path}", safe=string.punctuation)
