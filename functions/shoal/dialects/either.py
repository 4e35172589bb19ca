"""Where the body tells which API it speaks: the image API's with `mode`, the tasks' with `model`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shoal.dialects.errors import invalid_field
from shoal.dialects.spoken import SpokenApi, spoken
from shoal.domain.catalog import Catalog
from shoal.domain.submission import Submission


def choose(body: Mapping[str, Any]) -> SpokenApi:
    """Raises `ValidationFailed` for a body with neither or both; a `mode` of null is none."""
    if body.get("mode") is None and "model" not in body:
        raise invalid_field("mode", "is missing: give either mode or model")
    if "mode" in body and "model" in body:
        raise invalid_field("model", "cannot stand beside mode")
    return spoken("tasks" if "model" in body else "image-v1")


def parse_either(body: Mapping[str, Any], catalog: Catalog) -> Submission:
    """Raises what `choose` raises, and the parser of what was chosen."""
    return choose(body).parse(body, catalog)
