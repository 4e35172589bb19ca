"""The operator's command on a world of fakes."""

from __future__ import annotations

import json
from typing import Any

from typer.testing import CliRunner, Result

from shoal.cli import app
from shoal.composition.operator import Operator
from shoal.composition.parts import checked_catalog
from shoal.domain.models.files import read_document
from shoal.domain.routing import Route
from shoal.use_cases.accounts.inspect_account import InspectAccount
from shoal.use_cases.accounts.tell_events import TellEvents
from shoal.use_cases.catalogs.publish_catalog import PublishCatalog
from shoal.use_cases.payments.manage_stripe import ManageStripe
from shoal.use_cases.providers.manage_providers import ManageProviders
from tests.fakes.catalogs import FakeDocuments, FakePublications
from tests.fakes.payments import FakeProcessorKeys
from tests.fakes.routing import FakeKeyStore, FakeRouteBoard, FakeStatistics, FakeTestable
from tests.worlds.payment_world import PaymentWorld
from tests.worlds.world import World

FIRST = Route(provider="first", model="one/a", cost_micros=100)
SECOND = Route(provider="second", model="b")


class Shoal:
    """`shoal("audit", "--json")` runs the command on the stage of the `World`."""

    def __init__(self, world: World, who: str = "arn:aws:iam::123456789012:user/operator") -> None:
        self.stage, self.real_money = "local", False
        self.keys, self.board = FakeKeyStore(), FakeRouteBoard(world.breakers)
        self.statistics, self.testable = FakeStatistics(), FakeTestable()
        self.providers = ManageProviders(
            keys=self.keys,
            board=self.board,
            breakers=world.breakers,
            statistics=self.statistics,
            routes=[FIRST, SECOND],
            testable={"first": lambda: self.testable, "free": lambda: self.testable},
            keyed=frozenset({"first", "second"}),
            keyless=frozenset({"free"}),
            clock=world.clock,
        )
        self.publications = FakePublications(world.network)
        self.documents = FakeDocuments(world.network)
        self.catalogs = PublishCatalog(
            self.publications, self.documents, read_document(), checked_catalog, world.clock
        )
        inspect = InspectAccount(world.accounts, world.keys, world.jobs, world.ledger)
        self.till, self.stripe_keys = PaymentWorld(world), FakeProcessorKeys()
        self._operator = Operator(
            manage=world.manage,
            inspect=inspect,
            sweep=world.sweep_jobs,
            tell=TellEvents(world.outbox, world.bus),
            audit=world.audit_ledger,
            open_jobs=world.open_jobs,
            stripe=lambda: ManageStripe(
                self.stage, self.real_money, self.stripe_keys, lambda: self.till.settle
            ),
            providers=lambda: self.providers,
            catalogs=lambda: self.catalogs,
            now_ms=world.clock.now_ms,
            who=lambda: who,
        )

    def __call__(self, *arguments: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(app, arguments, obj=lambda _stage: self._operator, input=stdin)


def printed(result: Result) -> Any:
    """The JSON on stdout of a command that succeeded and said nothing else."""
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return json.loads(result.stdout)


def refused(result: Result, exit_code: int, message: str) -> None:
    """The command failed with this in one line on stderr, and nothing else was said."""
    assert (result.exit_code, result.stdout) == (exit_code, ""), result.output
    assert message in result.stderr
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
