"""What a provider is asked for: the same for every attempt at the same output."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shoal.domain.brief import Kind
from shoal.domain.clip import SCENE_SECONDS
from shoal.domain.job import Job
from shoal.domain.provider import ProviderRequest
from shoal.domain.routing import ProviderCall
from shoal.ports.jobs import Staging
from shoal.ports.videos import Scenes


@dataclass(frozen=True, slots=True)
class MakeProviderRequest:
    staging: Staging
    scenes: Scenes

    def __call__(self, job: Job, index: int) -> ProviderRequest:
        """The request for one output of a job, or for the clip of one scene; a call adds its own address."""
        brief, idea = job.brief, ""
        if job.kind is Kind.VIDEO:
            brief, idea = replace(brief, prompt=self.scenes.get(job, index).prompt), brief.prompt
        return ProviderRequest(
            idempotency_key=f"{job.id}-{index}",
            brief=brief,
            submitted_at_ms=job.created_at_ms,
            callback_url="",
            index=index,
            inputs=tuple(self.staging.read(key) for key in brief.input_keys),
            seconds=SCENE_SECONDS if brief.seconds is None and job.kind.of_clips else brief.seconds,
            idea=idea,
        )


def of_call(request: ProviderRequest, call: ProviderCall, callback_url: str) -> ProviderRequest:
    """What one provider is told: the model by its own name, and a key and an address of this call."""
    key = request.idempotency_key
    return replace(
        request,
        provider_model=call.route.partition("/")[2],
        idempotency_key=key if call.number == 1 else f"{key}-{call.number}",
        callback_url=callback_url,
    )
