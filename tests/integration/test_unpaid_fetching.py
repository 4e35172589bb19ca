"""What an account that pays nothing can make the stage fetch, from a real server that counts its bytes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import repeat
from urllib.parse import urlsplit

import pytest

from shoal.adapters.http.caller_http import VettedCallerHttp
from shoal.adapters.outputs.picture_header import check_picture_header
from shoal.domain.errors import OutputInvalid
from shoal.use_cases.jobs.prepare_submission import INPUT_BYTES_MAX, PrepareSubmission
from tests.support.receiver import BLOCK, Received, Receiver, head
from tests.worlds.site import Site
from tests.worlds.site_fixtures import funded
from tests.worlds.world import World

FORMS, ADDRESSES = 12, 4
PNG = b"\x89PNG\r\n\x1a\n"
BUFFERS_BYTES = 8 * 2**20
"""What the kernel takes from a sender before its reader closes the connection."""


class Counted:
    """Sends ten megabytes that begin as told, and counts what it could send."""

    def __init__(self, start: bytes = b"") -> None:
        self.sent_bytes, self._start, self._lock = 0, start, threading.Lock()

    def __call__(self, _: Received) -> Iterator[bytes]:
        yield head(200, {})
        for block in (self._start.ljust(16), *repeat(BLOCK, INPUT_BYTES_MAX // len(BLOCK) - 1)):
            yield block
            with self._lock:
                self.sent_bytes += len(block)


@pytest.fixture
def site() -> Site:
    world = World()
    http = VettedCallerHttp(loopback_allowed=True)
    world.prepare = PrepareSubmission(
        http,
        world.staging,
        world.fetching,
        world.prepare.open_file,
        check_picture_header,
        world.clock,
        world.ids,
    )
    world.moderate_with(None)
    return Site(world)


def test_forms_of_a_penniless_account_fetch_nothing(site: Site, socket_enabled: None) -> None:
    person, answer = site.member(), Counted(PNG)
    with Receiver(answer) as receiver:
        urls = [receiver.url(f"/{n}.png") for n in range(ADDRESSES)]
        form = {"model": "nanobanana", "prompt": "A shark", "input_image_urls": "\n".join(urls)}
        statuses = [person.submit("/playground", "/playground/run", **form).status for _ in range(FORMS)]
        assert receiver.requests == []
    assert statuses == [402] * FORMS
    assert answer.sent_bytes == 0


def test_a_form_of_a_paying_account_fetches_its_pictures(site: Site, socket_enabled: None) -> None:
    """What the test above counts does happen where it is paid for."""
    person, answer = site.member(), Counted()
    funded(site, site.account_of())
    with Receiver(answer) as receiver:
        form = {"model": "nanobanana", "prompt": "A shark", "input_image_urls": receiver.url("/a.png")}
        shown = person.submit("/playground", "/playground/run", **form)
        assert [urlsplit(each.path).path for each in receiver.requests] == ["/a.png"]
    assert shown.status == 422


def test_what_begins_like_no_picture_is_not_read_on(socket_enabled: None) -> None:
    answer = Counted(b"<html>")
    with Receiver(answer) as receiver, pytest.raises(OutputInvalid):
        VettedCallerHttp(loopback_allowed=True).fetch(
            receiver.url(), bytes_max=INPUT_BYTES_MAX, seconds_max=5
        )
    assert answer.sent_bytes < BUFFERS_BYTES
