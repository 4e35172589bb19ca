"""Small translations between our fields and the providers': ratios, seeds, pictures, foreign JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from shoal.domain.errors import ProviderFailed
from shoal.domain.provider import ProviderRequest

_MAGIC = ((b"\x89PNG", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"RIFF", "image/webp"))


def nearest_ratio(width_px: int, height_px: int, ratios: Sequence[str]) -> str:
    """The one of a provider's ratios, such as `16:9`, whose shape is nearest to the wanted one."""

    def distance(ratio: str) -> float:
        across, down = (int(part) for part in ratio.split(":"))
        # Logarithms: 2:1 is as far from square as 1:2.
        return abs(math.log(width_px / height_px) - math.log(across / down))

    return min(ratios, key=distance)


def seed_of(request: ProviderRequest, below: int) -> int | None:
    """The seed of this output: the outputs of one job must not all be the same picture."""
    return None if request.brief.seed is None else (request.brief.seed + request.index) % below


def media_type(picture: bytes) -> str:
    """What an input picture is, by its first bytes. Inputs were checked when they came: PNG, JPEG or WebP."""
    return next((name for magic, name in _MAGIC if picture.startswith(magic)), "application/octet-stream")


@dataclass(frozen=True, slots=True)
class Inline:
    """A picture as a base64 text of a request's JSON, made when that is written, behind a `prefix`."""

    picture: bytes
    prefix: str = ""


def data_uri(picture: bytes) -> Inline:
    """The picture inside a URL (RFC 2397), for providers that take pictures by address."""
    return Inline(picture, f"data:{media_type(picture)};base64,")


def objects(value: object) -> Iterator[dict[str, Any]]:
    """The objects in a foreign array; nothing of anything else."""
    for part in value if isinstance(value, list) else ():
        if isinstance(part, dict):
            yield part


def checked_ref(ref: str, form: re.Pattern[str]) -> str:
    """A reference becomes part of an address: nothing else may. Raises `ProviderFailed`."""
    if not form.fullmatch(ref):
        raise ProviderFailed("The provider knows no such work.")
    return ref


def storable(text: str) -> str:
    """A foreign text without lone surrogates: JSON can spell them, nothing can store or send them."""
    return text.encode("utf-8", "replace").decode()


def parse_object(body: bytes | str) -> dict[str, Any]:
    """The JSON object in a body, empty for anything else."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
