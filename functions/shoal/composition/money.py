"""Builders around money: wallets, usage, the audit of the ledger."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from shoal.composition import parts
from shoal.settings import AuditLedgerSettings, ReadWalletSettings, SummarizeUsageSettings

if TYPE_CHECKING:
    from shoal.use_cases.jobs.read_job import ReadWallet
    from shoal.use_cases.money.audit_ledger import AuditLedger
    from shoal.use_cases.money.summarize_usage import SummarizeUsage


@cache
def read_wallet() -> ReadWallet:
    from shoal.use_cases.jobs.read_job import ReadWallet

    return ReadWallet(parts.ledger(parts.settings_of(ReadWalletSettings).table))


@cache
def summarize_usage() -> SummarizeUsage:
    from shoal.adapters.dynamodb.usage import DynamoDbUsage
    from shoal.use_cases.money.summarize_usage import SummarizeUsage

    table = parts.named_table(parts.settings_of(SummarizeUsageSettings).table)
    return SummarizeUsage(DynamoDbUsage(table))


@cache
def audit_ledger() -> AuditLedger:
    return parts.audit_ledger(parts.settings_of(AuditLedgerSettings).table)
