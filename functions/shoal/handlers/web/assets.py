"""Style, script and icon of the dashboard: each under an address that names its content, kept for ever."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from shoal.domain.errors import NotFound
from shoal.handlers.web.visit import ROOT, Page, Visit

FOLDER = Path(__file__).parent / "assets"
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
IMMUTABLE = "public, max-age=31536000, immutable"
DIGITS = 12


@dataclass(frozen=True, slots=True)
class Asset:
    content: bytes
    zipped: bytes
    type: str


@cache
def fingerprint(name: str) -> tuple[str, Asset]:
    """The fingerprinted name of a file in the folder, and the file. Raises FileNotFoundError."""
    path = FOLDER / name
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:DIGITS]
    asset = Asset(content, gzip.compress(content, 9, mtime=0), TYPES[path.suffix])
    return f"{path.stem}.{digest}{path.suffix}", asset


def address(name: str) -> str:
    """Where browsers fetch a file."""
    return f"{ROOT}/assets/{fingerprint(name)[0]}"


@cache
def everything() -> dict[str, Asset]:
    return dict(fingerprint(path.name) for path in FOLDER.iterdir() if path.suffix in TYPES)


def serve(visit: Visit[object]) -> Page:
    """200 with the file. Raises `NotFound`, also for a fingerprint of another version."""
    asset = everything().get(visit.parameters["name"])
    if asset is None:
        raise NotFound()
    headers = {"Content-Type": asset.type, "Cache-Control": IMMUTABLE, "Vary": "Accept-Encoding"}
    if "gzip" in visit.request.headers.get("accept-encoding", ""):
        return Page(200, asset.zipped, headers | {"Content-Encoding": "gzip"})
    return Page(200, asset.content, headers)
