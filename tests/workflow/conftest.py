"""Fixtures of the deployed stack and its state machine."""

import pytest

from tests.support.deployed import Deployed
from tests.support.fixtures import customer, deployed, filmmaker
from tests.workflow.machine import Machine, Workshop
from tests.workflow.videos import Cutter

__all__ = ["customer", "deployed", "filmmaker"]


@pytest.fixture(scope="session")
def workshop(deployed: Deployed) -> Workshop:
    """Runs the deployed state machine, and copies of it."""
    return Workshop.of(deployed)


@pytest.fixture(scope="session")
def machine(workshop: Workshop) -> Machine:
    """The deployed state machine."""
    return workshop.machine


@pytest.fixture(scope="session")
def cutter(workshop: Workshop) -> Cutter:
    """Runs the machine for videos, and copies of it."""
    return Cutter(workshop)
