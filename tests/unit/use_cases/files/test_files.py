"""Files that callers bring, order uploads for, read, list, delete and use."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import pytest

from shoal.dialects.files import file_resource
from shoal.domain.api_key import KeyPrefix
from shoal.domain.errors import (
    ApiError,
    IdempotencyKeyReused,
    NotFound,
    RateLimited,
    TooManyFiles,
    Unavailable,
    ValidationFailed,
)
from shoal.domain.files.file import LIFETIME_MS, UPLOAD_MS, File
from shoal.domain.idempotency import IdempotencyKey
from shoal.domain.job import Job
from shoal.use_cases.files.manage_files import Answered, NewFile, NewUpload
from tests.fakes.limits import FETCHED_BYTES_MAX
from tests.worlds.world import FILES_BYTES_MAX, Customer, World

PNG = b"\x89PNG\r\n\x1a\n" + b"shark"
MP3 = b"ID3\x04" + bytes(60)
CLIP = NewUpload("shark.mp4", "video/mp4", 90_000_000)
FIELD = "input_image_urls.0"


def key_of(customer: Customer, key: str | None, said: Mapping[str, Any]) -> IdempotencyKey | None:
    return None if key is None else IdempotencyKey.of(customer.account_id, "POST /v1/files", key, said)


def keep(
    world: World, customer: Customer, data: bytes = PNG, key: str | None = None, name: str = "a"
) -> Answered:
    said = {"sha256": hashlib.sha256(data).hexdigest(), "name": name}
    new = NewFile(name, data, {"order": 4.2})
    return world.manage_files.keep(customer.caller, lambda: new, key_of(customer, key, said), file_resource)


def order(world: World, customer: Customer, new: NewUpload = CLIP, key: str | None = None) -> Answered:
    said = {"content_type": new.content_type, "size_bytes": new.size_bytes}
    return world.manage_files.order(customer.caller, lambda: new, key_of(customer, key, said), file_resource)


def stored(world: World, customer: Customer, answered: Answered) -> File:
    return world.files.get(customer.account_id, answered.body["id"])


def send(world: World, customer: Customer, answered: Answered, data: bytes) -> None:
    """What a caller PUTs to the address of an upload."""
    world.file_objects.objects[stored(world, customer, answered).key] = data


def edit(world: World, customer: Customer, *addresses: str) -> Job:
    return world.job(customer, world.submit_task(customer, input_image_urls=list(addresses)).job_id)


def refused(world: World, customer: Customer, *addresses: str) -> str:
    """What a refusal says of the first address; nothing was held, staged or written."""
    with pytest.raises(ValidationFailed) as failed:
        edit(world, customer, *addresses)
    assert world.entries(customer) == ["top_up"]
    assert world.staging.objects == {}
    (field,) = failed.value.details["fields"]
    assert field["field"] == FIELD
    return str(field["message"])


def kept_bytes(world: World, customer: Customer) -> int:
    return world.files.kept[customer.account_id].bytes_at(world.clock.now_ms())


def test_a_file_that_comes_along_is_kept_with_what_its_bytes_tell(world: World, customer: Customer) -> None:
    answered = keep(world, customer)

    file = stored(world, customer, answered)
    assert world.file_objects.objects == {file.key: PNG}
    assert (file.content_type, file.size_bytes, file.awaited) == ("image/png", len(PNG), False)
    assert file.sha256 == hashlib.sha256(PNG).hexdigest()
    assert answered.body == file_resource(file)
    assert file.key.startswith(f"files/{customer.account_id}/")


@pytest.mark.parametrize("data", [b"", b"<svg/>", b"%PDF-1.7", PNG[:4]])
def test_what_is_of_no_known_type_is_refused(world: World, customer: Customer, data: bytes) -> None:
    with pytest.raises(ValidationFailed) as failed:
        keep(world, customer, data)

    assert failed.value.details["fields"][0]["field"] == "file"
    assert (world.file_objects.objects, world.files.files) == ({}, {})


def test_a_file_sent_again_with_its_key_is_one_file(world: World, customer: Customer) -> None:
    first, again = (keep(world, customer, key="k") for _ in range(2))

    assert (again.body, again.replayed) == (first.body, True)
    assert len(world.files.files) == len(world.file_objects.objects) == 1
    with pytest.raises(IdempotencyKeyReused):
        keep(world, customer, MP3, key="k")


def test_of_two_at_the_same_time_one_is_kept_and_the_others_bytes_are_gone(
    world: World, customer: Customer
) -> None:
    world.network.before("files.create", lambda: keep(world, customer, key="k"))

    assert keep(world, customer, key="k").replayed
    assert len(world.files.files) == len(world.file_objects.objects) == 1
    assert kept_bytes(world, customer) == 100_000


def test_a_replay_depends_on_no_limit_of_today(world: World, customer: Customer) -> None:
    first = keep(world, customer, key="k")
    for _ in range(2):
        order(world, customer)
    with pytest.raises(TooManyFiles):
        order(world, customer)

    assert keep(world, customer, key="k").body == first.body


def test_an_account_keeps_so_many_bytes_in_both_modes_together(world: World, customer: Customer) -> None:
    for _ in range(2):
        order(world, customer)
    with pytest.raises(TooManyFiles) as refused:
        order(world, customer)

    assert refused.value.details == {"kept_bytes": 180_000_000, "kept_bytes_max": FILES_BYTES_MAX}
    keep(world, customer)
    other = world.customer()
    assert order(world, other).status == 201


def test_who_is_over_the_quota_puts_no_bytes(world: World, customer: Customer) -> None:
    order(world, customer)
    order(world, customer)
    order(world, customer, NewUpload("", "audio/wav", 20_000_000))

    with pytest.raises(TooManyFiles):
        keep(world, customer)
    assert "file_objects.put" not in world.network.calls


def test_of_two_that_fit_alone_one_is_refused_and_leaves_nothing(world: World, customer: Customer) -> None:
    order(world, customer, NewUpload("", "audio/wav", 99_900_000))
    order(world, customer, NewUpload("", "audio/wav", 99_900_000))
    keep(world, customer)
    world.network.before("files.create", lambda: keep(world, customer))

    with pytest.raises(TooManyFiles):
        keep(world, customer)
    assert len(world.file_objects.objects) == 2


def test_what_comes_in_in_a_minute_is_bounded(world: World, customer: Customer) -> None:
    world.fetching.draw(customer.account_id, FETCHED_BYTES_MAX - len(PNG), world.clock.now_ms())
    keep(world, customer)

    with pytest.raises(RateLimited):
        keep(world, customer)
    assert len(world.file_objects.objects) == 1


def test_bytes_stay_where_it_is_not_known_whether_their_file_was_written(
    world: World, customer: Customer
) -> None:
    world.network.fail("files.create", Unavailable(), lost_reply=True)

    with pytest.raises(Unavailable):
        keep(world, customer, key="k")
    world.network.heal()
    file = stored(world, customer, keep(world, customer, key="k"))
    assert set(world.file_objects.objects) == {file.key}


@pytest.mark.parametrize("point", ["file_objects.put", "files.create", "files.check_room", "fetching.draw"])
def test_a_crash_on_the_way_keeps_no_file_without_bytes(world: World, customer: Customer, point: str) -> None:
    world.network.fail(point, RuntimeError("killed"))
    with pytest.raises(RuntimeError):
        keep(world, customer, key="k")
    assert world.files.files == {}
    world.network.heal()

    answered = keep(world, customer, key="k")
    assert not answered.replayed
    assert stored(world, customer, answered).key in world.file_objects.objects


def test_an_ordered_upload_has_an_address_of_its_own(world: World, customer: Customer) -> None:
    answered = order(world, customer)

    file = stored(world, customer, answered)
    assert (file.awaited, answered.body["status"]) == (True, "awaited")
    assert answered.upload
    assert answered.upload.until_ms == world.clock.now_ms() + UPLOAD_MS
    assert world.file_objects.addresses == {file.key: UPLOAD_MS // 1000}
    assert kept_bytes(world, customer) == CLIP.size_bytes


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (NewUpload("", "image/svg+xml", 1), "content_type"),
        (NewUpload("", "image/png", 10 * 1024 * 1024 + 1), "size_bytes"),
        (NewUpload("", "video/mp4", 100 * 1024 * 1024 + 1), "size_bytes"),
    ],
)
def test_an_upload_of_another_type_or_too_large_a_one_is_not_ordered(
    world: World, customer: Customer, new: NewUpload, field: str
) -> None:
    with pytest.raises(ValidationFailed) as failed:
        order(world, customer, new)

    assert failed.value.details["fields"][0]["field"] == field
    assert world.files.files == {}


def test_an_order_sent_again_has_an_address_no_longer_than_the_first(
    world: World, customer: Customer
) -> None:
    first = order(world, customer, key="k")
    world.clock.pass_seconds(600)

    again = order(world, customer, key="k")

    assert (again.replayed, again.body) == (True, first.body)
    assert again.upload
    assert first.upload
    assert again.upload.until_ms == first.upload.until_ms
    assert world.file_objects.addresses[stored(world, customer, first).key] == 300
    world.clock.pass_seconds(300)
    assert order(world, customer, key="k").upload is None


def test_an_order_sent_again_after_its_file_was_deleted_has_no_address(
    world: World, customer: Customer
) -> None:
    first = order(world, customer, key="k")
    world.manage_files.delete(customer.caller, first.body["id"])

    again = order(world, customer, key="k")
    assert (again.body, again.upload) == (first.body, None)


def test_an_uploaded_file_is_found_when_it_is_read(world: World, customer: Customer) -> None:
    answered = order(world, customer, NewUpload("cat", "image/webp", 100))
    assert world.manage_files.read(customer.caller, answered.body["id"]).awaited
    send(world, customer, answered, PNG)

    read = world.manage_files.read(customer.caller, answered.body["id"])

    assert (read.awaited, read.content_type, read.size_bytes) == (False, "image/png", len(PNG))
    assert stored(world, customer, answered) == read


@pytest.mark.parametrize("data", [b"<html>", PNG.ljust(101), b""])
def test_an_uploaded_file_that_cannot_be_used_stays_awaited(
    world: World, customer: Customer, data: bytes
) -> None:
    answered = order(world, customer, NewUpload("cat", "image/png", 100))
    send(world, customer, answered, data)

    assert world.manage_files.read(customer.caller, answered.body["id"]).awaited


def test_files_are_listed_newest_first_page_by_page(world: World, customer: Customer) -> None:
    ids = []
    for _ in range(5):
        ids.append(keep(world, customer).body["id"])
        world.clock.pass_seconds(1)
    world_pages, cursor = [], None
    while True:
        page = world.manage_files.list(customer.caller, limit=2, cursor=cursor)
        world_pages.append([file.id for file in page.files])
        if (cursor := page.next_cursor) is None:
            break

    assert world_pages == [ids[4:2:-1], ids[2:0:-1], ids[:1]]


def test_a_file_is_gone_after_a_day(world: World, customer: Customer) -> None:
    file_id = keep(world, customer).body["id"]
    world.clock.pass_seconds(LIFETIME_MS // 1000)

    with pytest.raises(NotFound):
        world.manage_files.read(customer.caller, file_id)
    with pytest.raises(NotFound):
        world.manage_files.delete(customer.caller, file_id)
    assert world.manage_files.list(customer.caller, limit=5, cursor=None).files == ()
    assert refused(world, customer, file_id) == "There is no file with this id, or it has expired."


def test_deleting_gives_its_bytes_back(world: World, customer: Customer) -> None:
    file_id = keep(world, customer, PNG.ljust(200_000)).body["id"]
    world.manage_files.delete(customer.caller, file_id)

    assert (world.file_objects.objects, world.files.files, kept_bytes(world, customer)) == ({}, {}, 0)
    with pytest.raises(NotFound):
        world.manage_files.delete(customer.caller, file_id)


def test_what_may_still_be_uploaded_counts_though_its_file_is_deleted(
    world: World, customer: Customer
) -> None:
    early, late = (order(world, customer).body["id"] for _ in range(2))
    world.manage_files.delete(customer.caller, early)
    assert kept_bytes(world, customer) == 2 * CLIP.size_bytes

    world.clock.pass_seconds(UPLOAD_MS // 1000)
    world.manage_files.delete(customer.caller, late)
    assert kept_bytes(world, customer) == CLIP.size_bytes


@pytest.mark.parametrize("outsider", ["another account", "the other mode"])
def test_nobody_else_sees_uses_or_deletes_a_file(world: World, customer: Customer, outsider: str) -> None:
    file_id = keep(world, customer).body["id"]
    other = world.customer()
    if outsider == "the other mode":
        new = world.manage.create_key(
            customer.account_id, KeyPrefix.TEST, customer.stored_key.limit, customer.caller.scopes
        )
        other = Customer(customer.account_id, new.secret, new.key, world.authenticate(f"Bearer {new.secret}"))

    for call in (world.manage_files.read, world.manage_files.delete):
        with pytest.raises(NotFound):
            call(other.caller, file_id)
    assert world.manage_files.list(other.caller, limit=5, cursor=None).files == ()
    with pytest.raises(ValidationFailed, match="There is no file with this id"):
        edit(world, other, file_id)
    assert len(world.files.files) == 1


def test_a_file_a_data_uri_and_an_address_are_taken_together(world: World, customer: Customer) -> None:
    world.caller_http.pages["https://example.com/cat.png"] = b"cat"
    file_id = keep(world, customer).body["id"]

    job = edit(world, customer, file_id, "data:image/png;base64,ZG9n", "https://example.com/cat.png")

    assert [world.staging.objects[key] for key in job.brief.input_keys] == [PNG, b"dog", b"cat"]
    assert world.caller_http.fetched == ["https://example.com/cat.png"]
    assert sum(world.fetching.drawn.values()) == len(PNG) + len(b"cat")


def test_what_becomes_of_a_file_changes_no_job_that_took_it(world: World, customer: Customer) -> None:
    file_id = keep(world, customer).body["id"]
    job = edit(world, customer, file_id)
    world.file_objects.objects[world.files.get(customer.account_id, file_id).key] = b"something else"
    world.manage_files.delete(customer.caller, file_id)

    world.call_provider(job.account_id, job.id, 0, world.tokens.issue())
    assert world.provider.started[0].inputs == (PNG,)


def test_an_upload_that_never_came_is_told_where_it_is_used(world: World, customer: Customer) -> None:
    answered = order(world, customer, NewUpload("cat", "image/png", 100))

    assert refused(world, customer, answered.body["id"]).startswith("has no bytes yet")


def test_more_than_was_declared_is_refused_where_it_is_used(world: World, customer: Customer) -> None:
    answered = order(world, customer, NewUpload("cat", "image/png", len(PNG)))
    send(world, customer, answered, PNG + b"!")

    assert refused(world, customer, answered.body["id"]) == "has more than the 13 bytes that were declared"
    send(world, customer, answered, PNG)
    assert edit(world, customer, answered.body["id"]).brief.input_keys


def test_what_is_larger_than_its_role_takes_is_refused(world: World, customer: Customer) -> None:
    answered = order(world, customer)
    send(world, customer, answered, bytes(10 * 1024 * 1024 + 1))

    assert refused(world, customer, answered.body["id"]) == "must have at most 10,485,760 bytes"


def test_a_file_that_is_no_picture_is_refused(world: World, customer: Customer) -> None:
    answered = order(world, customer, NewUpload("cat", "image/png", 100))
    send(world, customer, answered, b"junk")

    assert refused(world, customer, answered.body["id"]) == "must be a PNG, JPEG or WebP picture"


def test_a_file_deleted_while_it_is_opened_is_refused(world: World, customer: Customer) -> None:
    file_id = keep(world, customer).body["id"]
    world.network.before("file_objects.read", lambda: world.manage_files.delete(customer.caller, file_id))

    assert refused(world, customer, file_id) == "There is no file with this id, or it has expired."


def test_a_broken_data_uri_is_refused(world: World, customer: Customer) -> None:
    assert refused(world, customer, "data:image/png;base64,Z").startswith("must be a data: URI of base64")


def test_an_input_in_the_body_of_who_cannot_pay_is_not_looked_at(world: World) -> None:
    poor = world.customer(usd="0")
    file_id = keep(world, poor).body["id"]

    with pytest.raises(ApiError, match="balance"):
        edit(world, poor, file_id)
    assert "file_objects.read" not in world.network.calls
