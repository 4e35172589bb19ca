"""An Idempotency-Key makes a submit safe to repeat."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from tests.support.deployed import Customer, Deployed


def test_a_repeated_submit_gets_the_first_answer(customer: Customer) -> None:
    key = str(uuid4())
    first = customer.client.generate("[timeout] a shark", idempotency_key=key)

    again = customer.client.generate("[timeout] a shark", idempotency_key=key)

    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert customer.client.wallet()["held"] == "$0.01"
    assert len(customer.client.usage().json()["requests"]) == 1


def test_the_answer_is_the_same_after_the_job_has_ended(customer: Customer) -> None:
    key = str(uuid4())
    first = customer.client.generate("[nsfw] a shark", idempotency_key=key)
    customer.client.wait(first.json()["job_id"])

    again = customer.client.generate("[nsfw] a shark", idempotency_key=key)

    assert (again.status_code, again.content) == (202, first.content)


def test_the_answer_is_the_same_when_the_wallet_is_empty_by_now(deployed: Deployed) -> None:
    client, key = deployed.customer(usd="0.01").client, str(uuid4())
    first = client.generate("[timeout] a shark", idempotency_key=key)
    for _ in range(3):
        assert client.generate("[timeout] a shark").status_code == 202
    assert client.generate("[timeout] a shark").status_code == 402

    again = client.generate("[timeout] a shark", idempotency_key=key)

    assert (again.status_code, again.content) == (202, first.content)


def test_a_key_is_not_used_up_by_a_request_that_was_refused(deployed: Deployed) -> None:
    customer, key = deployed.customer(usd="0.01"), str(uuid4())
    assert customer.client.generate(idempotency_key=key, mode="8k").status_code == 422

    assert customer.client.generate(idempotency_key=key).status_code == 202


def test_the_order_of_fields_makes_no_other_request(customer: Customer) -> None:
    headers = {"Idempotency-Key": str(uuid4()), "Content-Type": "application/json"}
    bodies = ['{"mode": "1k", "prompt": "A shark"}', '{"prompt":"A shark","mode":"1k"}']

    answers = [customer.client.request("POST", "/v1/generate", headers=headers, data=body) for body in bodies]

    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotent-Replayed"] == "true"


def test_a_key_that_comes_with_another_body_is_refused(customer: Customer) -> None:
    key = str(uuid4())
    made = customer.client.submit("A shark", idempotency_key=key)

    refused = customer.client.generate("A whale", idempotency_key=key)

    assert refused.status_code == 422
    error = refused.json()["error"]
    assert (error["code"], error["status"]) == ("IDEMPOTENCY_KEY_REUSED", 422)
    assert error["message"].startswith("This Idempotency-Key was used with a different request body.")
    assert (error["details"]["idempotency_key"], error["details"]["made"]) == (key, made)
    assert len(customer.client.usage().json()["requests"]) == 1


def test_a_key_counts_by_account_and_route(deployed: Deployed, customer: Customer) -> None:
    key = str(uuid4())
    mine = customer.client.submit("A shark", idempotency_key=key)
    theirs = deployed.customer().client.submit("A shark", idempotency_key=key)
    body = {"mode": "1k", "prompt": "A shark"}
    elsewhere = customer.client.request("POST", "/api/v1/image", headers={"Idempotency-Key": key}, json=body)

    assert elsewhere.status_code == 202
    assert len({mine, theirs, elsewhere.json()["job_id"]}) == 3


def test_an_unusable_key_is_refused(customer: Customer) -> None:
    for key in ("k" * 256, "tab\tinside"):
        refused = customer.client.generate(idempotency_key=key)
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "VALIDATION_ERROR")

    assert customer.client.generate(idempotency_key="k" * 255).status_code == 202


def test_sixteen_at_once_make_one_job(customer: Customer) -> None:
    key = str(uuid4())
    with ThreadPoolExecutor(16) as threads:
        answers = list(
            threads.map(
                lambda _: customer.client.generate("[timeout] a shark", idempotency_key=key), range(16)
            )
        )

    accepted = [answer for answer in answers if answer.status_code == 202]
    in_flight = [answer for answer in answers if answer.status_code == 409]
    assert len(accepted) + len(in_flight) == 16
    assert all("Retry-After" in answer.headers for answer in in_flight)
    assert len({answer.content for answer in accepted}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in accepted) == 1
    assert customer.client.wallet()["held"] == "$0.01"
