"""The real payloads of tests/events, and how they are changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).parent.parent / "events"


def event(name: str) -> Any:
    """A payload of its own, to be changed at will."""
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


def batch(name: str, bodies: list[Any]) -> Any:
    """An SQS batch with these bodies in its messages."""
    loaded = event(name)
    loaded["Records"] = [
        loaded["Records"][0] | {"messageId": f"message-{index}", "body": json.dumps(body)}
        for index, body in enumerate(bodies)
    ]
    return loaded
