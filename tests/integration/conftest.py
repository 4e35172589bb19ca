"""Fixtures of the deployed stack, and a table of one's own in its cloud."""

import pytest

from tests.integration.bench import Bench
from tests.support import Deployed
from tests.support_fixtures import customer, deployed

__all__ = ["customer", "deployed"]


@pytest.fixture
def bench(deployed: Deployed) -> Bench:
    """The use cases over an empty table."""
    return Bench(deployed.fresh_table())
