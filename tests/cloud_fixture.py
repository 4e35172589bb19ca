"""The local cloud as fixtures: booted by the first test that asks, stopped after the last."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.local.aws import Endpoint
from infra.local.cloud import LocalCloud, bare_cloud, local_cloud


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud with the whole stack deployed, shared by all tests: use an account of your own in it."""
    with local_cloud(tmp_path_factory.mktemp("cloud")) as booted:
        yield booted


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """A local cloud with nothing deployed, shared by all tests: give everything a name of its own."""
    with bare_cloud(tmp_path_factory.mktemp("bare")) as booted:
        yield booted
