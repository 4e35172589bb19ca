"""Every hour: check each wallet against its ledger and each hold against its job."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from shoal.composition import jobs as bootstrap
from shoal.observability import flush_metrics, logger, metrics


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Lambda handler. Any discrepancy raises the alarm; each is a log line."""
    found = bootstrap.audit_ledger()()
    for discrepancy in found:
        logger.error("ledger discrepancy", extra=asdict(discrepancy))
    metrics.add_metric(name="LedgerDiscrepancies", unit=MetricUnit.Count, value=len(found))
    logger.info("audited", extra={"discrepancies": len(found)})
    flush_metrics()
    return {"discrepancies": len(found)}
