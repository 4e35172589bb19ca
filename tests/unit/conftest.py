"""Unit tests: no network, a world of fakes."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings
from pytest_socket import disable_socket, enable_socket

from tests.support.api import Api
from tests.worlds.world import Customer, World

# A busy machine is no reason to fail.
settings.register_profile("shoal", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("shoal")


@pytest.fixture(autouse=True)
def _no_sockets() -> Iterator[None]:
    """A unit test that opens a socket fails, but for the pair by which an event loop wakes itself."""
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def customer(world: World) -> Customer:
    """An account with $10.00, three free trials and a live key."""
    return world.customer()


@pytest.fixture
def filmmaker(world: World) -> Customer:
    """An account with twenty credits and a live key."""
    return world.customer(credits=20)


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)
