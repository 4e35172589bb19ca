"""Every hour: check each wallet against its ledger and each hold against its job."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from shoal.composition import money
from shoal.handlers.consumers.trigger import Trigger
from shoal.observability import logger, metrics
from shoal.use_cases.money.audit_ledger import AuditLedger


def audit(event: dict[str, Any], audit_ledger: AuditLedger) -> dict[str, Any]:
    """Any discrepancy raises the alarm; each is a log line."""
    found = audit_ledger()
    for discrepancy in found:
        logger.error("ledger discrepancy", extra=asdict(discrepancy))
    metrics.add_metric(name="LedgerDiscrepancies", unit=MetricUnit.Count, value=len(found))
    logger.info("audited", extra={"discrepancies": len(found)})
    return {"discrepancies": len(found)}


handler = Trigger(money.audit_ledger, audit)
