"""Fakes of every port: `from tests.fakes import FakeLedger`."""

from tests.fakes.ledger import FakeLedger
from tests.fakes.network import Fault, Network
from tests.fakes.services import (
    FakeBus,
    FakeCallbackUrls,
    FakeClock,
    FakeIds,
    FakeOutbox,
    FakeOutputs,
    FakePollQueue,
    FakeProvider,
    FakeProviders,
    FakeStaging,
    FakeTaskTokens,
    FakeWorkflow,
    PollMessage,
    TaskAnswer,
    made,
)
from tests.fakes.tables import FakeAccounts, FakeJobs, FakeKeys, Tables
from tests.fakes.usage import FakeCallerHttp, FakeRuns, FakeUsage
from tests.fakes.videos import (
    FakeByName,
    FakeScenes,
    FakeScriptWriter,
    FakeSpeaker,
    FakeStudio,
    FakeVideoFiles,
)

__all__ = [
    "FakeAccounts",
    "FakeBus",
    "FakeByName",
    "FakeCallbackUrls",
    "FakeCallerHttp",
    "FakeClock",
    "FakeIds",
    "FakeJobs",
    "FakeKeys",
    "FakeLedger",
    "FakeOutbox",
    "FakeOutputs",
    "FakePollQueue",
    "FakeProvider",
    "FakeProviders",
    "FakeRuns",
    "FakeScenes",
    "FakeScriptWriter",
    "FakeSpeaker",
    "FakeStaging",
    "FakeStudio",
    "FakeTaskTokens",
    "FakeUsage",
    "FakeVideoFiles",
    "FakeWorkflow",
    "Fault",
    "Network",
    "PollMessage",
    "Tables",
    "TaskAnswer",
    "made",
]
