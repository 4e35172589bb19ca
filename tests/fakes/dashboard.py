"""The dashboard's world in memory: people with passwords, sessions, lists for operators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from shoal.domain.errors import NotFound, SignInRefused, ValidationFailed
from shoal.domain.job import FAILED, Job
from shoal.domain.money import Asset
from shoal.domain.person import Challenge, Person, Session, Vouched
from shoal.domain.wallet import Movement, Wallet
from shoal.ports.accounts import Account
from shoal.ports.jobs import JobPage
from shoal.ports.people import AccountPage, EntryPage
from shoal.ports.system import Clock
from tests.fakes.network import Network, reached
from tests.fakes.tables import Tables

TOKEN_MS = 3_600_000
CODE = "123456"
WRONG_CODE = "That is not the code we sent."


@dataclass
class Registered:
    person: Person
    password: str
    confirmed: bool
    enabled: bool = True
    secret: str = ""


APP_CODE = "654321"
"""What everybody's authenticator app shows."""
SECRET = "JBSWY3DPEHPK3PXP"


@dataclass
class FakeIdentity:
    """A pool of people by e-mail address. `confirms`: nobody who signs up need confirm the address.

    `demands`: nobody gets in without a second factor.
    """

    network: Network
    clock: Clock
    people: dict[str, Registered] = field(default_factory=dict)
    issued: dict[str, list[str]] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    confirms: bool = True
    demands: bool = False
    port: str = "identity"

    @reached
    def sign_up(self, email: str, password: str) -> bool:
        if email in self.people:
            return False
        self.people[email] = Registered(Person(f"sub-{len(self.people)}", email), password, self.confirms)
        return self.confirms

    @reached
    def confirm(self, email: str, code: str, password: str) -> None:
        known = self.people.get(email)
        if code != CODE or known is None or known.confirmed:
            raise SignInRefused(WRONG_CODE)
        known.confirmed, known.password = True, password

    @reached
    def send_code(self, email: str) -> None:
        pass

    @reached
    def sign_in(self, email: str, password: str) -> Vouched | Challenge:
        known = self.people.get(email)
        known_and_right = known is not None and known.confirmed and known.password == password
        if known is None or not known_and_right or not known.enabled:
            raise SignInRefused("Wrong e-mail address or password.")
        if known.secret or self.demands:
            return Challenge(email, f"asked-{email}", "" if known.secret else SECRET)
        return self._vouch(email)

    @reached
    def answer(self, challenge: Challenge, code: str) -> Vouched:
        if code != APP_CODE or challenge.session != f"asked-{challenge.email}":
            raise SignInRefused("That code does not fit.")
        self.people[challenge.email].secret = SECRET
        return replace(self._vouch(challenge.email), second_factor=True)

    @reached
    def has_second_factor(self, email: str) -> bool:
        return bool(self.people[email].secret)

    @reached
    def new_second_factor(self, vouched: Vouched) -> str:
        assert vouched.access_token
        return SECRET

    @reached
    def set_second_factor(self, vouched: Vouched, code: str) -> None:
        if code != APP_CODE:
            raise SignInRefused("That code does not fit.")
        self.people[vouched.person.email].secret = SECRET

    @reached
    def drop_second_factor(self, vouched: Vouched) -> None:
        self.people[vouched.person.email].secret = ""

    def _vouch(self, email: str) -> Vouched:
        known, issued = self.people[email], self.issued.setdefault(email, [])
        issued.append(f"refresh-{known.person.subject}-{len(issued)}")
        return Vouched(known.person, self.clock.now_ms() + TOKEN_MS, issued[-1], f"access-{email}")

    @reached
    def renew(self, vouched: Vouched) -> Vouched:
        known = next(k for k in self.people.values() if k.person.subject == vouched.person.subject)
        if not known.enabled or vouched.refresh_token in self.revoked:
            raise SignInRefused("Signed out.")
        access = f"access-{known.person.email}"
        return Vouched(known.person, self.clock.now_ms() + TOKEN_MS, vouched.refresh_token, access)

    @reached
    def revoke(self, refresh_token: str) -> None:
        self.revoked.add(refresh_token)

    @reached
    def forgot(self, email: str) -> None:
        pass

    @reached
    def reset(self, email: str, code: str, password: str) -> str:
        if code != CODE or email not in self.people:
            raise SignInRefused(WRONG_CODE)
        self.people[email].password = password
        self.revoked.update(self.issued.get(email, ()))
        return self.people[email].person.subject


