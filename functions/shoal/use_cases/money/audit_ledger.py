"""Audit: every wallet against its ledger, every hold against its job."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import chain

from shoal.domain.errors import Unavailable
from shoal.domain.events import Event, discrepancy_event
from shoal.ports.money import AuditProgress, Discrepancy, Ledger
from shoal.ports.people import AccountDirectory
from shoal.ports.system import AtOnce, Clock, Outbox, TimeLeft

logger = logging.getLogger(__name__)

ACCOUNTS_AT_ONCE = 16
RESERVE_S = 15.0
"""With less time left no account is begun; those that are under way give up."""


@dataclass(frozen=True, slots=True)
class Audited:
    """What an audit found in so many accounts, and which it could not audit."""

    accounts: int
    found: list[Discrepancy]
    not_audited: list[str]


@dataclass(frozen=True, slots=True)
class AuditLedger:
    ledger: Ledger
    directory: AccountDirectory
    progress: AuditProgress
    at_once: AtOnce
    outbox: Outbox
    clock: Clock

    def __call__(self) -> list[Discrepancy]:
        """Whatever is off in any account; empty when every amount agrees. The bus is told of it.

        Raises `Unavailable`.
        """
        found: list[Discrepancy] = []
        cursor: str | None = None
        while True:
            page = self.directory.page(limit=ACCOUNTS_AT_ONCE, cursor=cursor)
            each = self.at_once(self.ledger.discrepancies, [account.id for account in page.accounts])
            off = list(chain.from_iterable(each))
            self._tell(off)
            found += off
            cursor = page.next_cursor
            if cursor is None:
                return found

    def go_on(self, time_left: TimeLeft, report: Callable[[Audited], None]) -> bool:
        """Audit the accounts that are next, until all have been or the time runs out. Whether all have been.

        The next run goes on where this one ends. An account too large for a whole run is reported and left.
        The bus is told of what is off.
        """
        cursor, first = self.progress.cursor(), True
        while time_left() > RESERVE_S:
            audited, beyond = self._audit_next(cursor, time_left)
            in_time = time_left() > RESERVE_S
            if not in_time and not first:
                return False
            report(audited)
            self._tell(audited.found)
            cursor, first = beyond, False
            self.progress.note(cursor)
            if cursor is None:
                return True
        return False

    def _audit_next(self, cursor: str | None, time_left: TimeLeft) -> tuple[Audited, str | None]:
        page = self.directory.page(limit=ACCOUNTS_AT_ONCE, cursor=cursor)
        ids = [account.id for account in page.accounts]
        each = self.at_once(partial(self._audit, time_left), ids)
        found = [discrepancy for off in each for discrepancy in off or ()]
        not_audited = [account_id for account_id, off in zip(ids, each, strict=True) if off is None]
        return Audited(len(ids) - len(not_audited), found, not_audited), page.next_cursor

    def _tell(self, found: list[Discrepancy]) -> None:
        """Once a day of each, however often the audits come across it."""
        if found:
            self.outbox.add([self._event(off) for off in found])

    def _event(self, off: Discrepancy) -> Event:
        return discrepancy_event(
            off.account_id,
            off.asset,
            off.what,
            expected=off.expected,
            found=off.found,
            now_ms=self.clock.now_ms(),
        )

    def _audit(self, time_left: TimeLeft, account_id: str) -> list[Discrepancy] | None:
        """None if it could not be audited: the others are."""
        try:
            return self.ledger.discrepancies(account_id, time_left)
        except Unavailable:
            logger.warning("account not audited", extra={"account_id": account_id}, exc_info=True)
            return None
