"""GET /docs/api, /docs/events, /llms.txt, …/openapi.json, …/asyncapi.json: what the API says of itself.

The documents are files of this package, made when it was built (infra/documents). All that is left to do is
to put the caller's host into them, so that their lines can be copied as they are.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from shoal.composition import parts
from shoal.handlers.http.endpoint import Answer, Endpoint, Request

INDEX = "index.json"
"""By path: the file, its media type, and the host that stands in it for the caller's."""

HOSTS_KEPT = 16
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?", re.IGNORECASE)
_GATEWAY = re.compile(r"[^.]+\.execute-api\..+", re.IGNORECASE)
_CACHE = "public, max-age=300, stale-while-revalidate=86400"


class Document(NamedTuple):
    text: str
    etag: str
    media_type: str
    headers: dict[str, str]


def read(request: Request, use: parts.Documents) -> Answer:
    """200 with the document; 304 if `If-None-Match` has its ETag."""
    found = document(use.folder, request.pattern, _origin(use.api_url, request.headers.get("host", "")))
    headers = {"ETag": found.etag, "Cache-Control": _CACHE, "Vary": "Host", **found.headers}
    if _still_good(request.headers.get("if-none-match", ""), found.etag):
        return Answer(304, None, headers)
    return Answer(200, found.text, {"Content-Type": found.media_type, **headers})


@lru_cache(maxsize=HOSTS_KEPT)
def document(folder: Path, path: str, origin: str) -> Document:
    """What lies at a path of the API, for callers who reach it at `origin`."""
    entry = json.loads((folder / INDEX).read_text(encoding="utf-8"))[path]
    text = (folder / entry["file"]).read_text(encoding="utf-8").replace(entry["origin"], origin)
    etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    return Document(text, etag, entry["media_type"], entry["headers"])


def _origin(api_url: str, host: str) -> str:
    """How the caller reaches the API: by the host it asked for, if that is one, else by the stage's own.

    The gateway's own name gives way to the stage's: behind a firewall it is the only one that comes here, and
    it leads around that.
    """
    known = urlsplit(api_url)
    asked = _HOST.fullmatch(host) and not _GATEWAY.fullmatch(host)
    return f"{known.scheme}://{host if asked else known.netloc}"


def _still_good(if_none_match: str, etag: str) -> bool:
    """Weak comparison (RFC 9110, section 13.1.2)."""
    offered = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return bool(offered & {etag, "*"})


handler = Endpoint(parts.documents, read)
