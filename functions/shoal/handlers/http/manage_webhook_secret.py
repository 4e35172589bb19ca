"""/v1/webhook-secret: what signs deliveries to the `webhook_url`s of an account's requests."""

from __future__ import annotations

from shoal.composition.webhooks import manage_webhook_secret
from shoal.dialects import tasks, webhooks
from shoal.handlers.http.endpoint import Answer, Endpoint, Request
from shoal.use_cases.webhooks.manage_webhook_secret import ManageWebhookSecret


def manage(request: Request, use: ManageWebhookSecret) -> Answer:
    """GET: 200 with its age. POST: 201 with the first secret, 200 with another one."""
    if request.method == "GET":
        return Answer(200, tasks.envelope(webhooks.secret_resource(use.read(request.caller))))
    key = request.idempotency_key(request.caller, request.caller.counts_in(request.route), {})
    answered = use.rotate(request.caller, key, webhooks.secret_resource)
    return Answer(answered.status, tasks.envelope(answered.body), answered.headers)


handler = Endpoint(manage_webhook_secret, manage)
