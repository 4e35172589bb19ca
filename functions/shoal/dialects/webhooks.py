"""Webhooks in the video dialect: requests in, resources out. No AWS, no secrets but those it is handed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import PydanticCustomError

from shoal.dialects.errors import invalid_field, validation_error
from shoal.dialects.fields import EmptyIfBlank, Url, check_parameters, parse_limit, parse_moment, parse_range
from shoal.domain.delivery import Attempt, Delivery, DeliveryStatus
from shoal.domain.events import iso_ms
from shoal.domain.ids import ulid_of
from shoal.domain.webhook import EVENT_TYPES, PATTERNS, AccountSecret, Changes, Subscription
from shoal.ports.webhooks import DeliveryFilter, DeliveryPage, RecoverOrder
from shoal.use_cases.webhooks.manage_webhooks import NewWebhook

if TYPE_CHECKING:
    from shoal.dialects.answers import webhooks as answers

NAME_LENGTH_MAX = 100
RECOVER_DAYS_MAX = 14
DAY_MS = 24 * 3_600_000


def _check_pattern(pattern: str) -> str:
    if pattern not in PATTERNS:
        choice = ", ".join(sorted(PATTERNS))
        raise PydanticCustomError("unknown_event", f"is no event type; choose among {choice}")
    return pattern


Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=NAME_LENGTH_MAX), EmptyIfBlank]
Events = Annotated[
    list[Annotated[str, AfterValidator(_check_pattern)]],
    Field(min_length=1, max_length=len(PATTERNS)),
    AfterValidator(lambda patterns: list(dict.fromkeys(patterns))),
]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


Request = TypeVar("Request", bound=_Body)


class CreateRequest(_Body):
    name: Name = ""
    url: Url
    events: Events


class ChangeRequest(_Body):
    """What is left out stays as it is; null is no value of any field."""

    name: Name = ""
    url: Url = ""
    events: Events = []
    enabled: bool = False


class TrialRequest(_Body):
    type: str | None = None


class RecoverRequest(_Body):
    since: str


def parse_create(body: Mapping[str, Any]) -> NewWebhook:
    """Raises `ValidationFailed` naming every wrong field; whether the address is permitted shows later."""
    request = _parse(CreateRequest, body)
    return NewWebhook(request.name, request.url, tuple(request.events))


def parse_change(body: Mapping[str, Any]) -> Changes:
    """Raises `ValidationFailed`."""
    given = _parse(ChangeRequest, body).model_dump(exclude_unset=True)
    if "events" in given:
        given["events"] = tuple(given["events"])
    return Changes(**given)


def parse_test(body: Mapping[str, Any]) -> str | None:
    """The type of event to make up, None for any. Raises `ValidationFailed`."""
    event_type = _parse(TrialRequest, body).type
    return None if event_type is None else _event_type(event_type)


def parse_recover(body: Mapping[str, Any], now_ms: int) -> int:
    """Since when, in Unix ms. Raises `ValidationFailed`, also for more than 14 days ago."""
    since_ms = parse_moment({"since": _parse(RecoverRequest, body).since}, "since") or 0
    if not now_ms - RECOVER_DAYS_MAX * DAY_MS <= since_ms <= now_ms:
        raise invalid_field("since", f"must be at most {RECOVER_DAYS_MAX} days ago")
    return since_ms


def parse_list_query(query: Mapping[str, str]) -> tuple[int, str | None]:
    """Page size and cursor of a list of webhooks. Raises `ValidationFailed`."""
    check_parameters(query, {"limit", "cursor"})
    cursor = query.get("cursor")
    if cursor is not None and ulid_of("wh", cursor) is None:
        raise invalid_field("cursor", "unknown cursor")
    return parse_limit(query), cursor


def parse_deliveries_query(query: Mapping[str, str]) -> tuple[DeliveryFilter, int, str | None]:
    """Filter, page size and cursor of a list of deliveries. Raises `ValidationFailed`."""
    check_parameters(query, {"status", "type", "from", "to", "limit", "cursor"})
    from_ms, to_ms = parse_range(query)
    which = DeliveryFilter(
        status=_status(query["status"]) if "status" in query else None,
        event_type=_event_type(query["type"]) if "type" in query else None,
        from_ms=from_ms,
        to_ms=to_ms,
    )
    return which, parse_limit(query), query.get("cursor")


def webhook_resource(subscription: Subscription) -> answers.Webhook:
    return {
        "id": subscription.id,
        "name": subscription.name,
        "url": subscription.url,
        "events": list(subscription.events),
        "enabled": subscription.enabled,
        "disabled_reason": subscription.disabled_reason,
        "created_at": iso_ms(subscription.created_at_ms),
        "updated_at": iso_ms(subscription.updated_at_ms),
    }


def webhook(subscription: Subscription) -> answers.WebhookAnswer:
    return {"webhook": webhook_resource(subscription)}


def webhook_list(
    subscriptions: Sequence[Subscription], limit: int, cursor: str | None
) -> answers.WebhookListAnswer:
    """One page, newest first; a cursor is the id of the last one shown."""
    newest_first = sorted(subscriptions, key=lambda each: each.id, reverse=True)
    rest = [each for each in newest_first if cursor is None or each.id < cursor]
    shown = rest[:limit]
    return {
        "webhooks": [webhook_resource(each) for each in shown],
        "next_cursor": shown[-1].id if len(rest) > limit else None,
    }


def delivery_resource(delivery: Delivery) -> answers.Delivery:
    due_ms = delivery.next_attempt_at_ms
    return {
        "id": delivery.id,
        "event_id": delivery.event_id,
        "event_type": delivery.event_type,
        "status": delivery.status,
        "attempts": [_attempt(attempt) for attempt in delivery.attempts],
        "next_attempt_at": None if due_ms is None else iso_ms(due_ms),
    }


def delivery_answer(delivery: Delivery) -> answers.DeliveryAnswer:
    return {"delivery": delivery_resource(delivery)}


def delivery_list(page: DeliveryPage) -> answers.DeliveryListAnswer:
    deliveries = [delivery_resource(delivery) for delivery in page.deliveries]
    return {"deliveries": deliveries, "next_cursor": page.next_cursor}


def recover_resource(order: RecoverOrder) -> answers.RecoverAnswer:
    return {
        "recover": {
            "since": iso_ms(order.since_ms),
            "until": iso_ms(order.until_ms),
            "events_max": order.left,
        }
    }


def secret_resource(secret: AccountSecret) -> answers.SecretAge:
    """Not the secret itself: that is shown when it is made."""
    return {"created_at": iso_ms(secret.created_at_ms), "updated_at": iso_ms(secret.updated_at_ms)}


def _parse(request: type[Request], body: Mapping[str, Any]) -> Request:
    try:
        return request.model_validate(body)
    except ValidationError as error:
        raise validation_error(error) from None


def _attempt(attempt: Attempt) -> answers.Attempt:
    return {
        "at": iso_ms(attempt.at_ms),
        "status_code": attempt.status_code,
        "duration_ms": attempt.duration_ms,
        "error": attempt.error,
        "response": attempt.response,
    }


def _event_type(text: str) -> str:
    if text not in EVENT_TYPES:
        raise invalid_field("type", f"must be one of {', '.join(EVENT_TYPES)}")
    return text


def _status(text: str) -> DeliveryStatus:
    try:
        return DeliveryStatus(text)
    except ValueError:
        raise invalid_field("status", f"must be one of {', '.join(DeliveryStatus)}") from None
