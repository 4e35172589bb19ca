"""/v1/webhook-secret: what signs deliveries to the `webhook_url`s of an account's requests."""

from __future__ import annotations

from shoal.composition import jobs as bootstrap
from shoal.composition import webhooks as bootstrap_webhooks
from shoal.dialects import tasks, webhooks
from shoal.dialects.errors import tasks_error
from shoal.domain.api_key import Scope
from shoal.handlers.http.endpoint import Answer, Request, endpoint
from shoal.settings import ManageWebhookSecretSettings


def manage(request: Request) -> Answer:
    """GET: 200 with its age. POST: 201 with the first secret, 200 with another one."""
    table = bootstrap.settings_of(ManageWebhookSecretSettings).table
    caller = request.authenticate(bootstrap.authenticate(table), Scope.WEBHOOKS)
    use_case = bootstrap_webhooks.manage_webhook_secret()
    if request.method == "GET":
        return Answer(200, tasks.envelope(webhooks.secret_resource(use_case.read(caller))))
    key = request.idempotency_key(caller, request.route, {})
    answered = use_case.rotate(caller, key, webhooks.secret_resource)
    return Answer(answered.status, tasks.envelope(answered.body), answered.headers)


handler = endpoint(manage, tasks_error)
