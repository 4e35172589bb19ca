"""What a caller does with files: bring one, order an upload, read, list, delete."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from shoal.domain.api_key import Caller
from shoal.domain.errors import ApiError, NotFound, Unavailable, ValidationFailed
from shoal.domain.files import kinds
from shoal.domain.files.address import FILE_PREFIX
from shoal.domain.files.file import UPLOAD_MS, File, counted
from shoal.domain.idempotency import LIFETIME_MS, IdempotencyKey, IdempotencyRecord
from shoal.ports.files import FileObjects, FilePage, Files, UploadAddress
from shoal.ports.limits import Fetching
from shoal.ports.system import Clock, IdempotencyRecords, Ids
from shoal.use_cases.files.open_file import own

logger = logging.getLogger(__name__)

CREATED = 201
KNOWN = "PNG, JPEG, WebP, MP4, WebM, QuickTime, MP3, WAV, Ogg, FLAC or binary glTF"


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that came with its request."""

    name: str
    data: bytes
    metadata: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class NewUpload:
    """A file that goes straight to where it is kept: what its sender says of it."""

    name: str
    content_type: str
    size_bytes: int
    metadata: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """Where an ordered file is to be sent until a moment in Unix ms."""

    address: UploadAddress
    until_ms: int


@dataclass(frozen=True, slots=True)
class Answered:
    """Status and body; `replayed` if an earlier request made them. `upload` says where to send the file."""

    status: int
    body: Mapping[str, Any]
    replayed: bool
    upload: Upload | None = None

    @property
    def headers(self) -> dict[str, str]:
        return {"Idempotent-Replayed": "true"} if self.replayed else {}


