"""Providers that answer with the output itself: nothing to poll, no callback, nothing to stop."""

from __future__ import annotations

from collections.abc import Mapping

from shoal.domain.errors import CallbackRefused, ProviderFailed
from shoal.domain.provider import Answer, ProviderRequest


class AtOnce:
    """All of the `Provider` port but `start` and `test`. None of them knows idempotency keys."""

    idempotent = False

    def check(self, ref: str, request: ProviderRequest) -> Answer:  # noqa: ARG002 (the port's signature)
        """Raises `ProviderFailed`: it gave out no such reference."""
        raise ProviderFailed("The provider knows no such work.")

    def parse_callback(self, headers: Mapping[str, str], body: bytes, now_ms: int) -> Answer:  # noqa: ARG002
        """Raises `CallbackRefused`: this provider calls nobody back."""
        raise CallbackRefused("this provider does not call back")

    def bills_called_off(self, request: ProviderRequest) -> bool:  # noqa: ARG002
        """What was asked for is made: nothing calls it off."""
        return True

    def cancel(self, ref: str) -> None:
        """The work is over before anybody can ask for its end."""
