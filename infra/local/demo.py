"""The published Python client, played against the local address: submit, poll, download."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from infra.local.processes import LocalCloudError
from shoal_client import Shoal, ShoalError
from shoal_client.resources import Job, Wallet

REQUEST = {"mode": "2k", "prompt": "A shark swimming in neon-lit deep ocean"}
POLL_SECONDS = 1.0
JOB_SECONDS_MAX = 200.0  # the provider's deadline and some more


@dataclass(frozen=True)
class Client:
    """A customer of the local cloud. Every method raises `LocalCloudError` with what went wrong."""

    api_url: str
    api_key: str

    @cached_property
    def shoal(self) -> Shoal:
        return Shoal(self.api_key, self.api_url)

    def submit(self, request: dict[str, Any]) -> str:
        """Submit a job; returns its id."""
        with tell_errors():
            return self.shoal.generate(**request)["job_id"]

    def wait(
        self, job_id: str, on_status: Callable[[str], None], *, poll_seconds: float = POLL_SECONDS
    ) -> Job:
        """The job once it is complete."""
        with tell_errors():
            return self.shoal.wait(
                job_id,
                timeout_s=JOB_SECONDS_MAX,
                pause_s=poll_seconds,
                on_poll=lambda job: on_status(job["status"]),
            )

    def save(self, url: str | None, path: Path) -> Path:
        """Save what lies at the address of an output; returns the path."""
        if url is None:
            raise LocalCloudError("the job has no output")
        with tell_errors():
            content = self.shoal.download(url)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def wallet(self) -> Wallet:
        """The wallet: dollar amounts as text."""
        with tell_errors():
            return self.shoal.wallet()


@contextmanager
def tell_errors() -> Iterator[None]:
    """What the client raises, as an error of the local cloud that says it in a line."""
    try:
        yield
    except ShoalError as error:
        raise LocalCloudError(str(error)) from error
