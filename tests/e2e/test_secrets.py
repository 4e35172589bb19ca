"""No log tells a secret: not a key, not a signing secret, not a signature, not what an address carries."""

from __future__ import annotations

import json

from shoal.domain.api_key import KeyPrefix
from tests.support.deployed import Customer, Deployed, eventually
from tests.support.receiver import Receiver, reply
from tests.support.secrets import SecretsSeen
from tests.support.videos import VideosClient
from tests.support.webhooks import WebhooksClient

TOKEN = "hunter2-hunter2-hunter2"


def test_what_leaks_would_be_found() -> None:
    secrets = SecretsSeen({"whsec_ab/cd"})

    assert secrets.leaks(["fine", json.dumps({"said": "whsec_ab/cd"})]) != []
    assert secrets.leaks(["fine"]) == []


def test_the_logs_of_everything_a_customer_does_hold_no_secret(
    deployed: Deployed, customer: Customer
) -> None:
    filmmaker = deployed.customer(usd="0", credits=2)
    videos, webhooks = VideosClient(filmmaker.client), WebhooksClient(customer.client)
    with Receiver() as good, Receiver(reply(500)) as failing:
        subscribed, _ = webhooks.subscribe(f"{good.url()}?token={TOKEN}", "*")
        webhooks.subscribe(f"{failing.url()}?token={TOKEN}", "image.*")
        webhooks.call("POST", f"/{subscribed}/rotate")
        assert customer.client.request("POST", "/v1/webhook-secret").status_code == 201
        mine = f"{good.url('/mine')}?token={TOKEN}"
        for prompt in ("A shark", "[callback] a shark", "[fail] a shark"):
            customer.client.wait(customer.client.submit(prompt, webhook_url=mine))
        refused = customer.client.generate(webhook_url=f"http://user:{TOKEN}@127.0.0.1:1/?token={TOKEN}")
        assert refused.status_code == 422
        eventually(lambda: [each for each in good.requests if each.path.startswith("/mine")])
        eventually(lambda: failing.requests)
    assert videos.wait(videos.submit())["status"] == "ready"
    test_key, tester = deployed.key_of(customer.account_id, prefix=KeyPrefix.TEST)
    assert tester.wallet()
    secret_arn = deployed.cloud.outputs["CallbackSecretArn"]
    callback = deployed.cloud.client("secretsmanager").get_secret_value(SecretId=secret_arn)["SecretString"]

    secrets = deployed.secrets
    secrets.seen |= {customer.key, test_key, filmmaker.key, TOKEN, callback}

    kinds = [part for part in ("whsec_", "sk_live_", "sk_test_") if any(part in s for s in secrets.seen)]
    assert kinds == ["whsec_", "sk_live_", "sk_test_"]
    assert any(len(secret) == 64 for secret in secrets.seen), "the signature of a video's address"
    logged = list(deployed.logged())
    assert len(logged) > 100
    assert secrets.leaks(logged) == []
