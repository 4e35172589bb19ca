"""What is answered about files."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from shoal.dialects.answers.common import ULID, Cursor, Metadata, Moment, NoError, Url

FileId = Annotated[str, Field(pattern=f"^file_{ULID}$")]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class File(TypedDict):
    id: FileId
    status: Literal["awaited", "ready"]
    """`awaited`: nothing usable was found yet where its upload was ordered; type and size are as declared."""
    name: str
    content_type: str
    """Told by its bytes."""
    size_bytes: int
    sha256: Sha256 | None
    """Of a file that came with its request; null for one that was uploaded to an address."""
    metadata: Metadata | None
    created_at: Moment
    expires_at: Moment
    """A day after it was made: then it is gone."""


class Upload(TypedDict):
    """Where to send the file: once, with these header fields, before it expires."""

    method: Literal["PUT"]
    url: Url
    headers: dict[str, str]
    expires_at: Moment


class NewFile(File):
    upload: NotRequired[Upload]
    """There when an upload was ordered, and may still be sent."""


class FileAnswer(NoError):
    data: File


class NewFileAnswer(NoError):
    data: NewFile


class FileListAnswer(NoError):
    data: list[File]
    next_cursor: Cursor | None
