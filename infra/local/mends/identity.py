"""IAM, when the cloud is booted to enforce it."""

from __future__ import annotations

from typing import Any

from ministack.core import iam_evaluator  # type: ignore[import-untyped]

SECURE_TRANSPORT = "aws:securetransport"

_resolve_key = iam_evaluator._resolve_condition_key


def _resolve(key: str, context: Any) -> Any:
    """AWS: requests of the SDKs come over TLS, so policies that deny everything else let them pass.

    MiniStack's plain HTTP on the loopback interface stands for that.
    """
    return "true" if key.lower() == SECURE_TRANSPORT else _resolve_key(key, context)


def apply() -> None:
    """Put the mends in place."""
    iam_evaluator._resolve_condition_key = _resolve
