"""Webhooks and their deliveries, attempt by attempt."""

from __future__ import annotations

import re

from shoal.composition.dashboard import ForMembers
from shoal.dialects import webhooks
from shoal.domain.errors import ApiError, IdempotencyKeyReused, TooManyWebhooks, ValidationFailed
from shoal.domain.idempotency import IdempotencyKey
from shoal.domain.webhook import EVENT_TYPES, EVERYTHING, Changes
from shoal.handlers.web.rendering import page
from shoal.handlers.web.visit import Context, Page, Visit, redirect
from shoal.ports.webhooks import DeliveryFilter

ROUTE = "POST /dashboard/webhooks"
DELIVERIES_LIMIT = 20
PAUSE_S = 3
MARGIN_S = 4
"""What is left of the Lambda's time for the page that shows a test's outcome."""
_RUN = re.compile(r"[0-9]{1,9}")
REUSED = "This form made a webhook before, {made}. Send it again to make another one."
CHOICES = (EVERYTHING, *EVENT_TYPES)


def show(visit: Visit[ForMembers]) -> Page:
    return _all(visit, {"name": "", "url": "", "events": [EVERYTHING]})


def create(visit: Visit[ForMembers]) -> Page:
    """The webhook's page with its secret; the same form again shows the same webhook, not a second one."""
    events = visit.fields.get("events", [])
    body = {"name": visit.field("name"), "url": visit.field("url"), "events": events}
    try:
        key = IdempotencyKey.of(visit.session.account_id, visit.caller.counts_in(ROUTE), visit.once, body)
        answered = visit.use.manage_webhooks().create(
            visit.caller, lambda: webhooks.parse_create(body), key, webhooks.webhook
        )
    except (ValidationFailed, TooManyWebhooks, IdempotencyKeyReused) as error:
        return _all(visit, body, error)
    return _show(visit, answered.body["webhook"]["id"], secret=answered.body["secret"])


def show_one(visit: Visit[ForMembers]) -> Page:
    return _show(visit, visit.parameter("id"))


def show_deliveries(visit: Visit[ForMembers]) -> Page:
    webhook_id = visit.parameter("id")
    subscription = visit.use.manage_webhooks().read(visit.caller, webhook_id)
    return page(visit, "deliveries.html", webhook=subscription, **_deliveries(visit, webhook_id))


def rotate(visit: Visit[ForMembers]) -> Page:
    webhook_id = visit.parameter("id")
    route = visit.caller.counts_in(f"{ROUTE}/{webhook_id}/rotate")
    key = IdempotencyKey.of(visit.session.account_id, route, visit.once, {})
    answered = visit.use.manage_webhooks().rotate(visit.caller, webhook_id, key, webhooks.webhook)
    return _show(visit, webhook_id, secret=answered.body["secret"])


def test(visit: Visit[ForMembers]) -> Page:
    webhook_id = visit.parameter("id")
    wait_s = visit.request.seconds_left - MARGIN_S
    key = IdempotencyKey.of(visit.session.account_id, f"{ROUTE}/{webhook_id}/test", visit.once, {})
    visit.use.manage_deliveries().test(visit.caller, webhook_id, None, wait_s, key, webhooks.delivery_answer)
    return redirect(f"/webhooks/{webhook_id}")


def switch(visit: Visit[ForMembers]) -> Page:
    """Enable it, or disable it."""
    webhook_id = visit.parameter("id")
    enabled = visit.field("enabled") == "true"
    visit.use.manage_webhooks().change(visit.caller, webhook_id, Changes(enabled=enabled))
    return redirect(f"/webhooks/{webhook_id}")


def delete(visit: Visit[ForMembers]) -> Page:
    visit.use.manage_webhooks().delete(visit.caller, visit.parameter("id"))
    return redirect("/webhooks")


def resend(visit: Visit[ForMembers]) -> Page:
    webhook_id = visit.parameter("id")
    manage = visit.use.manage_deliveries()
    run = visit.field("run")
    if not _RUN.fullmatch(run):
        raise ValidationFailed("The form is out of date: load the page again.")
    manage.resend(
        visit.caller,
        webhook_id,
        visit.parameter("delivery_id"),
        None,
        webhooks.delivery_answer,
        after_run=int(run),
    )
    return redirect(f"/webhooks/{webhook_id}")


def _all(visit: Visit[ForMembers], wanted: Context, problem: ApiError | None = None) -> Page:
    """All webhooks, and the form as it was filled in."""
    found = visit.use.manage_webhooks().list(visit.caller)
    return page(
        visit,
        "webhooks.html",
        status=problem.status if problem else 200,
        webhooks=found[::-1],
        choices=CHOICES,
        wanted=wanted,
        problem=_told(problem) if problem else "",
    )


def _told(problem: ApiError) -> str:
    """A form that was changed names what it made."""
    if isinstance(problem, IdempotencyKeyReused):
        return REUSED.format(made=problem.details["made"])
    return problem.message


def _show(visit: Visit[ForMembers], webhook_id: str, secret: str = "") -> Page:
    subscription = visit.use.manage_webhooks().read(visit.caller, webhook_id)
    return page(visit, "webhook.html", webhook=subscription, secret=secret, **_deliveries(visit, webhook_id))


def _deliveries(visit: Visit[ForMembers], webhook_id: str) -> Context:
    found = visit.use.manage_deliveries().list(
        visit.caller,
        webhook_id,
        DeliveryFilter(),
        limit=DELIVERIES_LIMIT,
        cursor=visit.query.get("cursor"),
    )
    return {"deliveries": found.deliveries, "next_cursor": found.next_cursor, "pause_s": PAUSE_S}
