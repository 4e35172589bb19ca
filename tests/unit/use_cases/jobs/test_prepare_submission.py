"""What a caller's addresses lead to is looked at before any money is held."""

from __future__ import annotations

from typing import Any

import pytest

from shoal.domain.errors import (
    AddressRefused,
    ApiError,
    ConnectionFailed,
    ExchangeError,
    ExchangeTimedOut,
    InsufficientBalance,
    NameNotResolved,
    RateLimited,
    ResponseInvalid,
    ResponseTooLarge,
    TlsFailed,
    Unavailable,
    ValidationFailed,
)
from shoal.domain.job import Job
from shoal.domain.money import format_usd
from shoal.use_cases.jobs.prepare_submission import INPUT_BYTES_MAX
from tests.fakes.limits import FETCHED_BYTES_MAX
from tests.worlds.world import Customer, World

CAT, DOG, BAD = (f"https://example.com/{name}.png" for name in ("cat", "dog", "bad"))
HOOK = "https://hooks.example.com/x"
EXCHANGE_ERRORS: list[ExchangeError] = [
    AddressRefused("The address is not permitted."),
    NameNotResolved("The host name is not known."),
    ConnectionFailed("No connection could be made."),
    TlsFailed("The certificate does not hold."),
    ExchangeTimedOut(5),
    ResponseInvalid("The URL answered with status 404, not 200."),
    ResponseTooLarge(INPUT_BYTES_MAX),
]


@pytest.fixture
def pages(world: World) -> dict[str, bytes | ExchangeError]:
    """What the addresses of the `World` answer."""
    world.caller_http.pages |= {CAT: b"cat", DOG: b"dog"}
    return world.caller_http.pages


def edit(world: World, customer: Customer, *urls: str, key: str | None = None, **body: Any) -> Job:
    body = {"model": "nanobanana", "prompt": "A shark", "input_image_urls": list(urls)} | body
    return world.job(customer, world.submit_body(customer, body, key).job_id)


def refused(world: World, customer: Customer, *urls: str, **body: Any) -> tuple[str, str]:
    """The field a refusal names and what it says; nothing was held, staged or written."""
    with pytest.raises(ValidationFailed) as failed:
        edit(world, customer, *urls, **body)
    assert world.entries(customer) == ["top_up"]
    assert (world.tables.jobs, world.tables.records, world.staging.objects) == ({}, {}, {})
    (field,) = failed.value.details["fields"]
    assert failed.value.message == f"The request is not valid. {field['field']}: {field['message']}"
    return field["field"], field["message"]


def test_good_pictures_are_staged_in_order_and_the_provider_gets_them(
    world: World, customer: Customer, pages: dict[str, bytes | ExchangeError]
) -> None:
    job = edit(world, customer, CAT, DOG)

    keys = job.brief.input_keys
    assert [world.staging.objects[key] for key in keys] == [b"cat", b"dog"]
    assert all(key.startswith("inputs/in_") for key in keys)
    world.call_provider(job.account_id, job.id, 0, world.tokens.issue())
    assert world.provider.started[0].inputs == (b"cat", b"dog")


def test_two_requests_for_the_same_pictures_stage_their_own(
    world: World, customer: Customer, pages: dict[str, bytes | ExchangeError]
) -> None:
    jobs = [edit(world, customer, CAT) for _ in range(2)]

    assert len({key for job in jobs for key in job.brief.input_keys}) == 2


def test_a_request_that_names_no_address_reaches_out_to_none(world: World, customer: Customer) -> None:
    world.queued(customer, model="nanobanana")

    assert (world.caller_http.fetched, world.caller_http.vetted) == ([], [])


@pytest.mark.parametrize("error", EXCHANGE_ERRORS, ids=lambda error: type(error).__name__)
def test_an_address_that_does_not_answer_well_is_named_in_the_refusal(
    world: World, customer: Customer, pages: dict[str, bytes | ExchangeError], error: ExchangeError
) -> None:
    pages[BAD] = error

    assert refused(world, customer, CAT, BAD, DOG) == ("input_image_urls.1", str(error))


def test_what_is_no_picture_is_refused(
    world: World, customer: Customer, pages: dict[str, bytes | ExchangeError]
) -> None:
    pages[BAD] = b"junk"

    field, message = refused(world, customer, BAD)
    assert (field, message) == ("input_image_urls.0", "must be a PNG, JPEG or WebP picture")


