"""Recorded requests and answers: tests/e2e/test_examples.py plays and compares them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from shoal.domain.catalog import Catalog, load_catalog

FILE = Path(__file__).with_name("examples.json")


@dataclass(frozen=True)
class Example:
    """What was asked with `request` as its body, and what was answered."""

    name: str
    request: Any
    status: int
    body: Any


@cache
def _all() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def recorded_examples(route: str, catalog: Catalog) -> list[Example]:
    """The examples of a route such as `POST /v1/quote`, or of an event such as `webhook image.failed`.

    They were recorded with Shoal's own catalog. With another they would show models and prices that are not
    its own, so it has none.
    """
    return [Example(**each) for each in _all().get(route, [])] if catalog == load_catalog() else []
