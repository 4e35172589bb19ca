"""Recorded events of the bus, as EventBridge delivers them: tests/e2e/test_bus.py compares them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("bus_examples.json")


@cache
def bus_examples() -> dict[str, dict[str, Any]]:
    """One event of each type."""
    found: dict[str, dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
    return found
