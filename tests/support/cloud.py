"""The local cloud as fixtures: booted by the first test that asks, stopped after the last."""

from __future__ import annotations

import os
from collections.abc import Iterator
from unittest.mock import patch

import pytest

from infra.local.aws import STAGE, Endpoint
from infra.local.cloud import LocalCloud, bare_cloud, local_cloud
from shoal.adapters.stripe.keys import StripeKeys
from shoal.adapters.system import SystemClock
from tests.fakes.stripe import API_KEY, WEBHOOK_SECRET, FakeStripe


@pytest.fixture(scope="session")
def stripe() -> Iterator[FakeStripe]:
    """What stands for Stripe in the shared cloud, whose keys are those of this fake."""
    with FakeStripe() as server:
        yield server
        assert server.problems == []


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory, stripe: FakeStripe) -> Iterator[LocalCloud]:
    """A local cloud with the whole stack deployed, shared by all tests: use an account of your own in it."""
    with (
        patch.dict(os.environ, {"SHOAL_STRIPE_URL": stripe.url}),
        local_cloud(tmp_path_factory.mktemp("cloud")) as booted,
    ):
        connect(stripe, booted)
        yield booted


def connect(stripe: FakeStripe, cloud: LocalCloud) -> None:
    """Do what an operator does: keep Stripe's keys on the stage, and tell Stripe where to post events."""
    keys = StripeKeys(cloud.client("secretsmanager"), STAGE, SystemClock())
    keys.set(api_key=API_KEY, webhook_secret=WEBHOOK_SECRET)
    stripe.endpoint = f"{cloud.api_url}/stripe/webhook"


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """A local cloud with nothing deployed, shared by all tests: give everything a name of its own."""
    with bare_cloud(tmp_path_factory.mktemp("bare")) as booted:
        yield booted
