"""Sign in, stay signed in, sign out. The first sign-in opens the person's account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from shoal.domain.errors import SessionEnded, SignInRefused
from shoal.domain.person import (
    SECRET_LENGTH,
    SESSION_LIFETIME_MS,
    Challenge,
    Person,
    Session,
    Vouched,
    session_digest,
)
from shoal.ports.accounts import Account
from shoal.ports.people import IdentityProvider, People, Sessions
from shoal.ports.system import Clock, Ids
from shoal.use_cases.accounts.manage_accounts import opening_grants


@dataclass(frozen=True, slots=True)
class SignIn:
    """`identity` makes the provider when it is first asked: most requests only resume a session."""

    identity: Callable[[], IdentityProvider]
    people: People
    sessions: Sessions
    clock: Clock
    ids: Ids

    def __call__(self, email: str, password: str) -> str | Challenge:
        """The id of a new session, for the person's cookie, or what is to be shown before there is one.

        Raises `SignInRefused`.
        """
        since_ms = self.clock.now_ms()
        vouched = self.identity().sign_in(email, password)
        return vouched if isinstance(vouched, Challenge) else self._open(vouched, since_ms)

    def answer(self, challenge: Challenge, code: str) -> str:
        """The id of a new session. Raises `SignInRefused`."""
        since_ms = self.clock.now_ms()
        return self._open(self.identity().answer(challenge, code), since_ms)

    def reset(self, email: str, code: str, password: str) -> str | None:
        """Set a new password with the code and end all of the person's sessions. Raises `SignInRefused`.

        Answers their account, None if they have none yet. The pool comes first: it knows whether the code
        is right. Should the table not answer then, no session is vouched for again all the same.
        """
        subject = self.identity().reset(email, code, password)
        self.sessions.end_all(subject, self.clock.now_ms())
        return self.people.account_of(subject)

    def _open(self, vouched: Vouched, since_ms: int) -> str:
        now_ms = self.clock.now_ms()
        session_id = self.ids.secret(SECRET_LENGTH)
        session = Session(
            digest=session_digest(session_id),
            person=vouched.person,
            account_id=self._account_of(vouched.person, now_ms),
            csrf=self.ids.secret(SECRET_LENGTH),
            refresh_token=vouched.refresh_token,
            vouched_until_ms=vouched.until_ms,
            expires_at_ms=now_ms + SESSION_LIFETIME_MS,
            second_factor=vouched.second_factor,
        )
        self.sessions.put(session, since_ms, now_ms)
        return session_id

    def resume(self, session_id: str) -> Session:
        """The session behind a cookie; the provider is asked again when its word has run out.

        Raises `SessionEnded` for one that is unknown, over, or no longer vouched for.
        """
        now_ms = self.clock.now_ms()
        session = self.sessions.get(session_digest(session_id), now_ms)
        if session is None:
            raise SessionEnded
        if now_ms < session.vouched_until_ms:
            return session
        before = Vouched(session.person, session.vouched_until_ms, session.refresh_token)
        try:
            again = self.identity().renew(before)
        except SignInRefused:
            self.sessions.end(session.digest)
            raise SessionEnded from None
        self.sessions.renew(session.digest, again)
        return replace(session, person=again.person, vouched_until_ms=again.until_ms)

    def switch(self, session: Session, *, test: bool) -> None:
        """Show and spend play money from now on, or real money."""
        self.sessions.switch(session.digest, test=test)

    def sign_out(self, session: Session) -> None:
        """End the session first: should the provider not answer, the cookie is worthless all the same."""
        self.sessions.end(session.digest)
        self.identity().revoke(session.refresh_token)

    def _account_of(self, person: Person, now_ms: int) -> str:
        account_id = self.people.account_of(person.subject)
        if account_id is None:
            account = Account(self.ids.new("acc", now_ms), person.email, now_ms)
            if self.people.open(person.subject, account, opening_grants(account)):
                return account.id
            account_id = self.people.account_of(person.subject)  # two first sign-ins at the same time
        if account_id is None:
            raise LookupError("a person whose account could not be opened has none")
        return account_id
