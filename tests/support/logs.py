"""A fixture: what the Lambda has logged."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from io import StringIO

import pytest

from shoal.observability import logger


@pytest.fixture
def logs() -> Iterator[StringIO]:
    """What the Lambda has logged so far."""
    handler = logger.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    written = StringIO()
    before = handler.setStream(written)
    yield written
    handler.setStream(before)
