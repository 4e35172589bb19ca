"""Fixtures of the tests against the deployed stack; a folder's conftest imports them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter

from infra.local.cloud import LocalCloud
from tests.support.bus import BusLog
from tests.support.contract import contract
from tests.support.deployed import Customer, Deployed

CONNECTIONS_MAX = 64


@pytest.fixture(scope="session")
def deployed(cloud: LocalCloud) -> Iterator[Deployed]:
    """The stack in the shared local cloud. Its sweeper runs when a test says so, not every minute."""
    pause_sweeper(cloud)
    with requests.Session() as http:
        http.mount("http://", HTTPAdapter(pool_maxsize=CONNECTIONS_MAX))
        http.hooks["response"].append(check_contract)
        stack = Deployed(cloud, http, BusLog(cloud))
        stack.secrets.watch(http)
        yield stack
        # Whatever the tests did, the stack came through it sound.
        assert not (troubles := stack.troubles()), "\n".join(troubles)


@pytest.fixture
def customer(deployed: Deployed) -> Iterator[Customer]:
    """A new account with $10.00. It leaves no open job behind that a later sweep would find."""
    customer = deployed.customer()
    yield customer
    deployed.abandon(customer)


@pytest.fixture
def filmmaker(deployed: Deployed) -> Iterator[Customer]:
    """A new account with 20 credits."""
    customer = deployed.customer(usd="0", credits=20)
    yield customer
    deployed.abandon(customer)


def check_contract(answer: requests.Response, *_: Any, **__: Any) -> None:
    """Every answer of the API that a test gets is one that its document tells of."""
    path = urlsplit(answer.request.url or "").path
    contract().check(str(answer.request.method), str(path), answer.status_code, answer.headers, answer.text)


def pause_sweeper(cloud: LocalCloud) -> None:
    """Disable the schedule that runs the sweeper."""
    events = cloud.client("events")
    rules = [rule for rule in events.list_rules()["Rules"] if "SweepSchedule" in rule["Name"]]
    assert rules, "the stack has no schedule for the sweeper"
    for rule in rules:
        events.disable_rule(Name=rule["Name"])
