"""Stripe's keys in their secret: read once in a while, set, removed, and not there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from shoal.adapters.stripe.keys import LIFETIME_MS, Keys, StripeKeys
from shoal.domain.errors import PaymentsOff, Unavailable
from tests.fakes import FakeClock

NAME = "shoal/dev/stripe"


@dataclass
class Secrets:
    """A Secrets Manager. `error` is what reading ends with."""

    texts: dict[str, str] = field(default_factory=dict)
    under: dict[str, str] = field(default_factory=dict)
    reads: int = 0
    error: Exception | None = None

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # noqa: N803 - the service's name
        self.reads += 1
        if self.error:
            raise self.error
        return {"SecretString": self._found(SecretId)}

    def update_secret(self, *, SecretId: str, SecretString: str, KmsKeyId: str = "") -> None:  # noqa: N803
        self._found(SecretId)
        self.texts[SecretId] = SecretString
        self.under[SecretId] = KmsKeyId or self.under[SecretId]

    def create_secret(
        self,
        *,
        Name: str,  # noqa: N803
        SecretString: str,  # noqa: N803
        Description: str,  # noqa: N803
        KmsKeyId: str = "",  # noqa: N803
    ) -> None:
        assert Name not in self.texts
        assert Description
        self.texts[Name], self.under[Name] = SecretString, KmsKeyId

    def delete_secret(self, *, SecretId: str, ForceDeleteWithoutRecovery: bool) -> None:  # noqa: N803
        assert ForceDeleteWithoutRecovery, "or its name stays taken for a week"
        self._found(SecretId)
        del self.texts[SecretId]

    def _found(self, name: str) -> str:
        if name not in self.texts:
            raise service_error("ResourceNotFoundException")
        return self.texts[name]


def service_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "GetSecretValue")


@pytest.fixture
def secrets() -> Secrets:
    return Secrets()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def keys(secrets: Secrets, clock: FakeClock) -> StripeKeys:
    client: Any = secrets
    return StripeKeys(client, "dev", clock)


def test_keys_that_were_set_are_read_once_a_minute(
    keys: StripeKeys, secrets: Secrets, clock: FakeClock
) -> None:
    keys.set(api_key="sk_1", webhook_secret="whsec_1")
    assert secrets.texts.keys() == {NAME}

    assert [keys() for _ in range(3)] == [Keys("sk_1", "whsec_1")] * 3
    assert secrets.reads == 1

    keys.set(api_key="sk_2", webhook_secret="whsec_2")
    clock.ms += LIFETIME_MS - 1
    assert keys().api_key == "sk_1"
    clock.ms += 1
    assert keys() == Keys("sk_2", "whsec_2")


def test_keys_are_set_under_the_stages_own_key_of_kms_also_those_that_were_not(
    keys: StripeKeys, secrets: Secrets, clock: FakeClock
) -> None:
    keys.set(api_key="sk_test_1", webhook_secret="whsec_1")
    assert set(secrets.under.values()) == {""}

    client: Any = secrets
    sealed = StripeKeys(client, "dev", clock, key_arn="arn:aws:kms:eu-west-1:123456789012:key/1")
    for _ in range(2):
        sealed.set(api_key="sk_test_2", webhook_secret="whsec_2")
        assert set(secrets.under.values()) == {"arn:aws:kms:eu-west-1:123456789012:key/1"}


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "AccessDeniedException"])
def test_without_a_secret_the_stage_takes_no_payments(keys: StripeKeys, secrets: Secrets, code: str) -> None:
    secrets.error = service_error(code)

    assert not keys.there()
    with pytest.raises(PaymentsOff):
        keys()
    assert secrets.reads == 1, "the lack of keys is believed for a while, too"


def test_a_secret_that_cannot_be_read_now_is_not_taken_for_none(keys: StripeKeys, secrets: Secrets) -> None:
    secrets.error = ReadTimeoutError(endpoint_url="https://secrets.test")
    with pytest.raises(Unavailable):
        keys.there()

    secrets.error = service_error("DecryptionFailure")
    with pytest.raises(ClientError):
        keys.there()


def test_keys_are_removed_and_may_be_removed_again(keys: StripeKeys, secrets: Secrets) -> None:
    keys.set(api_key="sk_1", webhook_secret="whsec_1")

    for _ in range(2):
        keys.remove()

    assert secrets.texts == {}


def test_keys_are_not_printed() -> None:
    assert "1" not in repr(Keys("sk_1", "whsec_1"))
