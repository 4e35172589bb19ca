"""The lab."""

import pytest

from infra.local.aws import Endpoint
from tests.local_cloud.lab import Lab


@pytest.fixture
def lab(endpoint: Endpoint) -> Lab:
    """Builds small functions and state machines in a bare local cloud."""
    return Lab(endpoint)
