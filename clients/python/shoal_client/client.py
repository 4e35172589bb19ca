"""`Shoal`: images and the account; tasks, files, videos and webhooks hang below it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from shoal_client.files import Files
from shoal_client.resources import (
    Accepted,
    Credits,
    Job,
    Model,
    Quote,
    Usage,
    UsageOfModel,
    Wallet,
)
from shoal_client.tasks import Tasks
from shoal_client.transport import Transport, part
from shoal_client.videos import Videos
from shoal_client.waiting import poll
from shoal_client.webhooks import Webhooks

ENDED = frozenset({"complete", "failed"})


class Shoal:
    """A client with one key. `options` are the fields of `Transport`: timeouts, retries, session, clocks."""

    def __init__(self, api_key: str, base_url: str, **options: Any) -> None:
        self._transport = Transport(api_key=api_key, base_url=base_url, **options)
        self.tasks = Tasks(self._transport)
        self.files = Files(self._transport)
        self.videos = Videos(self._transport)
        self.webhooks = Webhooks(self._transport)

    def generate(
        self,
        prompt: str,
        *,
        mode: Literal["1k", "2k", "4k"] = "2k",
        idempotency_key: str | None = None,
        **fields: Any,
    ) -> Accepted:
        """Submit an image. `fields`: aspect_ratio, seed, metadata, max_cost, ttl_seconds, webhook_url.

        Raises `PaymentRequired`, `InvalidRequest` and what any call may.
        """
        body = {"mode": mode, "prompt": prompt, **fields}
        accepted: Accepted = self._transport.spend("/v1/generate", body, idempotency_key)
        return accepted

    def job(self, job_id: str) -> Job:
        """Raises `NotFound`."""
        job: Job = self._transport.get(f"/v1/jobs/{part(job_id)}")
        return job

    def wait(
        self,
        job: Accepted | Job | str,
        *,
        timeout_s: float = 200.0,
        pause_s: float = 2.0,
        on_poll: Callable[[Job], None] | None = None,
    ) -> Job:
        """The job once it is complete. Raises `JobFailed`, `WaitTimedOut`."""
        job_id = job if isinstance(job, str) else job["job_id"]
        return poll(
            self._transport,
            lambda: self.job(job_id),
            success="complete",
            ended=ENDED,
            timeout_s=timeout_s,
            pause_s=pause_s,
            on_poll=on_poll,
        )

    def cancel(self, job_id: str, *, idempotency_key: str | None = None) -> Job:
        """Raises `Conflict` once it has ended."""
        job: Job = self._transport.spend(f"/v1/jobs/{part(job_id)}/cancel", None, idempotency_key)
        return job

    def download(self, url: str) -> bytes:
        """What lies at the address of an output; your key is not sent there."""
        return self._transport.download(url)

    def wallet(self) -> Wallet:
        wallet: Wallet = self._transport.get("/v1/wallet")
        return wallet

    def credits(self) -> Credits:
        found: Credits = self._transport.get("/api/v1/credits")
        return found

    def usage(self, *, cursor: str | None = None, limit: int | None = None, **query: Any) -> Usage:
        """One page of requests, newest first. `query`: status, from_, to."""
        usage: Usage = self._transport.get("/v1/usage", {"cursor": cursor, "limit": limit, **query})
        return usage

    def usage_summary(self, **query: Any) -> list[UsageOfModel]:
        """By model. `query`: from_, to."""
        summary: list[UsageOfModel] = self._transport.get("/v1/usage/summary", query)["data"]
        return summary

    def models(self) -> list[Model]:
        models: list[Model] = self._transport.get("/v1/models")["data"]
        return models

    def quote(self, **body: Any) -> Quote:
        """The price of a submit with this body: `mode` or `model`, `prompt` and what else it would carry."""
        quoted: Mapping[str, Any] = self._transport.post("/v1/quote", body)
        quote: Quote = quoted["data"]
        return quote
