"""What must hold for people, their sessions and suspensions: scenarios that fail without a condition."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shoal.adapters.dynamodb.items import account_key, api_key_key
from shoal.adapters.dynamodb.table import TransactionRefused
from shoal.domain.api_key import KEYS_MAX
from shoal.domain.errors import Forbidden, NotFound, SignInRefused
from shoal.domain.events import discrepancy_event
from shoal.domain.money import Asset
from shoal.domain.person import Person, Session, Vouched, session_digest
from shoal.domain.rate_limit import RateLimit
from shoal.ports.accounts import Account
from shoal.use_cases.accounts.manage_accounts import opening_grants
from tests.integration.bench import Bench
from tests.integration.conditions.scenarios_keys import admit, changed_meanwhile, digest, new_key

PERSON = Person("4f1c", "diver@example.com", frozenset({"operators"}))


def a_session(bench: Bench) -> Session:
    now_ms = bench.clock.now_ms()
    return Session(
        digest=session_digest(bench.ids.secret(43)),
        person=PERSON,
        account_id=bench.ids.new("acc", now_ms),
        csrf="csrf",
        refresh_token="refresh",
        vouched_until_ms=now_ms + 1_000,
        expires_at_ms=now_ms + 60_000,
    )


def opened(bench: Bench, email: str, person: Person = PERSON) -> tuple[Account, bool]:
    now_ms = bench.clock.now_ms()
    account = Account(bench.ids.new("acc", now_ms), email, now_ms)
    return account, bench.people.open(person.subject, account, opening_grants(account))


def put(bench: Bench, session: Session, since_ms: int | None = None) -> Session:
    """Keep the session of a sign-in that began at `since_ms`, now if it is not told."""
    now_ms = bench.clock.now_ms()
    bench.sessions.put(session, now_ms if since_ms is None else since_ms, now_ms)
    return session


def a_person_has_one_account(bench: Bench) -> None:
    assert bench.people.account_of(PERSON.subject) is None
    (first, was_opened), (second, was_too) = opened(bench, "first@x.org"), opened(bench, "second@x.org")
    assert (was_opened, was_too) == (True, False)
    assert bench.people.account_of(PERSON.subject) == first.id
    assert bench.ledger.wallet(first.id, Asset.USD).free_generations == 3
    assert [account.id for account in bench.directory.page(limit=5, cursor=None).accounts] == [first.id]
    assert bench.table.get(*account_key(second.id)) is None
    bench.people.link(PERSON.subject, second.id)
    assert bench.people.account_of(PERSON.subject) == second.id


def a_session_id_names_one_session(bench: Bench) -> None:
    other = replace(PERSON, subject="somebody-else")
    opened(bench, "first@x.org")
    opened(bench, "second@x.org", other)
    session = put(bench, a_session(bench))
    with pytest.raises(TransactionRefused):
        put(bench, replace(session, person=other, account_id="acc_of_somebody_else"))
    assert bench.sessions.get(session.digest, bench.clock.now_ms()) == session
    assert bench.sessions.get(session.digest, session.expires_at_ms) is None


def a_session_that_has_ended_stays_so(bench: Bench) -> None:
    opened(bench, "first@x.org")
    session = put(bench, a_session(bench))
    again = Vouched(replace(PERSON, groups=frozenset()), session.vouched_until_ms + 5, "refresh")
    bench.sessions.renew(session.digest, again)
    bench.sessions.switch(session.digest, test=True)
    bench.sessions.strengthen(session.digest)
    renewed = replace(
        session, person=again.person, vouched_until_ms=again.until_ms, test=True, second_factor=True
    )
    assert bench.sessions.get(session.digest, bench.clock.now_ms()) == renewed

    for _ in range(2):
        bench.sessions.end(session.digest)
    bench.sessions.renew(session.digest, again)
    bench.sessions.switch(session.digest, test=False)
    bench.sessions.strengthen(session.digest)
    assert bench.table.get(f"SESSION#{session.digest}", "SESSION") is None


def who_is_signed_out_everywhere_is_out(bench: Bench) -> None:
    account, _ = opened(bench, "first@x.org")
    now_ms = bench.clock.now_ms()
    there = [put(bench, a_session(bench)) for _ in range(2)]
    for _ in range(2):  # as when the first time broke off
        bench.sessions.end_all(PERSON.subject, now_ms)

    under_way, later = a_session(bench), a_session(bench)
    with pytest.raises(SignInRefused):
        put(bench, under_way, since_ms=now_ms)
    put(bench, later, since_ms=now_ms + 1)

    found = [bench.sessions.get(each.digest, now_ms) for each in (*there, under_way, later)]
    assert found == [None, None, None, later]
    assert bench.people.account_of(PERSON.subject) == account.id


def nobody_has_no_session(bench: Bench) -> None:
    bench.sessions.end_all(PERSON.subject, bench.clock.now_ms())
    with pytest.raises(SignInRefused):
        put(bench, a_session(bench))
    assert bench.people.account_of(PERSON.subject) is None


def nobody_is_not_suspended(bench: Bench) -> None:
    nobody = bench.ids.new("acc", 0)
    with pytest.raises(NotFound):
        bench.directory.suspend(nobody, bench.clock.now_ms())
    assert bench.table.get(*account_key(nobody)) is None


def nobody_is_not_resumed(bench: Bench) -> None:
    nobody = bench.ids.new("acc", 0)
    with pytest.raises(NotFound):
        bench.directory.resume(nobody)
    assert bench.table.get(*account_key(nobody)) is None


def an_account_is_told_to_be_suspended_once(bench: Bench) -> None:
    account_id = new_key(bench, RateLimit()).key.account_id
    found = discrepancy_event(
        account_id, Asset.USD, "balance", expected=1, found=2, now_ms=bench.clock.now_ms()
    )
    bench.outbox.add([found])
    for _ in range(2):
        bench.directory.suspend(account_id, bench.clock.now_ms())
        bench.clock.ms += 1_000
    untold = list(bench.outbox.untold())
    bench.tell_events()
    for each in untold:
        bench.outbox.forget(each)  # somebody else told it too
    assert (bench.bus.types().count("account.suspended"), list(bench.outbox.untold())) == (1, [])
    assert "audit.discrepancy" in bench.bus.types()


def a_suspended_accounts_keys_are_refused_until_it_is_lifted(bench: Bench) -> None:
    key, other = new_key(bench, RateLimit()), new_key(bench, RateLimit())
    for _ in range(2):
        bench.directory.suspend(key.key.account_id, bench.clock.now_ms())
    with pytest.raises(Forbidden):
        admit(bench, key)
    assert admit(bench, other)
    assert bench.accounts.accounts.get(key.key.account_id).suspended
    bench.directory.resume(key.key.account_id)
    assert admit(bench, key)


def a_suspended_account_gets_no_key(bench: Bench) -> None:
    key = new_key(bench, RateLimit()).key
    bench.directory.suspend(key.account_id, bench.clock.now_ms())
    with pytest.raises(Forbidden):
        bench.keys.add(replace(key, id=bench.ids.new("key", 0), digest="0" * 64), KEYS_MAX)
    assert bench.table.get(*api_key_key("0" * 64)) is None


def a_key_suspended_meanwhile_is_refused(bench: Bench) -> None:
    key = new_key(bench, RateLimit())
    admit(bench, key)
    keys = changed_meanwhile(bench, key, "suspended", True)
    with pytest.raises(Forbidden):
        keys.admit(digest(key), bench.clock.now_ms())
