"""Fixtures of the deployed stack and its state machine."""

import pytest

from tests.support import Deployed
from tests.support_fixtures import customer, deployed
from tests.workflow.machine import Machine, Workshop

__all__ = ["customer", "deployed"]


@pytest.fixture(scope="session")
def workshop(deployed: Deployed) -> Workshop:
    """Runs the deployed state machine, and copies of it."""
    return Workshop.of(deployed)


@pytest.fixture(scope="session")
def machine(workshop: Workshop) -> Machine:
    """The deployed state machine."""
    return workshop.machine
