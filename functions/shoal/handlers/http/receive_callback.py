"""POST /callbacks/{provider}/{job}/{mac}: a provider says it has finished."""

from __future__ import annotations

from shoal.composition import jobs
from shoal.domain.errors import CallbackRefused, NotFound
from shoal.handlers.http.endpoint import Answer, Endpoint, Request
from shoal.observability import logger
from shoal.use_cases.providers.receive_callback import ReceiveCallback


def receive(request: Request, receive_callback: ReceiveCallback) -> Answer:
    """204 for a genuine callback, also a repeated or late one; 404 for any other, whatever is wrong."""
    provider, job_key, mac = (request.path_parameter(name) for name in ("provider", "job", "mac"))
    try:
        job = receive_callback(provider, job_key, mac, request.headers, request.body)
    except CallbackRefused as refused:
        logger.warning(
            "callback refused",
            extra={"provider": provider[:40], "reason": str(refused)},
        )
        raise NotFound() from None
    logger.append_keys(account_id=job.account_id, job_id=job.id)
    return Answer(204, None)


handler = Endpoint(jobs.receive_callback, receive)
