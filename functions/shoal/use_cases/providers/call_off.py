"""Have a provider's work stopped, if it can be: best effort, for what it delivers anyway is not used."""

from __future__ import annotations

import logging

from shoal.domain.errors import JobError, OutcomeUnknown, ProviderBusy, ProviderUnusable
from shoal.ports.routing import Provider

logger = logging.getLogger(__name__)


def call_off(provider: Provider, ref: str, job_id: str) -> None:
    """Ask once: by the time a queue would try again, the work has ended by itself."""
    try:
        provider.cancel(ref)
    except (JobError, ProviderBusy, ProviderUnusable, OutcomeUnknown) as error:
        logger.warning("work not stopped", extra={"job_id": job_id, "reason": str(error)})
