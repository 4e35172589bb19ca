"""Writes the documents into the functions' zip, with an index for the function that serves them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from shoal.domain.catalog import Catalog
from shoal.handlers.http.read_document import INDEX

from .llms import llms
from .openapi import ORIGIN, document
from .page import page

FOLDER = "shoal/documents"
"""Below the root of the zip."""
SOURCE = Path(__file__).parent


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
    return [
        File(
            "openapi.json",
            json.dumps(openapi, ensure_ascii=False, separators=(",", ":")),
            "application/json",
            ("/api/v1/openapi.json", "/.well-known/openapi.json"),
        ),
        File("api.html", html, "text/html; charset=utf-8", ("/docs/api",), headers),
        File("llms.txt", llms(openapi), "text/markdown; charset=utf-8", ("/llms.txt", "/docs/llms.txt")),
    ]


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
