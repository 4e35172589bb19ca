"""The dashboard: who signs in, and what people and operators look through."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from shoal.domain.job import Job
from shoal.domain.money import Asset
from shoal.domain.person import Challenge, Session, Vouched
from shoal.domain.wallet import Movement
from shoal.ports.accounts import Account
from shoal.ports.jobs import JobPage


class IdentityProvider(Protocol):
    """Who knows passwords. Every method raises `SignInRefused` with words for the person.

    What is answered, and in which words, does not depend on whether an address is known.
    """

    def sign_up(self, email: str, password: str) -> bool:
        """Register a person. False if nobody can sign in with this password now.

        They have to confirm their address first, even if somebody else registered it before: a code is sent.
        Or they did so long ago, which nothing tells.
        """

    def confirm(self, email: str, code: str, password: str) -> None:
        """Confirm an address with the code that was sent to it: from now on this is its password."""

    def send_code(self, email: str) -> None:
        """Send the code for `confirm` again; nothing happens if there is nothing to confirm."""

    def sign_in(self, email: str, password: str) -> Vouched | Challenge:
        """Only who has confirmed their address is let in, or asked for their second factor."""

    def answer(self, challenge: Challenge, code: str) -> Vouched:
        """Let in with the code of an authenticator app, which is set up by it if the challenge says so."""

    def has_second_factor(self, email: str) -> bool:
        """Whether a code is asked for at the sign-in."""

    def new_second_factor(self, vouched: Vouched) -> str:
        """A secret for the person's authenticator app; nothing changes until one of its codes is shown."""

    def set_second_factor(self, vouched: Vouched, code: str) -> None:
        """From now on codes are asked for: this one shows that the app has the newest secret."""

    def drop_second_factor(self, vouched: Vouched) -> None:
        """From now on a password is enough."""

    def renew(self, vouched: Vouched) -> Vouched:
        """Vouch again. Raises `SignInRefused` when the person was disabled or signed out everywhere."""

    def revoke(self, refresh_token: str) -> None:
        """Nothing can be renewed with this token any more."""

    def forgot(self, email: str) -> None:
        """Send a code for `reset`; nothing happens for an unknown address, and nothing tells."""

    def reset(self, email: str, code: str, password: str) -> str:
        """Set the password with the code; answers the person's `subject`.

        Nobody who signed in before is vouched for again.
        """


class Sessions(Protocol):
    def put(self, session: Session, since_ms: int, now_ms: int) -> None:
        """Raises `SignInRefused` if all of the person's sessions were ended since the sign-in began."""

    def get(self, digest: str, now_ms: int) -> Session | None:
        """None for one that is unknown or has expired."""

    def renew(self, digest: str, vouched: Vouched) -> None:
        """Keep the provider's newer word. Nothing happens if the session has ended."""

    def switch(self, digest: str, *, test: bool) -> None:
        """Show and spend play money, or real money. Nothing happens if the session has ended."""

    def strengthen(self, digest: str) -> None:
        """Its person has shown a second factor. Nothing happens if the session has ended."""

    def end(self, digest: str) -> None: ...

    def end_all(self, subject: str, now_ms: int) -> None:
        """No session of the person opens anything any more, nor one whose sign-in is under way."""


class People(Protocol):
    def account_of(self, subject: str) -> str | None:
        """The account of a person, None before their first sign-in."""

    def open(self, subject: str, account: Account, grants: Sequence[Movement]) -> bool:
        """Write the account with its wallets, all or nothing. False if the person has an account."""

    def link(self, subject: str, account_id: str) -> None:
        """Let a person into an account that an operator opened."""


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Newest first. `next_cursor` is None on the last page."""

    entries: tuple[Movement, ...]
    next_cursor: str | None


class Entries(Protocol):
    def page(self, account_id: str, asset: Asset, *, limit: int, cursor: str | None) -> EntryPage:
        """The ledger of a wallet. Raises `ValidationFailed` for a cursor that no page gave out."""


class KeyUses(Protocol):
    def last_used_ms(self, digests: Sequence[str], now_ms: int) -> dict[str, int]:
        """About when keys were last used, by digest; those never used are left out."""


@dataclass(frozen=True, slots=True)
class AccountPage:
    """Newest first. `next_cursor` is None on the last page."""

    accounts: tuple[Account, ...]
    next_cursor: str | None


class AccountDirectory(Protocol):
    """What operators look through: all accounts, the jobs that are not done and those that failed."""

    def page(self, *, limit: int, cursor: str | None) -> AccountPage:
        """Raises `ValidationFailed` for a cursor that no page gave out."""

    def open_jobs(self, *, limit: int) -> Iterable[Job]:
        """Jobs of all accounts that are not done, at most 100, those due soonest first."""

    def failed_jobs(self, *, limit: int, cursor: str | None) -> JobPage:
        """Jobs of all accounts that failed or expired. Raises `ValidationFailed` for an unknown cursor."""

    def suspend(self, account_id: str, now_ms: int) -> None:
        """From now on its keys are refused. Raises `NotFound`. Doing it twice is the same as once."""

    def resume(self, account_id: str) -> None:
        """Its keys work again. Raises `NotFound`."""
