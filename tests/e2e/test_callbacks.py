"""Callbacks of providers: only genuine ones count, and none of them twice."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from shoal.domain.job import Job
from tests.support.deployed import Customer, Deployed, eventually


class Provider:
    """The simulator's side, signing with an implementation of its own."""

    def __init__(self, deployed: Deployed) -> None:
        secrets = deployed.cloud.client("secretsmanager")
        arn = deployed.cloud.outputs["CallbackSecretArn"]
        self._secret: bytes = secrets.get_secret_value(SecretId=arn)["SecretString"].encode()
        self._deployed = deployed

    def address(self, job: Job, provider: str = "simulator", call: int = 1) -> str:
        """Where the job's provider was told to call back."""
        job_key = f"{job.account_id}.{job.id}.0.{call}"
        mac = hmac.new(self._secret, f"{provider}\n{job_key}".encode(), hashlib.sha256).hexdigest()
        return f"/callbacks/{provider}/{job_key}/{mac}"

    def call(self, path: str, body: bytes = b'{"ref": "sim_1"}', **headers: str) -> Any:
        """Post the body, signed now; `headers` replace the true ones."""
        return self._deployed.client("").request(
            "POST", path, headers={"Authorization": "", **self.signed(body), **headers}, data=body
        )

    def signed(self, body: bytes, *, age_s: int = 0) -> dict[str, str]:
        at_s = int(time.time()) - age_s
        key = base64.b64encode(hmac.new(self._secret, b"simulator", hashlib.sha256).digest()).decode()
        signature = Webhook(key).sign("msg_1", datetime.fromtimestamp(at_s, UTC), body.decode())
        return {"webhook-id": "msg_1", "webhook-timestamp": str(at_s), "webhook-signature": signature}


@pytest.fixture
def provider(deployed: Deployed) -> Provider:
    return Provider(deployed)


@pytest.fixture
def waiting(deployed: Deployed, customer: Customer) -> Job:
    """A job whose provider never answers by itself."""
    job_id = customer.client.submit("[timeout] a shark")
    return eventually(lambda: job if (job := deployed.job(customer, job_id)).provider_refs else None)


def test_a_genuine_callback_is_taken(
    deployed: Deployed, provider: Provider, waiting: Job, customer: Customer
) -> None:
    answer = provider.call(provider.address(waiting))

    assert (answer.status_code, answer.content) == (204, b"")
    accepted = deployed.job(customer, waiting.id)
    assert len(accepted.callbacks) == 1
    assert replace(accepted, callbacks=waiting.callbacks) == waiting, "the provider itself still has nothing"


def test_a_callback_for_a_call_that_is_not_this_one_changes_nothing(
    deployed: Deployed, provider: Provider, waiting: Job, customer: Customer
) -> None:
    assert provider.call(provider.address(waiting, call=2)).status_code == 204
    assert deployed.job(customer, waiting.id) == waiting


def test_a_callback_from_another_address_is_refused(
    deployed: Deployed, provider: Provider, waiting: Job, customer: Customer
) -> None:
    true = provider.address(waiting)
    other = provider.address(deployed.accept(customer))
    forged = [
        true[:-1] + ("0" if true[-1] != "0" else "1"),
        true.rpartition("/")[0] + "/" + other.rpartition("/")[2],
        true.replace("/simulator/", "/openai/"),
        provider.address(waiting, provider="openai"),
        true.replace(customer.account_id, deployed.customer().account_id),
        true.replace(f"{waiting.id}.0", f"{waiting.id}.1"),
        true.replace(f"{waiting.id}.0", waiting.id),
        true.upper(),
        "/callbacks/simulator/nonsense/nonsense",
        "/callbacks/simulator/%F0%9F%A6%88/%F0%9F%A6%88",
    ]

    answers = [provider.call(path) for path in forged]

    assert [answer.status_code for answer in answers] == [404] * len(forged)
    assert len({answer.text for answer in answers}) == 1, "it does not tell what was wrong"
    assert deployed.job(customer, waiting.id) == waiting


def test_a_callback_with_another_signature_is_refused(
    deployed: Deployed, provider: Provider, waiting: Job, customer: Customer
) -> None:
    path, body = provider.address(waiting), b'{"ref": "sim_1"}'
    wrong = [
        {"webhook-signature": ""},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": provider.signed(b'{"ref": "sim_2"}')["webhook-signature"]},
        {"webhook-id": "msg_2"},
        {"webhook-id": ""},
        {"webhook-timestamp": str(int(time.time()) + 100)},
        {"webhook-timestamp": "soon"},
        provider.signed(body, age_s=301),
        provider.signed(body, age_s=-310),
    ]

    assert [provider.call(path, body, **headers).status_code for headers in wrong] == [404] * len(wrong)
    assert deployed.job(customer, waiting.id) == waiting


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"ref": "../../x"}', b'{"ref": null}', b"[" * 50_000])
def test_a_genuine_callback_that_says_nothing_is_refused(
    provider: Provider, waiting: Job, body: bytes
) -> None:
    assert provider.call(provider.address(waiting), body).status_code == 404


def test_a_repeated_or_late_callback_changes_nothing(
    deployed: Deployed, provider: Provider, customer: Customer
) -> None:
    job_id = customer.client.submit("[callback] a shark")
    customer.client.wait(job_id)
    deployed.bus.of(job_id)
    done, wallet = deployed.job(customer, job_id), deployed.wallet(customer)

    answers = [provider.call(provider.address(done)) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [204] * 3
    assert (deployed.job(customer, job_id), deployed.wallet(customer)) == (done, wallet)
    eventually(lambda: len(deployed.bus.types_of(job_id)) >= 5)
    assert len(deployed.bus.types_of(job_id)) == 5


def test_many_callbacks_complete_a_job_once(
    deployed: Deployed, provider: Provider, customer: Customer
) -> None:
    job_id = customer.client.submit("[slow:1] a shark")
    job = eventually(lambda: job if (job := deployed.job(customer, job_id)).provider_refs else None)

    for _ in range(4):
        provider.call(provider.address(job), json.dumps({"ref": job.provider_refs[0]}).encode())

    assert customer.client.wait(job_id)["status"] == "completed"
    assert deployed.wallet(customer).balance == 10_000_000 - job.price


def test_a_callback_for_a_canceled_job_changes_nothing(
    deployed: Deployed, provider: Provider, waiting: Job, customer: Customer
) -> None:
    customer.client.cancel(waiting.id)
    canceled = deployed.job(customer, waiting.id)

    assert provider.call(provider.address(waiting)).status_code == 204
    assert deployed.job(customer, waiting.id) == canceled
