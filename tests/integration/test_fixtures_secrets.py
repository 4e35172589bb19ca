"""Secrets that earlier versions kept, sealed or not, and payments they began: today's adapters open them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.stub import Stubber

from infra.local.aws import REGION, STAGE, Endpoint
from shoal.adapters.aws.kms import KmsSecretBox
from shoal.adapters.aws.provider_keys import ProviderKeys
from shoal.adapters.dynamodb.items import job_of
from shoal.adapters.http.callback_urls import MacCallbackUrls
from shoal.adapters.stripe.keys import Keys, StripeKeys
from shoal.adapters.stripe.processor import StripeProcessor
from shoal.domain.job import Job
from shoal.domain.money import Asset
from shoal.domain.payment import Checkout, CheckoutState, Payment
from shoal.ports.routing import WEBHOOK_SECRET, CalledBack
from tests.fakes import FakeClock
from tests.fakes.stripe import FakeStripe
from tests.fixtures.files import Json, load, versions
from tests.support.recorded import Recorded

PROVIDERS = {
    "provider.replicate": ("replicate", {"key": "r8_test"}),
    "provider.openai": ("openai", {"key": "sk-openai", "webhook_secret": "whsec_bm90aGluZyByZWFs"}),
}


@pytest.fixture(params=versions())
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def manager(endpoint: Endpoint, version: str) -> Iterator[Any]:
    """A Secrets Manager that holds what was recorded."""
    client, kept = endpoint.client("secretsmanager"), load(version, "secrets")
    named = [each for each in kept.values() if "name" in each]
    for each in named:
        client.create_secret(Name=each["name"], SecretString=each["text"])
    yield client
    for each in named:
        client.delete_secret(SecretId=each["name"], ForceDeleteWithoutRecovery=True)


def test_every_recorded_secret_is_read(version: str) -> None:
    assert set(load(version, "secrets")) == {*PROVIDERS, "stripe", "callbacks"}
    assert set(load(version, "payments")) == {"checkout.open", "checkout.paid", "payment"}


def test_the_keys_of_providers(manager: Any, version: str) -> None:
    keys = ProviderKeys(manager, STAGE, FakeClock())
    for provider, fields in PROVIDERS.values():
        assert keys.fields(provider) == fields
    assert keys.key("openai", WEBHOOK_SECRET)() == "whsec_bm90aGluZyByZWFs"


def test_the_keys_of_stripe(manager: Any, version: str) -> None:
    keys = StripeKeys(manager, STAGE, FakeClock())
    assert keys() == Keys("sk_test_51Shoal", "whsec_nothing_real_0123456789")


def test_an_address_that_a_provider_was_given_is_still_ours(endpoint: Endpoint, version: str) -> None:
    case = load(version, "secrets")["callbacks"]
    urls = MacCallbackUrls(lambda: case["text"])
    provider, job_key, mac = urlsplit(case["address"]).path.split("/")[2:]

    assert urls.verify(provider, job_key, mac) == CalledBack(case["account_id"], case["job_id"], 0, 1)

    job = _job(endpoint, version)
    assert provider == job.calls[0].provider == "replicate"
    assert urls.url(job, 0, job.calls[0]) == urlsplit(case["address"]).path


def _job(endpoint: Endpoint, version: str) -> Job:
    return job_of(Recorded(endpoint, version).item("job.task.at_a_provider"))


def opening(seal: Json) -> KmsSecretBox:
    """A box whose key management opens this one seal, asked for as it was sealed."""
    client: Any = boto3.client(
        "kms", region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test"
    )
    stubbed = Stubber(client)
    stubbed.add_response(
        "decrypt",
        {"Plaintext": seal["opened"].encode()},
        {
            "KeyId": "arn:of-the-key",
            "CiphertextBlob": base64.b64decode(seal["sealed"]),
            "EncryptionContext": {"account_id": seal["account_id"], "webhook_id": seal["webhook_id"]},
        },
    )
    stubbed.activate()
    return KmsSecretBox(client, "arn:of-the-key")


@pytest.mark.parametrize("name", ["subscription", "account_secret", "account_secret.retired"])
def test_a_sealed_secret_is_opened_under_its_old_context(version: str, name: str) -> None:
    seal = load(version, "seals")[name]
    box = opening(seal)
    assert box.open(seal["sealed"], seal["account_id"], seal["webhook_id"]) == seal["opened"]
    assert seal["opened"].startswith("whsec_")


def test_sealed_secrets_are_those_of_the_items(endpoint: Endpoint, version: str) -> None:
    recorded, seals = Recorded(endpoint, version), load(version, "seals")
    assert set(seals) == {"subscription", "account_secret", "account_secret.retired"}
    subscription, secret = recorded.item("subscription.new"), recorded.item("account_secret.2")
    assert subscription["secret"] == seals["subscription"]["sealed"]
    assert secret["secret"] == seals["account_secret"]["sealed"]
    assert secret["retired"][0]["sealed"] == seals["account_secret.retired"]["sealed"]
    replayed = json.loads(recorded.item("idempotency.webhook")["answer_body"])
    assert replayed["secret"] == seals["subscription"]["sealed"], "a replay opens it, too"


@pytest.fixture
def stripe(version: str) -> Iterator[FakeStripe]:
    """Stripe with what an earlier version left there."""
    cases = load(version, "payments")
    with FakeStripe() as server:
        for name in ("checkout.open", "checkout.paid"):
            server.books.sessions[cases[name]["id"]] = cases[name]
        server.books.payments[cases["payment"]["id"]] = cases["payment"]
        yield server
        assert server.problems == []


def test_payments_that_began_before(manager: Any, stripe: FakeStripe, version: str) -> None:
    cases = load(version, "payments")
    processor = StripeProcessor(StripeKeys(manager, STAGE, FakeClock()), stage=STAGE, base_url=stripe.url)
    unpaid, done, intent = cases["checkout.open"], cases["checkout.paid"], cases["payment"]
    payer = unpaid["client_reference_id"]

    assert processor.checkout(unpaid["id"]) == Checkout(unpaid["id"], payer, CheckoutState.OPEN, None)
    assert processor.checkout(done["id"]) == Checkout(done["id"], payer, CheckoutState.PAID, intent["id"])
    assert processor.payment(intent["id"]) == Payment(intent["id"], payer, Asset.USD, 10_000_000, 1_000)
