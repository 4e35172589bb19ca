"""Fixtures of the deployed stack, and a table of one's own in its cloud."""

from pathlib import Path

import pytest

from infra import release
from tests.integration.bench import Bench
from tests.support.deployed import Deployed
from tests.support.fixtures import customer, deployed

__all__ = ["customer", "deployed"]


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheels and source archives of the project."""
    folder = tmp_path_factory.mktemp("dist")
    release.build(folder)
    return folder


@pytest.fixture
def bench(deployed: Deployed) -> Bench:
    """The use cases over an empty table."""
    return Bench(deployed.fresh_table())
