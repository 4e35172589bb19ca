"""The second factor: an authenticator app whose codes are asked for beside the password."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shoal.domain.errors import SignInRefused
from shoal.domain.person import Challenge, Session, Vouched
from shoal.ports.people import IdentityProvider, Sessions
from shoal.ports.system import Clock

HAS_ONE = "There is a second factor already: remove it first."


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """Every method raises `SignInRefused` with words for the person.

    What changes anything asks for the password again: a session that was left open is not enough.
    """

    identity: Callable[[], IdentityProvider]
    sessions: Sessions
    clock: Clock

    def there(self, session: Session) -> bool:
        """Whether a code is asked for at the sign-in."""
        return self.identity().has_second_factor(session.person.email)

    def begin(self, session: Session) -> str:
        """A secret for the app. Nothing is asked for until one of its codes was shown."""
        if self.there(session):
            raise SignInRefused(HAS_ONE)
        before = Vouched(session.person, session.vouched_until_ms, session.refresh_token)
        return self.identity().new_second_factor(self.identity().renew(before))

    def confirm(self, session: Session, password: str, code: str) -> None:
        """The app has the secret: from now on codes are asked for, and this session has shown one."""
        identity = self.identity()
        vouched = identity.sign_in(session.person.email, password)
        if isinstance(vouched, Challenge):
            raise SignInRefused(HAS_ONE)
        identity.set_second_factor(vouched, code)
        self.sessions.strengthen(session.digest)
        identity.revoke(vouched.refresh_token)

    def remove(self, session: Session, password: str, code: str) -> None:
        """From now on the password is enough, and nobody is signed in as this person."""
        identity = self.identity()
        vouched = identity.sign_in(session.person.email, password)
        if isinstance(vouched, Challenge):
            vouched = identity.answer(vouched, code)
        identity.drop_second_factor(vouched)
        self.sessions.end_all(session.person.subject, self.clock.now_ms())
        identity.revoke(vouched.refresh_token)
