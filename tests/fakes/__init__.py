"""Fakes of every port: `from tests.fakes import FakeLedger`."""

from tests.fakes.ledger import FakeLedger
from tests.fakes.network import Fault, Network
from tests.fakes.services import (
    FakeBus,
    FakeCallbackUrls,
    FakeClock,
    FakeIds,
    FakeOutputs,
    FakePollQueue,
    FakeProvider,
    FakeProviders,
    FakeStaging,
    FakeTaskTokens,
    FakeWorkflow,
    PollMessage,
    TaskAnswer,
)
from tests.fakes.tables import FakeAccounts, FakeJobs, FakeKeys, Tables

__all__ = [
    "FakeAccounts",
    "FakeBus",
    "FakeCallbackUrls",
    "FakeClock",
    "FakeIds",
    "FakeJobs",
    "FakeKeys",
    "FakeLedger",
    "FakeOutputs",
    "FakePollQueue",
    "FakeProvider",
    "FakeProviders",
    "FakeStaging",
    "FakeTaskTokens",
    "FakeWorkflow",
    "Fault",
    "Network",
    "PollMessage",
    "Tables",
    "TaskAnswer",
]
