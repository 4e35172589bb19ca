"""The bus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shoal.adapters.aws.client import unavailable_when_unreachable
from shoal.domain.errors import Unavailable
from shoal.domain.events import SOURCE, Event
from shoal.domain.text import json_text

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

ENTRIES_MAX = 10
"""Entries one PutEvents call takes (Amazon EventBridge quotas)."""


class EventBridgeBus:
    """Implements the `Bus` port."""

    def __init__(self, client: EventBridgeClient, bus: str) -> None:
        self._client = client
        self._bus = bus

    def publish(self, events: Sequence[Event]) -> None:
        for first in range(0, len(events), ENTRIES_MAX):
            self._put(events[first : first + ENTRIES_MAX])

    def _put(self, events: Sequence[Event]) -> None:
        with unavailable_when_unreachable():
            answer = self._client.put_events(
                Entries=[
                    {
                        "EventBusName": self._bus,
                        "Source": SOURCE,
                        "DetailType": event.type,
                        "Detail": json_text(event.detail),
                    }
                    for event in events
                ]
            )
        if answer["FailedEntryCount"]:
            raise Unavailable(retry_after_seconds=1)