def test_a_picture_may_have_ten_megabytes_and_no_more(
    world: World, customer: Customer, pages: dict[str, bytes | ExchangeError]
) -> None:
    pages[BAD] = b"x" * (INPUT_BYTES_MAX + 1)
    assert refused(world, customer, BAD)[1] == "The answer is longer than 10,485,760 bytes."

    pages[BAD] = b"x" * INPUT_BYTES_MAX
    assert len(edit(world, customer, BAD).brief.input_keys) == 1


@pytest.mark.parametrize("place", range(4))
def test_nothing_is_staged_unless_all_are_good(
    world: World, customer: Customer, pages: dict[str, bytes | ExchangeError], place: int
) -> None:
    urls = [CAT, DOG, CAT, DOG]
    urls[place] = BAD
    pages[BAD] = b"junk"

    assert refused(world, customer, *urls)[0] == f"input_image_urls.{place}"
    assert "staging.put_input" not in world.network.calls


def test_slow_addresses_together_have_fifteen_seconds(
    world: World, customer: Customer, pages: dict[str, bytes | ExchangeError]
) -> None:
    takes_s = [1.5, 4.5, 4.5, 4.5]

    def slowly() -> None:
        world.clock.pass_seconds(takes_s.pop())
        if takes_s:
            world.network.before("caller_http.fetch", slowly)

    world.network.before("caller_http.fetch", slowly)
    edit(world, customer, CAT, DOG, CAT, DOG)
    assert world.caller_http.given_s == [5, 5, 5, 1.5]
    world.network.before("caller_http.vet", lambda: world.clock.pass_seconds(15))
    with pytest.raises(ValidationFailed, match=r"input_image_urls\.0: No complete answer within 15 s"):
        edit(world, customer, CAT, webhook_url=HOOK)


@pytest.mark.parametrize("body", [{"model": "nanobanana"}, {"mode": "2k"}])
def test_a_webhook_address_is_looked_at_and_not_spoken_to(
    world: World, customer: Customer, body: dict[str, Any]
) -> None:
    job = world.queued(customer, **body, webhook_url=HOOK)

    assert job.submission.webhook_url == HOOK
    assert (world.caller_http.vetted, world.caller_http.fetched) == ([HOOK], [])


@pytest.mark.parametrize("body", [{"model": "nanobanana"}, {"mode": "2k"}])
def test_a_forbidden_webhook_address_is_refused_before_any_picture_is_fetched(
    world: World, customer: Customer, body: dict[str, Any]
) -> None:
    world.caller_http.pages[HOOK] = AddressRefused("The address is not permitted.")

    with pytest.raises(ValidationFailed) as failed:
        world.submit_body(customer, {"prompt": "A shark", "webhook_url": HOOK} | body, None)

    assert failed.value.details["fields"][0]["field"] == "webhook_url"
    assert world.entries(customer) == ["top_up"]
    assert world.caller_http.fetched == []


def test_a_replay_gets_its_answer_without_fetching_again(
    world: World, customer: Customer, pages: dict[str, bytes | ExchangeError]
) -> None:
    first = edit(world, customer, CAT, webhook_url=HOOK, key="order-1")
    pages[CAT] = pages[HOOK] = AddressRefused("gone")
    asked = list(world.caller_http.fetched), list(world.caller_http.vetted)

    again = edit(world, customer, CAT, webhook_url=HOOK, key="order-1")

    assert again.id == first.id
    assert (world.caller_http.fetched, world.caller_http.vetted) == asked
    assert len(world.tables.jobs) == 1


def test_a_key_used_again_a_day_later_fetches_again(
    world: World, customer: Customer, pages: dict[str, bytes | ExchangeError]
) -> None:
    first = edit(world, customer, CAT, key="order-1")
    world.clock.pass_seconds(25 * 3_600)

    assert edit(world, customer, CAT, key="order-1").id != first.id
    assert world.caller_http.fetched == [CAT, CAT]


def test_a_key_reused_for_other_pictures_is_refused_without_fetching_them(
    world: World, customer: Customer, pages: dict[str, bytes | ExchangeError]
) -> None:
    edit(world, customer, CAT, key="order-1")

    with pytest.raises(ApiError, match="different request body"):
        edit(world, customer, DOG, key="order-1")
    assert world.caller_http.fetched == [CAT]


def test_a_request_nobody_pays_for_leaves_no_job(
    world: World, pages: dict[str, bytes | ExchangeError]
) -> None:
    poor = world.customer(usd="0")

    with pytest.raises(InsufficientBalance):
        edit(world, poor, CAT)
    assert world.tables.jobs == {}


