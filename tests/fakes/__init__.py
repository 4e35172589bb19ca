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
from tests.fakes.usage import FakeCallerHttp, FakeRuns, FakeUsage

__all__ = [
    "FakeAccounts",
    "FakeBus",
    "FakeCallbackUrls",
    "FakeCallerHttp",
    "FakeClock",
    "FakeIds",
    "FakeJobs",
    "FakeKeys",
    "FakeLedger",
    "FakeOutputs",
    "FakePollQueue",
    "FakeProvider",
    "FakeProviders",
    "FakeRuns",
    "FakeStaging",
    "FakeTaskTokens",
    "FakeUsage",
    "FakeWorkflow",
    "Fault",
    "Network",
    "PollMessage",
    "Tables",
    "TaskAnswer",
]
