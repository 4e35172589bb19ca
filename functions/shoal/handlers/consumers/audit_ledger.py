"""Every hour: check each wallet against its ledger and each hold against its job."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from shoal.composition import money
from shoal.handlers.consumers.trigger import Schedule
from shoal.observability import flush_metrics, logger, metrics
from shoal.ports.system import TimeLeft
from shoal.use_cases.money.audit_ledger import Audited, AuditLedger


def audit(audit_ledger: AuditLedger, time_left: TimeLeft) -> dict[str, Any]:
    """Any discrepancy raises the alarm, any account that was not audited too; each is a log line."""
    parts: list[Audited] = []

    def report(audited: Audited) -> None:
        """At once: an audit may be stopped before its end."""
        parts.append(audited)
        for discrepancy in audited.found:
            logger.error("ledger discrepancy", extra=asdict(discrepancy))
        for account_id in audited.not_audited:
            logger.error("account not audited", extra={"account_id": account_id})
        _count("LedgerDiscrepancies", len(audited.found))
        _count("AccountsAudited", audited.accounts)
        _count("AccountsNotAudited", len(audited.not_audited))
        flush_metrics()

    ended = audit_ledger.go_on(time_left, report)
    _count("AuditsEnded", int(ended))
    done = {
        "accounts": sum(part.accounts for part in parts),
        "discrepancies": sum(len(part.found) for part in parts),
        "not_audited": sum(len(part.not_audited) for part in parts),
        "ended": ended,
    }
    logger.info("audited", extra=done)
    return done


def _count(name: str, value: int) -> None:
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


handler = Schedule(money.audit_ledger, audit)
