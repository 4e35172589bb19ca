"""Files of accounts that never pay: what they fill, and what they make the stage take in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

from shoal.dialects.files import file_resource
from shoal.domain.errors import ApiError
from shoal.domain.files.file import COUNTED_BYTES_MIN, UPLOAD_MS
from shoal.domain.files.kinds import MEDIA_BYTES_MAX
from shoal.handlers.http.routes import FILE_BYTES_MAX
from shoal.use_cases.files.manage_files import NewFile, NewUpload
from tests.abuse.row import Row
from tests.fakes.limits import FETCHED_BYTES_MAX
from tests.worlds.world import FILES_BYTES_MAX, Customer, World

TRIES = 200
SMALL = b"\xff\xd8\xff"
LARGE = SMALL.ljust(FILE_BYTES_MAX)


def uploads() -> list[Row]:
    """Uploads that are ordered and deleted at once, files brought and deleted, and the smallest ones."""
    quota_mb, most = FILES_BYTES_MAX / 1e6, FILES_BYTES_MAX // COUNTED_BYTES_MIN
    ordered = sum(_accepted(TRIES, _order)) * MEDIA_BYTES_MAX / 1e6
    brought = sum(_accepted(TRIES, _bring_and_delete)) * len(LARGE) / 1e6
    smallest = sum(_accepted(most + TRIES, _keep_small, every_s=60))
    return [
        Row("uploads ordered and deleted", 1, "account", ordered, "MB their addresses take", quota_mb),
        Row("files brought and deleted", 1, "minute", brought, "MB put", FETCHED_BYTES_MAX / 1e6),
        Row("smallest files", 1, "account", smallest, "files kept", most),
    ]


def _accepted(tries: int, attempt: Callable[[World, Customer], None], every_s: float = 0) -> Iterator[bool]:
    """Whether each of so many attempts of an account without money is let through, within a day."""
    world = World()
    poor = world.customer(usd="0")
    for _ in range(tries):
        world.clock.pass_seconds(every_s and min(every_s, 24 * 3_600 / tries))
        with suppress(ApiError):
            attempt(world, poor)
            yield True


def _order(world: World, poor: Customer) -> None:
    """One every few seconds of the time for which an address takes its file."""
    world.clock.pass_seconds(UPLOAD_MS / 1000 / TRIES)
    new = NewUpload("", "video/mp4", MEDIA_BYTES_MAX)
    made = world.manage_files.order(poor.caller, lambda: new, None, file_resource)
    world.manage_files.delete(poor.caller, made.body["id"])


def _bring_and_delete(world: World, poor: Customer) -> None:
    made = world.manage_files.keep(poor.caller, lambda: NewFile("", LARGE), None, file_resource)
    world.manage_files.delete(poor.caller, made.body["id"])


def _keep_small(world: World, poor: Customer) -> None:
    world.manage_files.keep(poor.caller, lambda: NewFile("", SMALL), None, file_resource)
