"""People and their sessions in the table."""

from __future__ import annotations

from collections.abc import Sequence

from shoal.adapters.dynamodb.accounts import account_puts, opening_events_of
from shoal.adapters.dynamodb.items import Key
from shoal.adapters.dynamodb.outbox import outbox_updates
from shoal.adapters.dynamodb.table import ConditionFailed, Delete, Put, Table, TransactionRefused, Update
from shoal.adapters.dynamodb.values import read
from shoal.domain.errors import SignInRefused
from shoal.domain.person import Person, Session, Vouched
from shoal.domain.wallet import Movement
from shoal.ports.accounts import Account

THERE = "attribute_exists(pk)"
SIGNED_OUT = "Everybody was signed out meanwhile. Sign in again."
SINCE_SIGNED_OUT = f"{THERE} AND (attribute_not_exists(signed_out_at_ms) OR signed_out_at_ms < :since)"


class DynamoDbPeople:
    """Implements the `People` port."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def account_of(self, subject: str) -> str | None:
        item = self._table.get(*_person_key(subject))
        return item["account_id"] if item else None

    def open(self, subject: str, account: Account, grants: Sequence[Movement]) -> bool:
        pk, sk = _person_key(subject)
        person = Put({"pk": pk, "sk": sk, "account_id": account.id})
        try:
            told = outbox_updates(opening_events_of(grants))
            self._table.transact([person, *account_puts(account, grants), *told])
        except TransactionRefused as refused:
            if refused.failed(0):
                return False
            raise
        return True

    def link(self, subject: str, account_id: str) -> None:
        values = {":account": account_id}
        self._table.update(Update(_person_key(subject), "SET account_id = :account", None, values))


class DynamoDbSessions:
    """Implements the `Sessions` port. A refresh token is worthless without the pool client's secret."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def put(self, session: Session, since_ms: int, now_ms: int) -> None:
        pk, sk = _session_key(session.digest)
        item = {
            "pk": pk,
            "sk": sk,
            "subject": session.person.subject,
            "email": session.person.email,
            "groups": sorted(session.person.groups),
            "account_id": session.account_id,
            "csrf": session.csrf,
            "refresh_token": session.refresh_token,
            "vouched_until_ms": session.vouched_until_ms,
            "expires_at": session.expires_at_ms // 1000,
            "test": session.test,
            "second_factor": session.second_factor,
        }
        # A reset of the password that came in between has ended all sessions, this one too.
        person = _person_key(session.person.subject)
        values = {":now": now_ms}
        known = Update(person, "SET signed_in_at_ms = :now", SINCE_SIGNED_OUT, values | {":since": since_ms})
        pointer = {"pk": person[0], "sk": f"SESSION#{session.digest}", "expires_at": item["expires_at"]}
        try:
            self._table.transact([Put(item), Put(pointer), known])
        except TransactionRefused as refused:
            if refused.failed(2):
                raise SignInRefused(SIGNED_OUT) from None
            raise

    def get(self, digest: str, now_ms: int) -> Session | None:
        item = self._table.get(*_session_key(digest))
        # Items outlive their time by up to two days before DynamoDB removes them.
        if item is None or item["expires_at"] * 1000 <= now_ms:
            return None
        person = Person(item["subject"], item["email"], frozenset(item["groups"]))
        return read(Session, item, digest=digest, person=person, expires_at_ms=item["expires_at"] * 1000)

    def renew(self, digest: str, vouched: Vouched) -> None:
        person = vouched.person
        self._change(
            digest,
            "SET email = :email, #groups = :groups, vouched_until_ms = :until, refresh_token = :token",
            {
                ":email": person.email,
                ":groups": sorted(person.groups),
                ":until": vouched.until_ms,
                ":token": vouched.refresh_token,
            },
            {"#groups": "groups"},
        )

    def switch(self, digest: str, *, test: bool) -> None:
        self._change(digest, "SET #test = :test", {":test": test}, {"#test": "test"})

    def strengthen(self, digest: str) -> None:
        self._change(digest, "SET second_factor = :yes", {":yes": True})

    def end(self, digest: str) -> None:
        try:
            self._table.transact([Delete(_session_key(digest))])
        except TransactionRefused:
            return  # it has ended

    def end_all(self, subject: str, now_ms: int) -> None:
        person = _person_key(subject)
        try:
            self._table.update(Update(person, "SET signed_out_at_ms = :now", THERE, {":now": now_ms}))
        except ConditionFailed:
            return  # who never signed in has no session
        pages = self._table.query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sessions)",
            ConsistentRead=True,
            values={":pk": person[0], ":sessions": "SESSION#"},
        )
        for pointer in (item for items, _ in pages for item in items):
            self.end(pointer["sk"].removeprefix("SESSION#"))

    def _change(
        self, digest: str, expression: str, values: dict[str, object], names: dict[str, str] | None = None
    ) -> None:
        try:
            self._table.update(Update(_session_key(digest), expression, THERE, values, names))
        except ConditionFailed:
            return  # it has ended, which is what the port promises for it


def _person_key(subject: str) -> Key:
    return f"PERSON#{subject}", "PERSON"


def _session_key(digest: str) -> Key:
    return f"SESSION#{digest}", "SESSION"
