"""Clients of the fake services of AWS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from shoal.adapters.providers.kit.aws_calls import client
from tests.fakes.providers.aws import KEY, REGION


@contextmanager
def opened(service: str, url: str) -> Iterator[Any]:
    """A client as the adapters get it, closed in the end."""
    made = client(service, region=REGION, endpoint_url=url)
    yield made
    made.close()


def set_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have boto3 sign with the fakes' key."""
    key_id, _, secret = KEY.partition(":")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
