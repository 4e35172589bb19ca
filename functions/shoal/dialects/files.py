"""Files in the tasks dialect: requests in, resources out. No AWS, no bytes are looked at here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from shoal.dialects.errors import invalid_field, validation_error
from shoal.dialects.fields import (
    METADATA_BYTES_MAX,
    Whole,
    check_parameters,
    iso_seconds,
    parse_limit,
)
from shoal.domain.files import kinds
from shoal.domain.files.file import File
from shoal.domain.text import json_bytes
from shoal.ports.files import FilePage
from shoal.use_cases.files.manage_files import Answered, NewFile, NewUpload, Upload

if TYPE_CHECKING:
    from shoal.dialects.answers import files as answers

NAME_LENGTH_MAX = 255
_STRICT = ConfigDict(extra="forbid", strict=True, defer_build=True)
Name = Annotated[str, StringConstraints(max_length=NAME_LENGTH_MAX)]


class _Said(BaseModel):
    """What may be said of any file."""

    model_config = _STRICT

    name: Name = Field("", description="Yours: nothing is told by it.")
    metadata: dict[str, Any] | None = None

    @field_validator("metadata")
    @classmethod
    def _metadata_is_small(cls, metadata: dict[str, Any] | None) -> dict[str, Any] | None:
        if metadata is not None and json_bytes(metadata) > METADATA_BYTES_MAX:
            raise PydanticCustomError("too_large", f"must be at most {METADATA_BYTES_MAX} bytes of JSON")
        return metadata


class UploadRequest(_Said):
    """An upload that is ordered: the file itself is sent to the address in the answer."""

    content_type: str
    size_bytes: Annotated[int, Field(ge=1, le=kinds.MEDIA_BYTES_MAX), Whole]


def parse_upload(body: Mapping[str, Any]) -> NewUpload:
    """Raises `ValidationFailed` naming every wrong field."""
    try:
        request = UploadRequest.model_validate(body)
    except ValidationError as error:
        raise validation_error(error) from None
    return NewUpload(request.name, request.content_type, request.size_bytes, request.metadata)


def parse_form(texts: Mapping[str, str], name: str, data: bytes) -> NewFile:
    """A form: `file`, and `metadata` as JSON. Raises `ValidationFailed`."""
    said: dict[str, Any] = {"name": name[:NAME_LENGTH_MAX], **texts}
    if "metadata" in said:
        said["metadata"] = _json(said["metadata"])
    return _new_file(said, data)


def check_query(query: Mapping[str, str]) -> None:
    """A file's name may stand in the query, where no body tells it. Raises `ValidationFailed`."""
    check_parameters(query, {"name"})
    _read(query)


def parse_raw(query: Mapping[str, str], data: bytes) -> NewFile:
    """A body that is the file. Raises `ValidationFailed`."""
    return _new_file(query, data)


def parse_list_query(query: Mapping[str, str]) -> tuple[int, str | None]:
    """Page size and cursor of a list of files. Raises `ValidationFailed`."""
    check_parameters(query, {"limit", "cursor"})
    return parse_limit(query), query.get("cursor")


def file_resource(file: File) -> answers.File:
    return {
        "id": file.id,
        "status": "awaited" if file.awaited else "ready",
        "name": file.name,
        "content_type": file.content_type,
        "size_bytes": file.size_bytes,
        "sha256": file.sha256,
        "metadata": file.metadata,
        "created_at": iso_seconds(file.created_at_ms),
        "expires_at": iso_seconds(file.expires_at_ms),
    }


def file_answer(file: File) -> answers.FileAnswer:
    return {"data": file_resource(file), "error": None}


def made(answered: Answered) -> Mapping[str, Any]:
    """The answer to a file that came, or to an upload that was ordered."""
    data: dict[str, Any] = dict(answered.body)
    if answered.upload:
        data["upload"] = _upload(answered.upload)
    return {"data": data, "error": None}


def file_list(page: FilePage) -> answers.FileListAnswer:
    return {
        "data": [file_resource(file) for file in page.files],
        "next_cursor": page.next_cursor,
        "error": None,
    }


def _upload(upload: Upload) -> answers.Upload:
    return {
        "method": "PUT",
        "url": upload.address.url,
        "headers": dict(upload.address.headers),
        "expires_at": iso_seconds(upload.until_ms),
    }


def _new_file(said: Mapping[str, Any], data: bytes) -> NewFile:
    read = _read(said)
    return NewFile(read.name, data, read.metadata)


def _read(said: Mapping[str, Any]) -> _Said:
    try:
        return _Said.model_validate(said)
    except ValidationError as error:
        raise validation_error(error) from None


def _json(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise invalid_field("metadata", "must be an object as JSON") from None


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
