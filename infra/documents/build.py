"""Writes the documents into the functions' zip, with an index for the function that serves them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shoal.domain.catalog import Catalog
from shoal.handlers.http.read_document import INDEX

from .asyncapi import asyncapi
from .bus_page import bus_markdown
from .llms import llms
from .openapi import ORIGIN, document
from .page import events_page, page

FOLDER = "shoal/documents"
"""Below the root of the zip."""
SOURCE = Path(__file__).parent
HTML, MARKDOWN = "text/html; charset=utf-8", "text/markdown; charset=utf-8"


@dataclass(frozen=True)
class File:
    """A document: its name, its content, the paths of the API it answers, and header fields of its own."""

    name: str
    content: str
    media_type: str
    paths: tuple[str, ...]
    headers: dict[str, str] = field(default_factory=dict)


def files(catalog: Catalog | None = None) -> list[File]:
    """All documents, of Shoal's own catalog unless another is given."""
    openapi = document(catalog)
    html, headers = page(openapi)
    bus_html, bus_headers = events_page()
    return [
        File(
            "openapi.json",
            _json(openapi),
            "application/json",
            ("/api/v1/openapi.json", "/.well-known/openapi.json"),
        ),
        File("api.html", html, HTML, ("/docs/api",), headers),
        File("llms.txt", llms(openapi), MARKDOWN, ("/llms.txt", "/docs/llms.txt")),
        File("events.html", bus_html, HTML, ("/docs/events",), bus_headers),
        File("events.md", bus_markdown(), MARKDOWN, ("/docs/events.md",)),
        File("asyncapi.json", _json(asyncapi()), "application/json", ("/api/v1/asyncapi.json",)),
    ]


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def write(root: Path, catalog: Catalog | None = None) -> None:
    """Put the documents and their index below the root of a zip."""
    folder = root / FOLDER
    folder.mkdir(parents=True)
    index: dict[str, object] = {}
    for file in files(catalog):
        (folder / file.name).write_text(file.content, encoding="utf-8")
        entry = {"file": file.name, "media_type": file.media_type, "origin": ORIGIN, "headers": file.headers}
        index |= dict.fromkeys(file.paths, entry)
    (folder / INDEX).write_text(json.dumps(index, indent=1), encoding="utf-8")
