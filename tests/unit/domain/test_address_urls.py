"""URLs that callers choose: how one is read, every way to write an IP address, every trick refused."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.domain.addresses import LOCAL_RULES, AddressRules, Target, parse_target
from shoal.domain.errors import AddressRefused

RULES = AddressRules()
SOFT_HYPHEN = "\u00ad"


def refusal(url: str, rules: AddressRules = RULES) -> str:
    with pytest.raises(AddressRefused) as refused:
        parse_target(url, rules)
    return str(refused.value)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://hooks.example.com", Target("https", "hooks.example.com", 443, "/")),
        ("HTTPS://Hooks.Example.COM.:443/A?b=C", Target("https", "hooks.example.com", 443, "/A?b=C")),
        ("https://example.com:8443/%2F?b=%20&c[]=", Target("https", "example.com", 8443, "/%2F?b=%20&c[]=")),
        ("https://hooks.example.com:/a", Target("https", "hooks.example.com", 443, "/a")),
        ("https://hooks.example.com?b=c", Target("https", "hooks.example.com", 443, "/?b=c")),
        ("https://hooks.example.com/a?b=/?@:#part", Target("https", "hooks.example.com", 443, "/a?b=/?@:")),
        ("https://hooks.example.com#part", Target("https", "hooks.example.com", 443, "/")),
        ("https://bücher.example/ß?q=ü", Target("https", "xn--bcher-kva.example", 443, "/%C3%9F?q=%C3%BC")),
        ("https://faß.example", Target("https", "xn--fa-hia.example", 443, "/")),
        ("https://例え。テスト/", Target("https", "xn--r8jz45g.xn--zckzah", 443, "/")),
        ("https://my_bucket.example.com/", Target("https", "my_bucket.example.com", 443, "/")),
        ("https://1.example/", Target("https", "1.example", 443, "/")),
        ("https://127.0.0.1.example/", Target("https", "127.0.0.1.example", 443, "/")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_url_is_read_as_it_is_meant(url: str, target: Target) -> None:
    assert parse_target(url, RULES) == target


@pytest.mark.parametrize(
    "url",
    [
        "https://2130706433/", "https://0x7f000001/", "https://017700000001/", "https://0x7F.0.0.1/",
        "https://0177.0.0.1/", "https://127.1/", "https://127.0.1/", "https://127.0.0.1/", "https://127.0.0.1./",
        "https://0/", "https://0x/", "https://00000127.0.0.1/", "https://127.0.0.0x1/", "https://1.2.3.4.5/",
        "https://4294967297/", "https://127.000.000.001/", "https://8.8.8.8/", "https://example.1/",
        "https://１２７.０.０.１/", "https://①②⑦.⓪.⓪.①/", "https://127。0。0。1/", "https://127．0．0．1/", "https://٣/",
        "https://[::1]/", "https://[::]/", "https://[0:0:0:0:0:0:0:1]/", "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/", "https://[::127.0.0.1]/", "https://[64:ff9b::127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://[fe80::1]/", "https://[fd00:ec2::254]/",
        "https://[2606:4700::1111]/", "https://[127.0.0.1]/",
    ],
)  # fmt: skip
def test_ip_address_in_any_notation_is_refused(url: str) -> None:
    assert refusal(url) in (
        "The URL's host is an IP address; it must be a name.",
        "The URL's host name is malformed.",
    )


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1/", "http://127.1/", "http://0/", "http://10.0.0.1/",
        "http://8.8.8.8/", "http://169.254.169.254/", "http://[::ffff:127.0.0.1]/", "http://[64:ff9b::7f00:1]/",
        "http://[::]/", "http://[2606:4700::1111]/", "http://[fe80::1]/", "http://①②⑦.1/",
    ],
)  # fmt: skip
def test_the_local_stage_takes_no_other_ip_address_than_loopback(url: str) -> None:
    assert refusal(url, LOCAL_RULES) == "The URL's host is an IP address; it must be a name."


@pytest.mark.parametrize(
    ("url", "target", "authority"),
    [
        ("http://127.0.0.1:8080/a", Target("http", "127.0.0.1", 8080, "/a"), "127.0.0.1:8080"),
        ("http://127.8.9.1/", Target("http", "127.8.9.1", 80, "/"), "127.8.9.1"),
        ("http://[::1]:9000/", Target("http", "::1", 9000, "/"), "[::1]:9000"),
        ("http://localhost:1/", Target("http", "localhost", 1, "/"), "localhost:1"),
        ("https://localhost/", Target("https", "localhost", 443, "/"), "localhost"),
        ("http://example.com:65535/", Target("http", "example.com", 65535, "/"), "example.com:65535"),
    ],
)
def test_the_local_stage_takes_http_loopback_and_any_port(url: str, target: Target, authority: str) -> None:
    assert parse_target(url, LOCAL_RULES) == target
    assert target.authority == authority


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.com/", "begin with https://"),
        ("ftp://example.com/", "begin with https://"),
        ("file:///etc/passwd", "begin with https://"),
        ("gopher://example.com/", "begin with https://"),
        ("//example.com/", "begin with https://"),
        ("example.com", "begin with https://"),
        ("https:example.com", "begin with https://"),
        ("https:/example.com", "begin with https://"),
        ("", "begin with https://"),
        ("https://", "malformed"),
        ("https:///path", "malformed"),
        ("https://?query", "malformed"),
        ("https://:443/", "malformed"),
        ("https://user@example.com/", "user name"),
        ("https://user:secret@example.com/", "user name"),
        ("https://@example.com/", "user name"),
        ("https://example.com@127.0.0.1/", "user name"),
        ("https://example.com:80/", "port is 80"),
        ("https://example.com:0/", "port is 0"),
        ("https://example.com:65979/", "port is 65979"),
        ("https://example.com:443443443/", "malformed"),
        ("https://example.com:-443/", "malformed"),
        ("https://example.com:+443/", "malformed"),
        ("https://example.com:4_43/", "malformed"),
        ("https://example.com:４４３/", "malformed"),
        ("https://example.com:443:443/", "malformed"),
        ("https://exa mple.com/", "contains a space"),
        (" https://example.com/", "contains a space"),
        ("https://example.com/\n", "contains a space"),
        ("https://example.com/a\tb", "contains a space"),
        ("https://example.com/a\u00a0b", "contains a space"),
        ("https://example.com/\x00", "contains a space"),
        ("https://example.com/\x85", "contains a space"),
        ("https://example.com/\ud800", "contains a space"),
        ("https://example.com\\@127.0.0.1/", "contains a space"),
        ("https:\\\\example.com/", "contains a space"),
        ("https://[fe80::1%25eth0]/", "malformed"),
        ("https://[fe80::1%eth0]/", "malformed"),
        ("https://[::1/", "malformed"),
        ("https://::1/", "malformed"),
        ("https://[::1].example.com/", "malformed"),
        ("https://[v1.a]/", "malformed"),
        ("https://[]/", "malformed"),
        ("https://%31%32%37.0.0.1/", "IP address"),
        ("https://127.0.0.1%2f.example.com/", "malformed"),
        ("https://exam℀ple.com/", "malformed"),
        ("https://a..example.com/", "malformed"),
        ("https://.example.com/", "malformed"),
        ("https://example.com../", "malformed"),
        ("https://./", "malformed"),
        ("https://-a.example.com/", "malformed"),
        ("https://a-.example.com/", "malformed"),
        ("https://a*b.example.com/", "malformed"),
        ("https://a,b.example.com/", "malformed"),
        (f"https://{'a' * 64}.example.com/", "malformed"),
        (f"https://{'ü' * 64}.example.com/", "malformed"),
        (f"https://{'a.' * 126}ab/", "longer than 253"),
        (f"https://{'ü.' * 126}a/", "malformed"),
        (f"https://{SOFT_HYPHEN * 254}example.com/", "longer than 253"),
        (f"https://example.com/{'a' * 2029}", "longer than 2,048"),
    ],
)
def test_url_is_refused_in_plain_words(url: str, reason: str) -> None:
    assert reason in refusal(url)


@pytest.mark.parametrize(
    "url",
    [f"https://example.com/{'a' * 2028}", f"https://{'a.' * 126}a/", f"https://{'a' * 63}.example.com/"],
    ids=["URL", "host", "label"],
)
def test_the_longest_of_each_is_taken(url: str) -> None:
    assert parse_target(url, RULES).port == 443


def test_ports_are_the_rules_also_the_default_one() -> None:
    rules = AddressRules(ports=frozenset({9443}))
    assert parse_target("https://example.com:9443/", rules).authority == "example.com:9443"
    assert "port is 443" in refusal("https://example.com/", rules)


@given(st.text() | st.text(alphabet=string.printable).map("https://".__add__))
def test_any_text_is_a_clean_target_or_refused(text: str) -> None:
    try:
        target = parse_target(text, RULES)
    except AddressRefused:
        return
    sent = target.host + target.path
    assert sent.isascii()
    assert sent.isprintable()
    assert " " not in sent
    assert target.scheme == "https"
    assert target.path.startswith("/")


@given(st.integers(0, 2**32 - 1), st.sampled_from(["d", "o", "x"]), st.integers(1, 4))
def test_ipv4_address_in_parts_of_any_base_is_refused(number: int, base: str, parts: int) -> None:
    octets = list(number.to_bytes(4))
    values = [*octets[: parts - 1], int.from_bytes(octets[parts - 1 :])]
    refusal(f"https://{'.'.join(format(value, f'#{base}') for value in values).replace('0o', '0')}/")