Render = Callable[[File], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class ManageFiles:
    """An account keeps `bytes_max` at once, of both its modes together."""

    files: Files
    objects: FileObjects
    records: IdempotencyRecords
    fetching: Fetching
    clock: Clock
    ids: Ids
    bytes_max: int

    def keep(
        self, caller: Caller, read: Callable[[], NewFile], key: IdempotencyKey | None, render: Render
    ) -> Answered:
        """The file that `read` makes of the request, or this key's earlier answer.

        The bytes count among those that come in for the account in a minute. They are put before the file is
        written, so that no file lacks them; what a crash leaves there is gone a day later.

        Raises what `read` raises, `ValidationFailed` (the type), `TooManyFiles`, `RateLimited`,
        `IdempotencyKeyReused`, `IdempotencyInFlight`: in each of them nothing was written.
        """
        now_ms = self.clock.now_ms()
        if earlier := self._earlier(key, now_ms):
            return earlier
        new = read()
        content_type = _type_of(new.data)
        file = replace(
            self._file(caller, new.name, content_type, len(new.data), new.metadata, now_ms),
            sha256=hashlib.sha256(new.data).hexdigest(),
        )
        self.files.check_room(file, self.bytes_max)
        self.fetching.draw(caller.account_id, len(new.data), now_ms)
        self.objects.put(file, new.data)
        try:
            answered = self._create(file, key, render, now_ms)
        except Unavailable:
            raise  # it may have been written all the same
        except ApiError:
            self._discard(file)
            raise
        if answered.replayed:
            self._discard(file)
        return answered

    def order(
        self, caller: Caller, read: Callable[[], NewUpload], key: IdempotencyKey | None, render: Render
    ) -> Answered:
        """A file to be sent to an address of its own, which takes it for `UPLOAD_MS`.

        Its declared size counts at once: what is sent is not seen before it is used. Raises as `keep` does.
        """
        now_ms = self.clock.now_ms()
        if earlier := self._earlier(key, now_ms):
            return self._again(caller, earlier, now_ms)
        new = read()
        _check_declared(new)
        file = replace(
            self._file(caller, new.name, new.content_type, new.size_bytes, new.metadata, now_ms),
            upload_until_ms=now_ms + UPLOAD_MS,
            awaited=True,
        )
        answered = self._create(file, key, render, now_ms)
        if answered.replayed:
            return self._again(caller, answered, now_ms)
        return replace(answered, upload=self._upload(file, now_ms))

    def read(self, caller: Caller, file_id: str) -> File:
        """As it is now: one that was awaited is looked for. Raises `NotFound`."""
        file = self._own(caller, file_id)
        if not file.awaited or not (stored := self.objects.look(file)):
            return file
        content_type = kinds.type_of(stored.start)
        if content_type is None or stored.size_bytes > min(file.size_bytes, kinds.bytes_max(content_type)):
            return file  # it can't be used: who uses it is told why
        there = replace(file, content_type=content_type, size_bytes=stored.size_bytes, awaited=False)
        self.files.note_uploaded(there)
        return there

    def list(self, caller: Caller, *, limit: int, cursor: str | None) -> FilePage:
        """Those of the caller's mode, newest first. Raises `ValidationFailed` for an unknown cursor."""
        return self.files.page(
            caller.account_id, test=caller.test, limit=limit, cursor=cursor, now_ms=self.clock.now_ms()
        )

    def delete(self, caller: Caller, file_id: str) -> None:
        """The bytes, then the file. Jobs that took it have copies of their own. Raises `NotFound`.

        Its bytes are free again, unless more may still be sent to the address of its upload: then they count
        until their hour is over.
        """
        file = self._own(caller, file_id)
        self.objects.delete(file)
        self.files.delete(file, gives_back=not file.takes_bytes(self.clock.now_ms()))

    def _own(self, caller: Caller, file_id: str) -> File:
        return own(self.files.get(caller.account_id, file_id), caller, self.clock.now_ms())

    def _file(
        self,
        caller: Caller,
        name: str,
        content_type: str,
        size_bytes: int,
        metadata: dict[str, Any] | None,
        now_ms: int,
    ) -> File:
        return File(
            id=self.ids.new(FILE_PREFIX, now_ms),
            account_id=caller.account_id,
            test=caller.test,
            name=name,
            content_type=content_type,
            size_bytes=size_bytes,
            counted_bytes=counted(size_bytes),
            created_at_ms=now_ms,
            metadata=metadata,
        )

    def _earlier(self, key: IdempotencyKey | None, now_ms: int) -> Answered | None:
        """Asked for first: a replay must not depend on today's limits."""
        record = self.records.find_record(key, now_ms) if key else None
        return _replay(record) if record else None

    def _create(self, file: File, key: IdempotencyKey | None, render: Render, now_ms: int) -> Answered:
        body = render(file)
        record = IdempotencyRecord(key, file.id, CREATED, body, now_ms + LIFETIME_MS) if key else None
        earlier = self.files.create(file, record, bytes_max=self.bytes_max, now_ms=now_ms)
        return _replay(earlier) if earlier else Answered(CREATED, body, replayed=False)

    def _again(self, caller: Caller, earlier: Answered, now_ms: int) -> Answered:
        """With an address that ends when the first one did; without one for a file that is gone meanwhile."""
        try:
            return replace(earlier, upload=self._upload(self._own(caller, str(earlier.body["id"])), now_ms))
        except NotFound:
            return earlier

    def _upload(self, file: File, now_ms: int) -> Upload | None:
        until_ms = file.upload_until_ms
        if until_ms is None or (left_s := (until_ms - now_ms) // 1000) <= 0:
            return None
        return Upload(self.objects.upload_address(file, left_s), until_ms)

    def _discard(self, file: File) -> None:
        try:
            self.objects.delete(file)
        except Unavailable:
            # Why it is refused matters more to its caller: what is left behind is gone a day later.
            logger.warning("bytes of a refused file not deleted", exc_info=True)


def _type_of(data: bytes) -> str:
    """Raises `ValidationFailed` for bytes of no type that is kept."""
    content_type = kinds.type_of(data[: kinds.START_BYTES])
    if content_type is None:
        raise _invalid("file", f"must be {KNOWN}, by its bytes" if data else "must not be empty")
    return content_type


def _check_declared(new: NewUpload) -> None:
    """Raises `ValidationFailed`."""
    if new.content_type not in kinds.TYPES:
        raise _invalid("content_type", f"must be one of {', '.join(kinds.TYPES)}")
    if new.size_bytes > kinds.bytes_max(new.content_type):
        kind = "picture" if new.content_type in kinds.PICTURES else "file"
        raise _invalid(
            "size_bytes", f"must be at most {kinds.bytes_max(new.content_type):,} for a {kind} of this type"
        )


def _invalid(field: str, message: str) -> ValidationFailed:
    return ValidationFailed(
        f"The request is not valid. {field}: {message}",
        details={"fields": [{"field": field, "message": message}]},
    )


def _replay(record: IdempotencyRecord) -> Answered:
    return Answered(record.status, record.body, replayed=True)