@pytest.mark.parametrize("trials", [0, 3])
def test_what_nobody_can_pay_is_refused_before_anything_is_fetched(
    world: World, pages: dict[str, bytes | ExchangeError], trials: int
) -> None:
    """Trials are for images of the image dialect: they pay for no task."""
    poor = world.customer(usd="0")
    for _ in range(3 - trials):
        world.queued(poor)

    with pytest.raises(InsufficientBalance):
        edit(world, poor, CAT, DOG)
    assert (world.caller_http.fetched, world.staging.objects) == ([], {})


def test_what_was_staged_for_a_refused_submit_is_deleted_at_once(
    world: World, pages: dict[str, bytes | ExchangeError]
) -> None:
    price = world.submit_body(world.customer(), {"model": "nanobanana", "prompt": "x"}, None)
    job = next(iter(world.tables.jobs.values()))
    customer = world.customer(usd=format_usd(job.price))
    world.network.before("staging.put_input", lambda: world.queued(customer, mode="1k"))

    with pytest.raises(InsufficientBalance):
        edit(world, customer, CAT, DOG)
    assert price.status == 202
    assert "staging.put_input" in world.network.calls
    assert world.staging.objects == {}


def test_what_was_staged_for_an_accepted_submit_stays_when_it_is_sent_again_at_the_same_time(
    world: World, customer: Customer, pages: dict[str, bytes | ExchangeError]
) -> None:
    first: list[Job] = []
    world.network.before("ledger.submit", lambda: first.append(edit(world, customer, CAT, key="order-1")))

    again = edit(world, customer, CAT, key="order-1")

    assert [again.id] == [job.id for job in first]
    assert set(world.staging.objects) == set(first[0].brief.input_keys)


def test_a_staging_bucket_that_deletes_nothing_hides_no_refusal(
    world: World, pages: dict[str, bytes | ExchangeError]
) -> None:
    customer = world.customer(usd="10")
    world.network.fail("ledger.submit", InsufficientBalance())
    world.network.fail("staging.delete_input", Unavailable())

    with pytest.raises(InsufficientBalance):
        edit(world, customer, CAT)


def test_what_is_fetched_for_an_account_in_a_minute_is_bounded(
    world: World, customer: Customer, pages: dict[str, bytes | ExchangeError]
) -> None:
    pages[BAD] = b"x" * INPUT_BYTES_MAX
    for _ in range(FETCHED_BYTES_MAX // (4 * INPUT_BYTES_MAX)):
        edit(world, customer, BAD, BAD, BAD, BAD)

    with pytest.raises(RateLimited) as refused:
        edit(world, customer, BAD, BAD, BAD, BAD)
    assert refused.value.details == {"limit": "fetching"}
    assert edit(world, world.customer(), BAD).brief.input_keys
    world.clock.pass_seconds(60)
    assert edit(world, customer, BAD).brief.input_keys


def test_small_pictures_count_as_what_they_are_and_addresses_that_fail_as_the_largest(
    world: World, customer: Customer, pages: dict[str, bytes | ExchangeError]
) -> None:
    edit(world, customer, CAT, DOG)
    assert sum(world.fetching.drawn.values()) == len(b"catdog")

    pages[BAD] = ResponseInvalid("The URL answered with status 404, not 200.")
    with pytest.raises(ValidationFailed):
        edit(world, customer, BAD)
    assert sum(world.fetching.drawn.values()) == len(b"catdog") + INPUT_BYTES_MAX


def test_a_staging_bucket_out_of_reach_holds_nothing(
    world: World, customer: Customer, pages: dict[str, bytes | ExchangeError]
) -> None:
    world.network.fail("staging.put_input", Unavailable())

    with pytest.raises(Unavailable):
        edit(world, customer, CAT)
    assert world.entries(customer) == ["top_up"]


def test_inputs_that_are_gone_fail_the_output_and_not_the_poll(
    world: World, customer: Customer, pages: dict[str, bytes | ExchangeError]
) -> None:
    job = edit(world, customer, CAT)
    world.staging.objects.clear()

    token = world.tokens.issue()
    assert world.call_provider(job.account_id, job.id, 0, token)[1] == "OutputInvalid"

    assert world.tokens.answers[token].error == "OutputInvalid"
    assert world.bus.types() == ["job.created", "job.processing"]
