"""What is answered about webhooks, their deliveries and secrets."""

from __future__ import annotations

from typing import Annotated

from pydantic import WithJsonSchema
from typing_extensions import TypedDict

from shoal.dialects.answers.common import Cursor, DeliveryId, EventId, Moment, NoError, Secret, Url, WebhookId
from shoal.domain.delivery import DeliveryStatus
from shoal.domain.webhook import DisabledReason

Status = Annotated[DeliveryStatus, WithJsonSchema({"enum": [*DeliveryStatus], "type": "string"})]
Reason = Annotated[DisabledReason, WithJsonSchema({"enum": [*DisabledReason], "type": "string"})]


class Webhook(TypedDict):
    id: WebhookId
    name: str
    url: Url
    events: list[str]
    enabled: bool
    disabled_reason: Reason | None
    created_at: Moment
    updated_at: Moment


class WebhookAnswer(TypedDict):
    webhook: Webhook


class NewWebhookAnswer(WebhookAnswer):
    secret: Secret
    """Shown in this answer alone: store it now."""


class WebhookListAnswer(TypedDict):
    webhooks: list[Webhook]
    next_cursor: Cursor | None


class Attempt(TypedDict):
    at: Moment
    status_code: int | None
    duration_ms: int
    error: str | None
    """Why the attempt failed; null if it did not."""
    response: str | None
    """How the endpoint's answer begins."""


class Delivery(TypedDict):
    id: DeliveryId
    event_id: EventId
    event_type: str
    status: Status
    attempts: list[Attempt]
    next_attempt_at: Moment | None


class DeliveryAnswer(TypedDict):
    delivery: Delivery


class DeliveryListAnswer(TypedDict):
    deliveries: list[Delivery]
    next_cursor: Cursor | None


class Recover(TypedDict):
    since: Moment
    until: Moment
    events_max: int


class RecoverAnswer(TypedDict):
    recover: Recover


class SecretAge(TypedDict):
    created_at: Moment
    updated_at: Moment


class NewSecret(SecretAge):
    secret: Secret
    """Shown in this answer alone: store it now."""


class SecretAgeAnswer(NoError):
    data: SecretAge


class NewSecretAnswer(NoError):
    data: NewSecret
