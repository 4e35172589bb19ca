"""Items that earlier versions wrote, in a real table, read by today's adapters: each means what it meant."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.local.aws import Endpoint
from shoal.adapters.dynamodb.accounts import DynamoDbAccounts, DynamoDbKeys
from shoal.adapters.dynamodb.board import DynamoDbBoard
from shoal.adapters.dynamodb.breakers import breaker_key, breaker_of
from shoal.adapters.dynamodb.deliveries import DynamoDbDeliveries
from shoal.adapters.dynamodb.directory import DynamoDbDirectory, DynamoDbEntries, DynamoDbKeyUses
from shoal.adapters.dynamodb.idempotency import DynamoDbIdempotencyRecords
from shoal.adapters.dynamodb.jobs import DynamoDbJobs
from shoal.adapters.dynamodb.ledger import DynamoDbLedger
from shoal.adapters.dynamodb.payments import DynamoDbPayments
from shoal.adapters.dynamodb.people import DynamoDbPeople, DynamoDbSessions
from shoal.adapters.dynamodb.quotes import DynamoDbQuotes
from shoal.adapters.dynamodb.scenes import DynamoDbScenes
from shoal.adapters.dynamodb.slots import DynamoDbSlots
from shoal.adapters.dynamodb.usage import DynamoDbRuns, DynamoDbUsage
from shoal.adapters.dynamodb.webhooks import DynamoDbAccountSecrets, DynamoDbSubscriptions
from shoal.composition.upstreams import keyed
from shoal.domain.api_key import KeyPrefix
from shoal.domain.brief import Kind
from shoal.domain.delivery import Order
from shoal.domain.errors import Forbidden, Unauthorized
from shoal.domain.families import IMAGE, TASKS, VIDEO
from shoal.domain.idempotency import IdempotencyKey
from shoal.domain.job import Job, Step
from shoal.domain.models.tariff import Terms
from shoal.domain.money import Asset
from shoal.domain.payment import Payment
from shoal.domain.person import session_digest
from shoal.domain.quoted import QuotedRequest
from shoal.domain.rate_limit import RateLimit
from shoal.domain.routing import Phase
from shoal.domain.video import Scene
from shoal.domain.wallet import Wallet
from shoal.domain.webhook import REQUESTED
from tests.fixtures.files import Json, load, versions
from tests.integration.recorded_items import (
    ASKED,
    BREAKERS,
    DELIVERIES,
    ENTRIES,
    FAILURES,
    JOBS,
    KEYS,
    OTHERS,
    PAYMENTS,
    RECORDS,
    SUBSCRIPTIONS,
    USD,
    WALLETS,
)
from tests.support.deployed import ClockAt
from tests.support.recorded import Recorded


@pytest.fixture(scope="module", params=versions())
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def recorded(endpoint: Endpoint, version: str) -> Recorded:
    return Recorded(endpoint, version)


def test_every_item_is_read_by_a_test_of_this_file(recorded: Recorded) -> None:
    listed = {f"{name}.listed" for name in KEYS}
    tables = (JOBS, WALLETS, ENTRIES, PAYMENTS, SUBSCRIPTIONS, DELIVERIES, KEYS, RECORDS, BREAKERS)
    expected = OTHERS | listed | {name for table in tables for name in table}
    assert set(recorded.names()) == expected


def job_at(recorded: Recorded, name: str) -> tuple[Job, Json]:
    """A job as it was at a recorded moment, and its item."""
    item = recorded.put(name)
    return DynamoDbJobs(recorded.table).get(item["account_id"], item["id"]), item


@pytest.mark.parametrize("name", JOBS)
def test_a_job(recorded: Recorded, name: str) -> None:
    job, item = job_at(recorded, name)

    state = (job.status, job.hold_state, job.cost, job.closed_by)
    assert (*state, job.asset, job.submission.unit_price, job.output_count) == JOBS[name]
    assert job.failure == FAILURES.get(name)
    assert (job.id, job.account_id, job.created_at_ms) == (
        item["id"],
        item["pk"].removeprefix("ACCOUNT#"),
        item["created_at_ms"],
    )
    assert job.family is {"job": IMAGE, "gen": TASKS, "vid": VIDEO}[job.id[:3]]
    assert job.submission.price_version == "2026-11-23"
    assert job.free_trial == (".trial." in name)
    assert job.test == (name == "job.image.test")
    assert job.asked == ASKED.get(name, job.asked)
    assert job.announced == (job.status.terminal and "unannounced" not in name)
    assert (job.closed_at_ms is not None) == job.status.terminal


def test_the_money_that_open_jobs_hold(recorded: Recorded) -> None:
    for name, amount in (
        ("job.image.queued", 20_000),
        ("job.image.trial.queued", 0),
        ("job.task.processing", 20_000),
        ("job.video.processing", 2),
    ):
        assert job_at(recorded, name)[0].hold.amount == amount


def test_the_words_of_a_caller(recorded: Recorded) -> None:
    job, _ = job_at(recorded, "job.image.completed.2k")
    assert (job.submission.mode, job.brief.seed) == ("2k", 7)
    assert job.submission.metadata == {"order": 7, "half": 0.5}
    assert (job.kind, job.brief.width_px, job.brief.height_px) == (Kind.PICTURE, 2048, 2048)
    video, _ = job_at(recorded, "job.video.completed")
    assert (video.brief.of_video.subtitles, video.submission.metadata) == ("track", {"order": 7})
    assert (video.kind, video.model, video.brief.model) == (Kind.VIDEO, "video", "clip")
    edited, _ = job_at(recorded, "job.task.edited")
    assert len(edited.brief.input_keys) == 2
    assert job_at(recorded, "job.image.kept_for_an_hour")[0].submission.ttl_s == 3600
    assert job_at(recorded, "job.image.told_of")[0].submission.webhook_url == "http://127.0.0.1:9/told"


def test_calls_of_providers(recorded: Recorded) -> None:
    waiting, item = job_at(recorded, "job.image.processing")
    call = waiting.calls[0]
    assert (call.number, call.route, call.phase, call.tries) == (1, "simulator/", Phase.ASKED, 0)
    assert waiting.provider_refs == {0: "never"}
    assert waiting.task_tokens == {0: item["task_tokens"]["0"]}
    put_off, _ = job_at(recorded, "job.image.put_off")
    assert (put_off.calls[0].phase, put_off.calls[0].due_at_ms > put_off.created_at_ms) == (Phase.DUE, True)
    assert sorted(job_at(recorded, "job.task.processing")[0].task_tokens) == [0, 1]
    elsewhere, item = job_at(recorded, "job.task.at_a_provider")
    assert (elsewhere.provider, elsewhere.calls[0].provider) == ("replicate", "replicate")
    assert elsewhere.provider_refs == {0: item["provider_refs"]["0"]}
    assert len(job_at(recorded, "job.image.called_back")[0].callbacks) == 1


def test_outputs(recorded: Recorded) -> None:
    job, _ = job_at(recorded, "job.task.completed_in_part")
    assert [output.key.rpartition("/")[2][0] for output in job.outputs] == ["1", "2"]
    assert {(output.content_type, output.width_px) for output in job.outputs} == {("image/png", 1024)}
    video, _ = job_at(recorded, "job.video.completed")
    (final,) = video.outputs
    assert (final.key, final.content_type) == (f"videos/{video.id}/final.mp4", "video/mp4")
    assert video.steps == frozenset(Step)
    assert job_at(recorded, "job.video.processing")[0].steps == {Step.SCRIPT, Step.NARRATION}


@pytest.mark.parametrize(
    "name", ["job.image.processing", "job.image.canceled_unannounced", "job.image.completed_unannounced"]
)
def test_a_job_that_is_due_is_found_by_the_sweeper(recorded: Recorded, name: str) -> None:
    job, item = job_at(recorded, name)
    assert job.deadline_at_ms == item["deadline_at"]
    jobs = DynamoDbJobs(recorded.table)
    found = [each for shard in jobs.due(item["deadline_at"]) for page in shard for each in page]
    (due,) = [each for each in found if each.ulid == job.ulid]
    assert jobs.claim(due, item["deadline_at"] + 60_000) == replace(
        job, deadline_at_ms=item["deadline_at"] + 60_000
    )


def test_failed_and_open_jobs_are_listed_for_operators(recorded: Recorded) -> None:
    failed = {job_at(recorded, name)[0].id for name in ("job.image.failed", "job.video.failed")}
    waiting, _ = job_at(recorded, "job.image.queued")
    directory = DynamoDbDirectory(recorded.table)
    assert failed <= {job.id for job in directory.failed_jobs(limit=50, cursor=None).jobs}
    assert waiting.id in {job.id for job in directory.open_jobs(limit=100)}


@pytest.mark.parametrize(("name", "expected"), WALLETS.items())
def test_a_wallet(recorded: Recorded, name: str, expected: Wallet) -> None:
    item = recorded.put(name)
    found = DynamoDbLedger(recorded.table).wallet(item["account_id"], expected.asset)
    assert (found.balance, found.held, found.free_generations, found.owed) == (
        expected.balance,
        expected.held,
        expected.free_generations,
        expected.owed,
    )
    assert item["available"] == found.free - found.owed
    assert ("low_since" in item) == (name == "wallet.low")


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry(recorded: Recorded, name: str) -> None:
    kind, balance, held, trials, owed, note = ENTRIES[name]
    item = recorded.put(name)
    entries = DynamoDbEntries(recorded.table)
    just_above = f"{item['sk'].removeprefix('ENTRY#')}~"
    (entry,) = entries.page(item["account_id"], Asset(item["asset"]), limit=1, cursor=just_above).entries
    assert (entry.kind, entry.balance_delta, entry.held_delta) == (kind, balance, held)
    assert (entry.free_generations_delta, entry.owed_delta) == (trials, owed)
    assert entry.note == note if note is not None else entry.note.startswith("pi_")
    assert (entry.entry_id, entry.at_ms) == (item["sk"].removeprefix("ENTRY#"), item["at_ms"])


def test_what_a_payers_entries_add_up_to(endpoint: Endpoint, version: str) -> None:
    """Also what is owed, which is a part of the sum that the audit holds against the wallet."""
    recorded = Recorded(endpoint, version)
    of_payer = ["entry.top_up.paid", "entry.refund", "entry.refund_failure", "entry.dispute"]
    item = recorded.put_all(of_payer)[0]
    total = DynamoDbLedger(recorded.table).entries_sum(item["account_id"], USD)
    assert (total.balance_delta, total.owed_delta) == (20_000, 20_000)


@pytest.mark.parametrize("name", PAYMENTS)
def test_a_payment(recorded: Recorded, name: str) -> None:
    version, worth, claims = PAYMENTS[name]
    item = recorded.put(name)
    payment = Payment(item["id"], item["account_id"], USD, 10_000_000, 1_000)
    record = DynamoDbPayments(recorded.table).record(payment)
    assert (record.version, record.worth, item["worth"]) == (version, worth, worth)
    assert [record.claims[claim_id] for claim_id in sorted(record.claims)] == claims


def test_accounts(recorded: Recorded) -> None:
    accounts, directory = DynamoDbAccounts(recorded.table), DynamoDbDirectory(recorded.table)
    for name, suspended in (("account", False), ("account.suspended", True)):
        item, listed = recorded.put_all([name, f"{name}.listed"])
        account = accounts.get(item["id"])
        assert (account.id, account.suspended) == (item["id"], suspended)
        assert (account.email, account.created_at_ms) == (listed["email"], listed["created_at_ms"])
        assert account in directory.page(limit=50, cursor=None).accounts


@pytest.mark.parametrize("name", KEYS)
def test_a_key(recorded: Recorded, name: str) -> None:
    prefix, scopes, rate, revoked, label = KEYS[name]
    item, listed = recorded.put_all([name, f"{name}.listed"])
    keys, digest = DynamoDbKeys(recorded.table), item["pk"].removeprefix("KEY#")
    (key,) = [each for each in keys.of_account(item["account_id"]) if each.id == item["id"]]
    assert (key.prefix, key.scopes, key.name) == (prefix, scopes, label)
    assert (key.limit.requests_per_minute, key.digest) == (rate, digest)
    assert (key.revoked, item["revoked"]) == (listed["revoked"], revoked)
    if revoked:
        with pytest.raises(Unauthorized):
            keys.admit(digest, item["created_at_ms"] + 60_000)
        return
    caller = keys.admit(digest, item["created_at_ms"] + 60_000)
    assert (caller.account_id, caller.key_id) == (item["account_id"], item["id"])
    assert (caller.scopes, caller.test) == (scopes, prefix is KeyPrefix.TEST)
    assert caller.allowance.limit == RateLimit.of_rate(rate)


def test_a_key_of_a_suspended_account_is_refused_and_one_that_was_used_says_when(recorded: Recorded) -> None:
    item = recorded.put("key.suspended")
    with pytest.raises(Forbidden):
        DynamoDbKeys(recorded.table).admit(item["pk"].removeprefix("KEY#"), item["created_at_ms"])
    used = recorded.put("key.live")
    digest, far_ms = used["pk"].removeprefix("KEY#"), used["tat"] + 60_000
    uses = DynamoDbKeyUses(recorded.table).last_used_ms([digest], far_ms)
    assert uses == {digest: used["tat"] - 1}


def test_people_and_their_sessions(recorded: Recorded, version: str) -> None:
    person = recorded.put("person")
    subject = person["pk"].removeprefix("PERSON#")
    assert DynamoDbPeople(recorded.table).account_of(subject) == person["account_id"]
    for name, test, operator in (
        ("session.live", False, False),
        ("session.test", True, False),
        ("session.operator", False, True),
    ):
        item, cookie = recorded.put(name), load(version, "forms")[name]["cookie"]
        sessions, digest = DynamoDbSessions(recorded.table), session_digest(cookie)
        session = sessions.get(digest, item["vouched_until_ms"])
        assert session is not None
        assert (session.person.subject, session.account_id) == (subject, person["account_id"])
        assert (session.test, session.operator) == (test, operator)
        assert not session.second_factor, "nobody had one in 0.1"
        assert (session.csrf, session.refresh_token) == (item["csrf"], item["refresh_token"])
        assert session.expires_at_ms == item["expires_at"] * 1000
        assert sessions.get(digest, session.expires_at_ms) is None


@pytest.mark.parametrize("name", RECORDS)
def test_an_idempotency_record(recorded: Recorded, name: str) -> None:
    route, status, field = RECORDS[name]
    item = recorded.put(name)
    _, account_id, counted_in, key_text = item["pk"].split("#")
    assert counted_in == route.replace("{id}", item["job_id"])
    key = IdempotencyKey(account_id, counted_in, key_text, item["fingerprint"])
    record = DynamoDbIdempotencyRecords(recorded.table).find_record(key, item["expires_at"] * 1000 - 1_000)
    assert record is not None
    assert (record.status, record.job_id, field in record.body) == (status, item["job_id"], True)
    assert record.expires_at_ms == item["expires_at"] * 1000


def test_a_repeated_body_has_the_recorded_fingerprint(recorded: Recorded) -> None:
    body = {
        "mode": "1k",
        "prompt": "A shark in neon waters",
        "metadata": {"order": 7, "half": 0.5},
        "seed": 7,
    }
    item = recorded.put("idempotency.image")
    key = IdempotencyKey.of(item["pk"].split("#")[1], "POST /v1/generate", "order-1k", body)
    assert key.fingerprint == item["fingerprint"]


@pytest.mark.parametrize("name", SUBSCRIPTIONS)
def test_a_subscription(recorded: Recorded, name: str) -> None:
    enabled, good, reason, events, retired = SUBSCRIPTIONS[name]
    item = recorded.put(name)
    found = DynamoDbSubscriptions(recorded.table).get(item["account_id"], item["id"])
    assert (found.enabled, found.good, found.disabled_reason) == (enabled, good, reason)
    assert (found.events, found.name, found.url) == (events, "n8n production", item["url"])
    assert (found.secrets.current, len(found.secrets.retired)) == (item["secret"], retired)
    assert (found.disabled_at_ms is None, found.announce_due) == (enabled, False)
    assert (found.cleared_at_ms, found.updated_at_ms) == (item["cleared_at_ms"], item["updated_at_ms"])
    assert [old.sealed for old in found.secrets.retired] == [old["sealed"] for old in item["retired"]]


def test_the_count_of_subscriptions_still_counts(recorded: Recorded) -> None:
    item = recorded.put("subscriptions_count")
    subscription = recorded.put("subscription.new")
    assert item["pk"] == subscription["pk"]
    subscriptions = DynamoDbSubscriptions(recorded.table)
    subscriptions.delete(subscriptions.get(subscription["account_id"], subscription["id"]))
    assert (recorded.table.get(item["pk"], item["sk"]) or {})["subscriptions"] == item["subscriptions"] - 1


def test_the_secret_of_an_account(recorded: Recorded) -> None:
    for name, retired in (("account_secret.1", 0), ("account_secret.2", 1)):
        item = recorded.put(name)
        secret = DynamoDbAccountSecrets(recorded.table).get(item["account_id"], test=False)
        assert secret is not None
        assert (secret.secrets.current, len(secret.secrets.retired)) == (item["secret"], retired)
        assert (secret.created_at_ms, secret.updated_at_ms) == (item["created_at_ms"], item["updated_at_ms"])


@pytest.mark.parametrize("name", DELIVERIES)
def test_a_delivery(recorded: Recorded, name: str) -> None:
    status, run, attempts, answers, once = DELIVERIES[name]
    item = recorded.put(name)
    deliveries = DynamoDbDeliveries(recorded.table)
    found = deliveries.get(item["account_id"], item["webhook_id"], item["id"])
    assert (found.status, found.run, found.attempts_in_run, found.once) == (status, run, attempts, once)
    assert [attempt.status_code for attempt in found.attempts] == answers
    assert (found.event_type, found.event_id) == ("image.completed", item["event_id"])
    assert (found.body, found.url) == (item["body"], item.get("url"))
    assert found.next_attempt_at_ms == item.get("next_attempt_at_ms")
    assert (found.url is not None) == (found.webhook_id == REQUESTED)
    order = Order(found.account_id, found.webhook_id, found.id, run, attempts + 1)
    assert found.order() == order
    assert deliveries.load(order).delivery == found


def test_slots_that_are_taken_stay_taken_until_their_leases_end(recorded: Recorded) -> None:
    item = recorded.put("slots")
    slots, holder = DynamoDbSlots(recorded.table), item["pk"].removeprefix("WEBHOOK#")
    ends = sorted(item[f"slot_{number}"] for number in range(5))
    assert slots.take(holder, 5, ends[0] - 1) is None
    taken = slots.take(holder, 5, ends[0])
    assert taken is not None
    assert item[f"slot_{taken.number}"] == ends[0]


def test_scenes(recorded: Recorded) -> None:
    scenes = DynamoDbScenes(recorded.table)
    for job_name, name in (("job.video.processing", "scene.written"), ("job.video.completed", "scene.ready")):
        job, item = job_at(recorded, job_name)[0], recorded.put(name)
        scene = scenes.get(job, 1)
        assert scene == Scene(1, item["prompt"], item["narration"], item.get("ready_at_ms"))
        assert scene.ready == (name == "scene.ready")
        assert scenes.of(job) == (scene,)


@pytest.mark.parametrize("name", BREAKERS)
def test_a_breaker(recorded: Recorded, name: str) -> None:
    state, probing, trips, reason = BREAKERS[name]
    item = recorded.put(name)
    breaker = breaker_of(recorded.table.get(*breaker_key("stability/core")))
    assert breaker.state(item.get("open_until_ms", 1) - 1) is state
    assert (breaker.probe is not None, breaker.trips) == (probing, trips)
    assert reason in breaker.reason
    assert (breaker.calls, breaker.failures) == (item["calls"], item["failures"])


def test_providers_with_and_without_keys(recorded: Recorded) -> None:
    with_key, without = recorded.put_all(["provider_key", "provider_key.removed"])
    clock = ClockAt(with_key["set_at_ms"])
    board = DynamoDbBoard(recorded.table, list, keyed(), clock, lifetime_ms=1_000)
    assert board().keyed == {"replicate"}
    assert "set_at_ms" not in without


def test_a_quote(recorded: Recorded) -> None:
    item = recorded.put("quote")
    _, account_id, quote_id = item["pk"].split("#")
    assert DynamoDbQuotes(recorded.table).get(account_id, quote_id) == QuotedRequest(
        id=quote_id,
        account_id=account_id,
        test=False,
        tool="generate_image",
        fingerprint=item["fingerprint"],
        terms=Terms.flat(10_000),
        price_version="2026-11-23",
        expires_at_ms=item["expires_at_ms"],
    )


def test_usage(recorded: Recorded) -> None:
    usage = DynamoDbUsage(recorded.table)
    for name, model, cost in (
        ("usage.usd", "shoal-image", 10_000),
        ("usage.test_usd", "shoal-image", 10_000),
        ("usage.credit", "clip", 1),
    ):
        item = recorded.put(name)
        rollups = usage.between(item["pk"].removeprefix("ACCOUNT#"), item["day"], item["day"])
        (rollup,) = [each for each in rollups if each.asset == item["asset"]]
        assert (rollup.model, rollup.units, rollup.cost, rollup.requests) == (model, 1, cost, 1)


def test_how_long_jobs_took(recorded: Recorded) -> None:
    item = recorded.put("runs")
    at_ms = (item["expires_at"] - 3 * 24 * 3600) * 1000
    expected = max(1, round(item["elapsed_ms"] / item["runs"] / 1000))
    assert DynamoDbRuns(recorded.table).seconds_expected("shoal-image", at_ms) == expected
