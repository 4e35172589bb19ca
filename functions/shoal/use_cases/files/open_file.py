"""The bytes of a file that a request names as an input."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.api_key import Caller
from shoal.domain.errors import NotFound, OutputInvalid
from shoal.domain.files.file import File, no_such_file
from shoal.ports.files import FileObjects, Files
from shoal.ports.system import Clock

NOT_THERE = "has no bytes yet: send them to the address that its upload was ordered with"


def own(file: File, caller: Caller, now_ms: int) -> File:
    """The file, if it is of the caller's mode and has not expired. Raises `NotFound`."""
    if file.test != caller.test or now_ms >= file.expires_at_ms:
        raise no_such_file()
    return file


@dataclass(frozen=True, slots=True)
class OpenFile:
    files: Files
    objects: FileObjects
    clock: Clock

    def __call__(self, caller: Caller, file_id: str, bytes_max: int) -> bytes:
        """What the file holds at this moment: who takes it keeps a copy, whatever becomes of the file.

        Raises `OutputInvalid`, whose text is public, for a file that is not there, not there yet, or larger
        than `bytes_max` or than was declared.
        """
        try:
            file = own(self.files.get(caller.account_id, file_id), caller, self.clock.now_ms())
        except NotFound as error:
            raise OutputInvalid(error.message) from None
        data = self.objects.read(file, bytes_max)
        if data is None:
            raise OutputInvalid(NOT_THERE if file.awaited else no_such_file().message)
        if len(data) > file.size_bytes:
            raise OutputInvalid(f"has more than the {file.size_bytes:,} bytes that were declared")
        return data
