"""Unit tests: no network, a world of fakes."""

from __future__ import annotations

import os

import pytest

# Powertools reads these when its module is first imported; the stack sets them on every function.
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Shoal")
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "shoal-unit")

from tests.unit.world import Customer, World


@pytest.fixture(autouse=True)
def _no_sockets(socket_disabled: None) -> None:
    """A unit test that opens a socket fails."""


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def customer(world: World) -> Customer:
    """An account with $10.00, three free trials and a live key."""
    return world.customer()
