"""What a provider is asked for: the same for every attempt at the same output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from shoal.domain.brief import Kind
from shoal.domain.clip import SCENE_SECONDS
from shoal.domain.job import Job
from shoal.domain.models.briefs import values_of
from shoal.domain.models.model import Model
from shoal.domain.models.roles import Role
from shoal.domain.provider import ProviderRequest, StagedInput
from shoal.domain.routing import ProviderCall, Route
from shoal.ports.jobs import Staging
from shoal.ports.videos import Scenes

SEED_MAX = 2**32 - 1


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


def of_route(
    request: ProviderRequest, route: Route, model: Model | None, type_of: Callable[[bytes], str]
) -> ProviderRequest:
    """With what the model's file says of the route: what its provider is handed, and where its files are.

    `type_of` tells the media type of a staged input.
    """
    template = model.templates.get(route.name) if model else None
    if model is None or template is None:
        return request
    values = values_of(model, request.brief)
    if own := model.inputs.of_role(Role.IMAGE):
        files = [StagedInput(data, type_of(data)) for data in request.inputs]
        values |= {own.name: files if own.kind == "array" else files[0]} if files else {}
    if (own := model.inputs.of_role(Role.SEED)) and (seed := values.get(own.name)) is not None:
        values[own.name] = (seed + request.index) % ((own.most or SEED_MAX) + 1)  # else all outputs are one
    handed = model.input_for(route, values)
    return replace(request, input=handed, outputs=template.outputs, refused_when=template.refused_when)


def of_call(request: ProviderRequest, call: ProviderCall, callback_url: str) -> ProviderRequest:
    """What one provider is told: the model by its own name, and a key and an address of this call."""
    key = request.idempotency_key
    return replace(
        request,
        provider_model=call.route.partition("/")[2],
        idempotency_key=key if call.number == 1 else f"{key}-{call.number}",
        callback_url=callback_url,
    )
