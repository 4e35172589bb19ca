"""People who use the dashboard, and their sessions. Their passwords are the identity provider's business."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

OPERATORS = "operators"
"""The group of those who run the stage."""

SESSION_LIFETIME_MS = 24 * 3_600_000
"""However busy, a session ends a day after its sign-in."""

PASSWORD_LENGTH_MIN = 12

SECRET_LENGTH = 43
"""Letters and digits of a session's id: 256 bits, which nobody guesses."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody the identity provider vouches for. `subject` never changes; the e-mail address may."""

    subject: str
    email: str
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Vouched:
    """A person with the provider's word for them, good until `until_ms`, and the token that renews it.

    `access_token` is for what they change at the provider; `second_factor`: they showed more than a password.
    """

    person: Person
    until_ms: int
    refresh_token: str
    access_token: str = ""
    second_factor: bool = False


@dataclass(frozen=True, slots=True)
class Challenge:
    """The password was right, and the provider asks for a code of the person's authenticator app.

    `session` is the provider's and holds for some minutes. `secret`: the app has to be set up with it first.
    """

    email: str
    session: str
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person. Moments are Unix time in milliseconds.

    `digest` is the SHA-256 of the id in the person's cookie, hexadecimal: the id itself is not kept.
    `csrf` is what its forms are known by. `vouched_until_ms` is when the provider is asked again.
    `test`: the dashboard shows and spends play money. `second_factor`: its person showed one.
    """

    digest: str
    person: Person
    account_id: str
    csrf: str
    refresh_token: str
    vouched_until_ms: int
    expires_at_ms: int
    test: bool = False
    second_factor: bool = False

    @property
    def operator(self) -> bool:
        return OPERATORS in self.person.groups

    @property
    def form_token(self) -> str:
        """What stands in every form. It tells the mode: what was shown for play money spends no other."""
        return self._token(test=self.test)

    @property
    def form_tokens(self) -> tuple[str, str]:
        """What stands in the forms of either mode, for those to which money is nothing."""
        return self._token(test=False), self._token(test=True)

    def _token(self, *, test: bool) -> str:
        return f"{self.csrf}-{'test' if test else 'live'}"


def may_register(email: str, domains: Collection[str]) -> bool:
    """Whether an address is of one of the domains; anybody's is if there are none."""
    _, at, domain = email.lower().rpartition("@")
    return not domains or (bool(at) and domain in domains)


def session_digest(session_id: str) -> str:
    """What a session is stored under."""
    return hashlib.sha256(session_id.encode()).hexdigest()