@dataclass
class FakeSessions:
    network: Network
    sessions: dict[str, Session] = field(default_factory=dict)
    signed_out_ms: dict[str, int] = field(default_factory=dict)
    port: str = "sessions"

    @reached
    def put(self, session: Session, since_ms: int, now_ms: int) -> None:
        if self.signed_out_ms.get(session.person.subject, -1) >= since_ms:
            raise SignInRefused("Everybody was signed out meanwhile.")
        self.sessions[session.digest] = session

    @reached
    def get(self, digest: str, now_ms: int) -> Session | None:
        found = self.sessions.get(digest)
        return found if found and found.expires_at_ms > now_ms else None

    @reached
    def renew(self, digest: str, vouched: Vouched) -> None:
        if digest in self.sessions:
            self.sessions[digest] = replace(
                self.sessions[digest], person=vouched.person, vouched_until_ms=vouched.until_ms
            )

    @reached
    def switch(self, digest: str, *, test: bool) -> None:
        if digest in self.sessions:
            self.sessions[digest] = replace(self.sessions[digest], test=test)

    @reached
    def strengthen(self, digest: str) -> None:
        if digest in self.sessions:
            self.sessions[digest] = replace(self.sessions[digest], second_factor=True)

    @reached
    def end(self, digest: str) -> None:
        self.sessions.pop(digest, None)

    @reached
    def end_all(self, subject: str, now_ms: int) -> None:
        self.signed_out_ms[subject] = now_ms
        for digest, session in list(self.sessions.items()):
            if session.person.subject == subject:
                del self.sessions[digest]


@dataclass
class FakePeople:
    network: Network
    tables: Tables
    accounts: dict[str, str] = field(default_factory=dict)
    port: str = "people"

    @reached
    def account_of(self, subject: str) -> str | None:
        return self.accounts.get(subject)

    @reached
    def open(self, subject: str, account: Account, grants: Sequence[Movement]) -> bool:
        if subject in self.accounts:
            return False
        self.accounts[subject] = account.id
        self.tables.accounts[account.id] = account
        for grant in grants:
            wallet_id = grant.account_id, grant.asset
            self.tables.wallets[wallet_id] = Wallet(*wallet_id)
            self.tables.entries[wallet_id] = {}
            self.tables.move(grant)
        return True

    @reached
    def link(self, subject: str, account_id: str) -> None:
        self.accounts[subject] = account_id


@dataclass
class FakeEntries:
    network: Network
    tables: Tables
    port: str = "entries"

    @reached
    def page(self, account_id: str, asset: Asset, *, limit: int, cursor: str | None) -> EntryPage:
        newest_first = sorted(self.tables.entries[account_id, asset].items(), reverse=True)
        found = [entry for id_, entry in newest_first if cursor is None or id_ < cursor]
        return EntryPage(tuple(found[:limit]), found[limit - 1].entry_id if len(found) > limit else None)


@dataclass
class FakeKeyUses:
    network: Network
    tables: Tables
    port: str = "key_uses"

    @reached
    def last_used_ms(self, digests: Sequence[str], now_ms: int) -> dict[str, int]:
        return {digest: now_ms for digest in digests if digest in self.tables.tats}


@dataclass
class FakeDirectory:
    network: Network
    tables: Tables
    port: str = "directory"

    @reached
    def page(self, *, limit: int, cursor: str | None) -> AccountPage:
        if cursor is not None and len(cursor) != 26:
            raise ValidationFailed("The cursor is not one this page gave out.")
        newest_first = sorted(self.tables.accounts.values(), key=lambda each: each.id, reverse=True)
        found = [each for each in newest_first if cursor is None or each.id.partition("_")[2] < cursor]
        more = len(found) > limit
        return AccountPage(tuple(found[:limit]), found[limit - 1].id.partition("_")[2] if more else None)

    @reached
    def open_jobs(self, *, limit: int) -> list[Job]:
        return [job for job in self.tables.jobs.values() if not job.status.terminal][:limit]

    @reached
    def failed_jobs(self, *, limit: int, cursor: str | None) -> JobPage:
        if cursor is not None and len(cursor) != 26:
            raise ValidationFailed("The cursor is not one this page gave out.")
        newest_first = sorted(self.tables.jobs.values(), key=lambda job: job.ulid, reverse=True)
        found = [job for job in newest_first if job.status in FAILED and job.ulid < (cursor or "~")]
        return JobPage(tuple(found[:limit]), found[limit - 1].ulid if len(found) > limit else None)

    @reached
    def suspend(self, account_id: str, now_ms: int) -> None:
        self._mark(account_id, suspended=True)

    @reached
    def resume(self, account_id: str) -> None:
        self._mark(account_id, suspended=False)

    def _mark(self, account_id: str, *, suspended: bool) -> None:
        if account_id not in self.tables.accounts:
            raise NotFound("No such account.")
        self.tables.accounts[account_id] = replace(self.tables.accounts[account_id], suspended=suspended)
