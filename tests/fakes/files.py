"""Files in memory, under the conditions of the adapter."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from shoal.domain.errors import OutputInvalid, ValidationFailed
from shoal.domain.files.file import File, Kept, hour_of, known_ulid, no_such_file
from shoal.domain.idempotency import IdempotencyRecord
from shoal.domain.ids import is_ulid
from shoal.ports.files import FilePage, Stored, UploadAddress
from tests.fakes.network import Network, reached
from tests.fakes.webhooks import WebhookTables


@dataclass
class FakeFiles:
    """`files` by account and ULID, `kept` by account; `tables` has the records."""

    network: Network
    tables: WebhookTables
    files: dict[tuple[str, str], File] = field(default_factory=dict)
    kept: dict[str, Kept] = field(default_factory=dict)
    port: str = "files"

    @reached
    def check_room(self, file: File, bytes_max: int) -> None:
        self._kept(file.account_id).with_file(file, bytes_max)

    @reached
    def create(
        self, file: File, record: IdempotencyRecord | None, *, bytes_max: int, now_ms: int
    ) -> IdempotencyRecord | None:
        kept = self._kept(file.account_id).with_file(file, bytes_max)
        if record and (earlier := self.tables.find_record(record.key, now_ms)):
            return earlier
        self.tables.record(record)
        self.kept[file.account_id] = kept
        self.files[file.account_id, file.ulid] = file
        return None

    @reached
    def get(self, account_id: str, file_id: str) -> File:
        found = self.files.get((account_id, known_ulid(file_id)))
        if found is None:
            raise no_such_file()
        return found

    @reached
    def page(self, account_id: str, *, test: bool, limit: int, cursor: str | None, now_ms: int) -> FilePage:
        if cursor is not None and not is_ulid(cursor):
            raise ValidationFailed("The cursor is not one this API gave out.")
        found = [
            file
            for (owner, ulid), file in sorted(self.files.items(), reverse=True)
            if owner == account_id and file.test == test and now_ms < file.expires_at_ms
            if cursor is None or ulid < cursor
        ]
        shown = found[:limit]
        return FilePage(tuple(shown), shown[-1].ulid if len(found) > limit else None)

    @reached
    def note_uploaded(self, file: File) -> None:
        if (file.account_id, file.ulid) not in self.files:
            raise no_such_file()
        self.files[file.account_id, file.ulid] = file

    @reached
    def delete(self, file: File, *, gives_back: bool) -> None:
        if self.files.pop((file.account_id, file.ulid), None) is None:
            raise no_such_file()
        kept, hour = self._kept(file.account_id), hour_of(file)
        if gives_back and kept.by_hour.get(hour, 0) >= file.counted_bytes:
            left = {**kept.by_hour, hour: kept.by_hour[hour] - file.counted_bytes}
            self.kept[file.account_id] = replace(kept, by_hour=left, version=kept.version + 1)

    def _kept(self, account_id: str) -> Kept:
        return self.kept.get(account_id, Kept())


@dataclass
class FakeFileObjects:
    """Objects by key. `send` is what a caller does with the address of an upload."""

    network: Network
    objects: dict[str, bytes] = field(default_factory=dict)
    addresses: dict[str, int] = field(default_factory=dict)
    port: str = "file_objects"

    @reached
    def put(self, file: File, data: bytes) -> None:
        self.objects[file.key] = data

    @reached
    def look(self, file: File) -> Stored | None:
        data = self.objects.get(file.key)
        return None if data is None else Stored(len(data), data[:64])

    @reached
    def read(self, file: File, bytes_max: int) -> bytes | None:
        data = self.objects.get(file.key)
        if data is not None and len(data) > bytes_max:
            raise OutputInvalid(f"must have at most {bytes_max:,} bytes")
        return data

    @reached
    def delete(self, file: File) -> None:
        self.objects.pop(file.key, None)

    @reached
    def upload_address(self, file: File, seconds: int) -> UploadAddress:
        self.addresses[file.key] = seconds
        return UploadAddress(f"https://staging.test/{file.key}", {"Content-Type": file.content_type})
