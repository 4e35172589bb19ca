"""The routes of webhooks."""

from __future__ import annotations

from dataclasses import replace

from shoal.dialects.answers import webhooks
from shoal.domain.errors import (
    NotFound,
    ResentTooOften,
    TooManyWebhooks,
    WebhookDisabled,
)

from .operation import Operation

NEW = {"id": "$response.body#/webhook/id"}
SAME = {"id": "$request.path.id"}
_WEBHOOK = Operation(
    id="",
    tag="Webhooks",
    summary="",
    answers={200: (webhooks.WebhookAnswer,)},
)
_DELIVERY = replace(_WEBHOOK, tag="Deliveries")
_SECRET = replace(_WEBHOOK, tag="Webhooks")

_WEBHOOKS = {
    "POST /api/v1/webhooks": replace(
        _WEBHOOK,
        id="create_webhook",
        summary="Subscribe",
        text="The address is checked: it must be https and public. The secret is in this answer alone.",
        body="CreateWebhookRequest",
        answers={201: (webhooks.NewWebhookAnswer,)},
        raises=(TooManyWebhooks,),
        idempotent=True,
        links={
            "read_webhook": NEW,
            "change_webhook": NEW,
            "rotate_webhook_secret": NEW,
            "test_webhook": NEW,
            "list_deliveries": NEW,
            "recover_deliveries": NEW,
            "delete_webhook": NEW,
        },
    ),
    "GET /api/v1/webhooks": replace(
        _WEBHOOK,
        id="list_webhooks",
        summary="List subscriptions",
        query=("limit", "webhook_cursor"),
        answers={200: (webhooks.WebhookListAnswer,)},
    ),
    "GET /api/v1/webhooks/{id}": replace(_WEBHOOK, id="read_webhook", summary="Read a subscription"),
    "PATCH /api/v1/webhooks/{id}": replace(
        _WEBHOOK,
        id="change_webhook",
        summary="Change a subscription",
        text="What is left out stays. `enabled: true` enables one that was disabled.",
        body="ChangeWebhookRequest",
    ),
    "DELETE /api/v1/webhooks/{id}": replace(
        _WEBHOOK,
        id="delete_webhook",
        summary="Unsubscribe",
        text="What is still to be delivered is dropped.",
        answers={204: ()},
    ),
    "POST /api/v1/webhooks/{id}/rotate": replace(
        _WEBHOOK,
        id="rotate_webhook_secret",
        summary="Replace the secret",
        text="Both secrets sign for 24 hours.",
        answers={200: (webhooks.NewWebhookAnswer,)},
        idempotent=True,
    ),
}
_DELIVERIES = {
    "POST /api/v1/webhooks/{id}/test": replace(
        _DELIVERY,
        id="test_webhook",
        summary="Send a made-up event",
        text="Waits for the attempt and answers with what became of it; 202 if it is still on its way.",
        body="TestWebhookRequest",
        body_required=False,
        idempotent=True,
        answers={200: (webhooks.DeliveryAnswer,), 202: (webhooks.DeliveryAnswer,)},
        links={"resend_delivery": {**SAME, "delivery_id": "$response.body#/delivery/id"}},
    ),
    "GET /api/v1/webhooks/{id}/deliveries": replace(
        _DELIVERY,
        id="list_deliveries",
        summary="List deliveries",
        text="Of the last 30 days, newest first. The id `requested` stands for the `webhook_url`s of "
        "requests.",
        query=("delivery_status", "type", "from", "to", "limit", "cursor"),
        answers={200: (webhooks.DeliveryListAnswer,)},
        links={"resend_delivery": {**SAME, "delivery_id": "$response.body#/deliveries/0/id"}},
    ),
    "POST /api/v1/webhooks/{id}/deliveries/{delivery_id}/resend": replace(
        _DELIVERY,
        id="resend_delivery",
        summary="Send a delivery again",
        answers={202: (webhooks.DeliveryAnswer,)},
        raises=(WebhookDisabled, ResentTooOften),
        idempotent=True,
    ),
    "POST /api/v1/webhooks/{id}/recover": replace(
        _DELIVERY,
        id="recover_deliveries",
        summary="Send again all that did not arrive",
        text="Since a moment, 14 days and 10,000 events back at most.",
        body="RecoverRequest",
        answers={202: (webhooks.RecoverAnswer,)},
        raises=(WebhookDisabled,),
        idempotent=True,
    ),
}
_SECRETS = {
    "GET /v1/webhook-secret": replace(
        _SECRET,
        id="read_webhook_secret",
        summary="Read the age of the account's secret",
        text="It signs the deliveries to the `webhook_url`s of requests.",
        answers={200: (webhooks.SecretAgeAnswer,)},
        raises=(NotFound,),
    ),
    "POST /v1/webhook-secret": replace(
        _SECRET,
        id="create_webhook_secret",
        summary="Make the account's secret",
        text="201 with the first one, 200 with one that replaces another.",
        answers={201: (webhooks.NewSecretAnswer,), 200: (webhooks.NewSecretAnswer,)},
        idempotent=True,
    ),
    "POST /v1/webhook-secret/rotate": replace(
        _SECRET,
        id="replace_webhook_secret",
        summary="Replace the account's secret",
        text="Both secrets sign for 24 hours.",
        answers={201: (webhooks.NewSecretAnswer,), 200: (webhooks.NewSecretAnswer,)},
        idempotent=True,
    ),
}
WEBHOOKS = {**_WEBHOOKS, **_DELIVERIES, **_SECRETS}
