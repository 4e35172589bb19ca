"""`shoal providers`: keys come from stdin, tests and states are tables, and nothing shows a key."""

from __future__ import annotations

import pytest

from shoal.domain.breaker import Breaker
from shoal.domain.errors import ProviderUnusable
from shoal.ports.routing import RouteStats
from tests.support.operator_command import FIRST, Shoal, printed, refused
from tests.worlds.world import World


@pytest.fixture
def shoal(world: World) -> Shoal:
    return Shoal(world)


def test_a_key_is_read_from_stdin_kept_and_told_to_the_stage(shoal: Shoal, world: World) -> None:
    world.breakers.breakers[FIRST.name] = Breaker(open_until_ms=world.clock.ms + 99_000, trips=1)

    result = shoal("providers", "set-key", "first", stdin="sk-1\n")

    assert (result.exit_code, result.stdout) == (0, "Kept the key of first.\n")
    assert shoal.keys.secrets == {"first": {"key": "sk-1"}}
    assert shoal.board.keys == {"first"}
    assert world.breakers.breakers == {}, "its routes are asked again at once"


def test_a_webhook_secret_is_kept_beside_the_key(shoal: Shoal) -> None:
    shoal("providers", "set-key", "first", "--webhook-secret", stdin="whsec_1\n")
    assert shoal.board.keys == set(), "a secret alone is no key"
    shoal("providers", "set-key", "first", stdin="sk-1")

    assert shoal.keys.secrets == {"first": {"key": "sk-1", "webhook_secret": "whsec_1"}}
    assert shoal.board.keys == {"first"}


@pytest.mark.parametrize("stdin", ["", "\n", "  \n", "x" * 1001, "kéy\n", "a\x07b\n"])
def test_what_can_be_no_key_is_refused(shoal: Shoal, stdin: str) -> None:
    refused(shoal("providers", "set-key", "first", stdin=stdin), 1, "printable ASCII")

    assert shoal.keys.secrets == {}


def test_a_provider_that_takes_no_key_is_refused(shoal: Shoal) -> None:
    refused(shoal("providers", "set-key", "free", stdin="sk-1\n"), 1, "only for first, second")
    refused(shoal("providers", "remove-key", "free"), 1, "only for first, second")


def test_a_worker_of_ones_own_has_an_address_and_a_secret(shoal: Shoal) -> None:
    said = shoal("providers", "set-address", "http-gpu", "https://gpu.example.com/shoal?at=1")
    assert (said.exit_code, said.stdout) == (0, "Kept the address of http-gpu.\n")
    shoal("providers", "set-key", "http-gpu", stdin="whsec_aGVsbG8=\n")

    kept = {"address": "https://gpu.example.com/shoal?at=1", "key": "whsec_aGVsbG8="}
    assert shoal.keys.secrets == {"http-gpu": kept}
    assert shoal.board.keys == {"http-gpu"}
    assert shoal("providers", "remove-key", "http-gpu").exit_code == 0
    assert shoal.keys.secrets == {}


@pytest.mark.parametrize(
    "address",
    [
        "http://gpu.example.com",
        "gpu.example.com",
        "https://",
        "https://user:word@gpu.example.com",
        "https://gpu.example.com/#part",
        "https://[gpu",
        "https://gpu.example.com/\n",
        "https://gpü.example.com",
        "https://gpu.example.com/" + "x" * 1000,
    ],
)
def test_what_can_be_no_address_is_refused(shoal: Shoal, address: str) -> None:
    refused(shoal("providers", "set-address", "http", address), 1, "https://")
    assert shoal.keys.secrets == {}


@pytest.mark.parametrize("name", ["first", "https", "http-", "http-GPU", "http_gpu", "http/gpu"])
def test_what_is_no_worker_has_no_address_to_set(shoal: Shoal, name: str) -> None:
    refused(shoal("providers", "set-address", name, "https://gpu.example.com"), 1, "only workers")
    assert shoal.keys.secrets == {}


def test_a_key_is_removed(shoal: Shoal) -> None:
    shoal("providers", "set-key", "first", stdin="sk-1\n")

    assert shoal("providers", "remove-key", "first").exit_code == 0
    assert (shoal.keys.secrets, shoal.board.keys) == ({}, set())


def test_one_provider_is_tested(shoal: Shoal) -> None:
    assert printed(shoal("providers", "test", "first", "--json")) == {
        "providers": [{"provider": "first", "ok": True, "duration_ms": 0, "said": "42 models"}]
    }


def test_all_that_can_be_asked_are_tested_in_a_table(shoal: Shoal) -> None:
    shoal("providers", "set-key", "first", stdin="sk-1\n")

    result = shoal("providers", "test", "--all")

    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["Provider", "Result", "Took", "Said"]
    assert [line[:2] for line in lines[2:]] == [["first", "ok"], ["free", "ok"]]


def test_a_provider_without_a_key_is_left_out(shoal: Shoal) -> None:
    (tested,) = printed(shoal("providers", "test", "--all", "--json"))["providers"]

    assert tested["provider"] == "free"


def test_a_test_that_fails_is_told_and_is_a_failure(shoal: Shoal) -> None:
    shoal.testable.trouble = ProviderUnusable("first answered 401: bad key")

    result = shoal("providers", "test", "first")

    assert result.exit_code == 1
    assert "failed" in result.stdout
    assert "401: bad key" in result.stdout


@pytest.mark.parametrize("arguments", [(), ("first", "--all")])
def test_either_one_or_all_are_tested(shoal: Shoal, arguments: tuple[str, ...]) -> None:
    refused(shoal("providers", "test", *arguments), 2, "give the name of a provider, or --all")
    refused(shoal("providers", "test", "nobody"), 1, "choose one of first, free")


def test_every_route_is_shown_with_its_breaker_and_how_it_did(shoal: Shoal, world: World) -> None:
    shoal("providers", "set-key", "first", stdin="sk-1\n")
    world.breakers.breakers[FIRST.name] = Breaker(
        open_until_ms=world.clock.ms + 60_000, trips=1, reason="first answered 503"
    )
    shoal.statistics.stats[FIRST.name] = RouteStats(
        calls=10, failures=4, outputs=6, latency_ms=2_345, cost_micros=150_000
    )

    first, second = printed(shoal("providers", "status", "--json"))["routes"]

    assert first == {
        "route": "first/one/a",
        "ready": True,
        "breaker": "open",
        "open_until": "2027-01-15T08:01:00Z",
        "reason": "first answered 503",
        "calls": 10,
        "failures": 4,
        "outputs": 6,
        "latency_ms": 2_345,
        "cost_micros": 150_000,
    }
    assert (second["route"], second["ready"], second["breaker"], second["calls"]) == (
        "second/b",
        False,
        "closed",
        0,
    )
    shown = shoal("providers", "status").stdout
    assert "open until 2027-01-15T08:01:00Z" in shown
    assert "$0.15" in shown
    assert "sk-1" not in shown
