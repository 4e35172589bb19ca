"""POST /mcp: the API as tools for agents, by the Model Context Protocol's streamable HTTP transport.

Each POST holds one message and is answered at once; there are no sessions and no streams, so GET and DELETE
are answered with 405, as the protocol asks of such a server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from shoal.composition import agents
from shoal.composition.agents import Serving
from shoal.dialects import either, image, mcp, tasks, video
from shoal.dialects.fields import iso_seconds
from shoal.dialects.spoken import spoken
from shoal.domain.api_key import Scope
from shoal.domain.errors import Forbidden, ValidationFailed
from shoal.domain.job import Job
from shoal.domain.money import Asset, format_amount
from shoal.domain.submission import Submission
from shoal.handlers.http.endpoint import Answer, Endpoint, Request
from shoal.handlers.http.mcp_server import ToolServer
from shoal.observability import logger
from shoal.use_cases.accounts.authenticate import require

Arguments = dict[str, Any]


def serve(request: Request, use: Serving) -> Answer:
    """What the protocol's server answers: 200 for a request, 202 for a notification, 4xx for neither."""

    def call(name: str, arguments: Arguments) -> Mapping[str, Any]:
        logger.append_keys(tool=name)
        return TOOLS[name](request, arguments, use)

    return ToolServer(call).answer(request)


def _check_origin(request: Request, use: Serving) -> None:
    """Raises `Forbidden` for a web page that is none of the stage's: others must not use its visitors.

    The host needs no look: the gateway brings nothing here that was not sent to a name of its own.
    """
    origin = request.headers.get("origin")
    if origin is not None and origin not in use.origins:
        raise Forbidden("Web pages of this origin may not call this address.")


def _quote(request: Request, arguments: Arguments, use: Serving) -> Mapping[str, Any]:
    asked = mcp.parse(mcp.QuoteArguments, arguments)
    tool, body = asked.tool, _given(asked.request)
    submission = _submission(tool, body, use)
    quoted = use.offer_quote()(request.caller, tool, body, submission)
    return {
        "quote_id": quoted.id,
        "price": format_amount(submission.asset, submission.price),
        "expires_at": iso_seconds(quoted.expires_at_ms),
        "next": f"Call {tool} with the same request and this quote_id to spend it.",
    }


def _spend(tool: str, request: Request, arguments: Arguments, use: Serving) -> Mapping[str, Any]:
    require(request.caller, Scope.GENERATE)
    quote_id = arguments.pop("quote_id", None)
    if not isinstance(quote_id, str):
        raise ValidationFailed("Spending needs a quote_id: call quote first.")
    arguments = _given(arguments)
    asked = lambda: replace(_submission(tool, arguments, use), traceparent=request.traceparent)  # noqa: E731
    answered = use.spend_quote()(request.caller, tool, quote_id, arguments, asked, _acceptance)
    logger.append_keys(job_id=answered.job_id)
    return answered.body


def _acceptance(job: Job) -> dict[str, Any]:
    held = format_amount(job.asset, job.hold.amount)
    return {"job_id": job.id, "status": "queued", "held": held, "next": "Poll get_job with this job_id."}


def _given(arguments: Arguments) -> Arguments:
    """Without the nulls that clients fill in from a tool's schema: they say nothing."""
    return {name: value for name, value in arguments.items() if value is not None}


def _submission(tool: str, body: Arguments, use: Serving) -> Submission:
    """An image needs no mode here: the default one is taken."""
    if tool == mcp.CREATE_VIDEO:
        asked = spoken("video")
    else:
        asked = either.choose(body) if "model" in body else spoken("image")
    return asked.parse(body, use.catalog())


def _get_job(request: Request, arguments: Arguments, use: Serving) -> Mapping[str, Any]:
    job = use.read_job()(request.caller, mcp.parse(mcp.JobArguments, arguments).job_id)
    return spoken(job.family.spelling).resource(job, use.view())


def _get_balance(request: Request, arguments: Arguments, use: Serving) -> Mapping[str, Any]:
    mcp.parse(mcp.Arguments, arguments)
    read = use.read_wallet()
    return {
        "dollars": image.wallet_resource(read(request.caller, Asset.USD)),
        "credits": video.credits_resource(read(request.caller, Asset.CREDIT)),
    }


def _list_models(_: Request, arguments: Arguments, use: Serving) -> Mapping[str, Any]:
    mcp.parse(mcp.Arguments, arguments)
    catalog, board, now_ms = use.catalog(), use.board(), use.now_ms()
    modes = {
        name: {"model": mode.model, "price": format_amount(Asset.USD, mode.price_micros)}
        for name, mode in catalog.modes.items()
    }
    terms = catalog.video
    return {
        "models": [
            tasks.model_resource(name, catalog, available=board.offers(catalog.routes(name), now_ms))
            for name in catalog.models
        ],
        "modes": modes,
        "video": {
            "credits_per_8_seconds": terms.price_credits,
            "seconds_max": terms.seconds_max,
            "aspect_ratios": terms.aspect_ratios,
        },
    }


Tool = Callable[[Request, Arguments, Serving], Mapping[str, Any]]
TOOLS: Mapping[str, Tool] = {
    mcp.QUOTE: _quote,
    mcp.GENERATE_IMAGE: partial(_spend, mcp.GENERATE_IMAGE),
    mcp.CREATE_VIDEO: partial(_spend, mcp.CREATE_VIDEO),
    mcp.GET_JOB: _get_job,
    mcp.GET_BALANCE: _get_balance,
    mcp.LIST_MODELS: _list_models,
}

handler = Endpoint(agents.serving, serve, ahead=_check_origin)
