"""Files: kept for a day, and inputs by their ids."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shoal_client.resources import File, NewFile
from shoal_client.transport import Transport, part

FilePage = tuple[list[File], str | None]
FORM_BYTES_MAX = 4_000_000
"""What comes along in one request: the API takes 4.4 MB, a form's own bytes included."""


@dataclass(frozen=True)
class Files:
    transport: Transport

    def upload(
        self,
        data: bytes,
        *,
        name: str = "",
        content_type: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> File:
        """Keep a file for 24 hours; its id is an input of tasks. The API tells its type by its bytes.

        More than 4 MB goes to an address of its own, for which `content_type` is needed. Raises
        `InvalidRequest`, `Conflict` when the account keeps as much as it may, and `ValueError`.
        """
        if len(data) <= FORM_BYTES_MAX:
            texts = {"metadata": json.dumps(metadata)} if metadata is not None else {}
            made = self.transport.bring("/v1/files", data, name or "file", texts, idempotency_key)
            kept: File = made["data"]
            return kept
        if content_type is None:
            raise ValueError("a file of more than 4 MB needs its content_type")
        order = {"name": name, "content_type": content_type, "size_bytes": len(data), "metadata": metadata}
        ordered: NewFile = self.transport.spend("/v1/files", order, idempotency_key)["data"]
        if "upload" in ordered:
            self.transport.put(ordered["upload"]["url"], data, ordered["upload"]["headers"])
        return self.get(ordered["id"])

    def get(self, file_id: str) -> File:
        """Raises `NotFound`, also once it has expired."""
        file: File = self.transport.get(f"/v1/files/{part(file_id)}")["data"]
        return file

    def list(self, *, cursor: str | None = None, limit: int | None = None) -> FilePage:
        """One page, newest first, and the cursor of the next."""
        page = self.transport.get("/v1/files", {"cursor": cursor, "limit": limit})
        return page["data"], page["next_cursor"]

    def delete(self, file_id: str) -> None:
        """What was submitted with it keeps a copy. Raises `NotFound`."""
        self.transport.delete(f"/v1/files/{part(file_id)}")
