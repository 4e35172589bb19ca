"""Every public route: images, tasks, accounts. Videos and webhooks are in `video_operations`."""

from __future__ import annotations

from dataclasses import replace

from shoal.dialects.answers import image, tasks
from shoal.dialects.answers.common import HealthAnswer
from shoal.domain.errors import (
    InsufficientBalance,
    JobAlreadyTerminal,
    MaxCostExceeded,
    NotFound,
)

from .file_operations import FILES
from .operation import Operation, routed
from .video_operations import VIDEOS
from .webhook_operations import WEBHOOKS

PAGE = ("status", "from", "to", "limit", "cursor")
JOB = {"id": "$response.body#/job_id"}
TASK = {"id": "$response.body#/data/id"}
SPENDING = (InsufficientBalance, MaxCostExceeded)

_SUBMIT_IMAGE = Operation(
    id="submit_image",
    tag="Images",
    summary="Submit an image",
    text="Holds the price and answers at once; read the job until it has ended. "
    "`aspect_ratio` is 1:1 unless it is given.",
    body="ImageRequest",
    answers={202: (image.Accepted, image.JobApiV1), 200: (image.JobApiV1,)},
    raises=SPENDING,
    idempotent=True,
    waits=True,
    traced=True,
    links={"read_api_job": JOB, "cancel_api_job": JOB},
)
_READ_JOB = Operation(
    id="read_job",
    tag="Images",
    summary="Read a job",
    text="Poll every two seconds until `status` is `complete` or `failed`. Reads a job of any dialect.",
    answers={200: (image.JobV1,)},
)
_CANCEL_JOB = Operation(
    id="cancel_job",
    tag="Images",
    summary="Cancel a job",
    text=(
        "Stops the work and gives back what has cost nothing. A picture that its provider bills although it "
        "stops is charged, which `cost` tells, and delivered: such a job is `processing` until it completes."
    ),
    answers={200: (image.JobV1,)},
    raises=(JobAlreadyTerminal,),
    idempotent=True,
)
_WALLET = Operation(
    id="read_wallet",
    tag="Account",
    summary="Read the wallet",
    answers={200: (image.WalletAnswer,)},
)
_USAGE = Operation(
    id="list_usage",
    tag="Account",
    summary="List historical requests",
    text="Newest first. With `Accept: text/csv` the page is CSV and its cursor is the header `Next-Cursor`.",
    query=("usage_status", *PAGE[1:]),
    answers={200: (image.UsageV1,)},
    csv=True,
)
_IMAGES = {
    "POST /v1/generate": replace(
        _SUBMIT_IMAGE,
        id="generate",
        summary="Submit an image or a task",
        text="With `mode` the body asks for an image and the answer is a job; with `model` it asks for a "
        "task and the answer is `{data, error}`. The price is held, and what is not used of it is released.",
        body="GenerateRequest",
        answers={
            202: (image.Accepted, image.JobV1, tasks.AcceptedTaskAnswer, tasks.TaskAnswer),
            200: (image.JobV1, tasks.TaskAnswer),
        },
        raises=(*SPENDING, NotFound),
        links={"read_job": JOB, "cancel_job": JOB, "read_task": TASK, "cancel_task": TASK},
    ),
    "GET /v1/jobs/{id}": _READ_JOB,
    "POST /v1/jobs/{id}/cancel": _CANCEL_JOB,
    "POST /api/v1/image": _SUBMIT_IMAGE,
    "GET /api/v1/jobs/{id}": replace(
        _READ_JOB,
        id="read_api_job",
        summary="Read a job under /api/v1",
        text="The same job, and its success is spelled `completed`.",
        answers={200: (image.JobApiV1,)},
    ),
    "POST /api/v1/jobs/{id}/cancel": replace(
        _CANCEL_JOB,
        id="cancel_api_job",
        summary="Cancel a job under /api/v1",
        answers={200: (image.JobApiV1,)},
    ),
}
_TASKS = {
    "GET /v1/tasks/{id}": Operation(
        id="read_task",
        tag="Tasks",
        summary="Read a task",
        text="Poll until `status` is `completed`, `failed` or `canceled`, or let `Prefer: wait=25` do it.",
        answers={200: (tasks.TaskAnswer,)},
        waits=True,
    ),
    "GET /v1/tasks": Operation(
        id="list_tasks",
        tag="Tasks",
        summary="List tasks",
        text="Newest first.",
        query=("task_status", "model", *PAGE[1:]),
        answers={200: (tasks.TaskListAnswer,)},
    ),
    "POST /v1/tasks/{id}/cancel": Operation(
        id="cancel_task",
        tag="Tasks",
        summary="Cancel a task",
        text=(
            "Stops the work and gives back what has cost nothing. Outputs that a provider bills although it "
            "stops are charged, which `cost` tells, and stand in `output` as soon as all of them are there; "
            "what never arrives is given back."
        ),
        answers={200: (tasks.TaskAnswer,)},
        raises=(JobAlreadyTerminal,),
        idempotent=True,
    ),
    "GET /v1/models": Operation(
        id="list_models",
        tag="Models and prices",
        summary="List models",
        answers={200: (tasks.ModelListAnswer,)},
    ),
    "GET /v1/models/{id}": Operation(
        id="read_model",
        tag="Models and prices",
        summary="Read a model",
        text="`parameters` is the JSON Schema of what it takes.",
        answers={200: (tasks.ModelAnswer,)},
    ),
    "POST /v1/quote": Operation(
        id="quote",
        tag="Models and prices",
        summary="Ask for a price",
        text="Takes the body of `POST /v1/generate`. Nothing is held, fetched or written.",
        body="GenerateRequest",
        answers={200: (tasks.QuoteAnswer,)},
        raises=(MaxCostExceeded, NotFound),
    ),
    "GET /v1/usage/summary": Operation(
        id="summarize_usage",
        tag="Account",
        summary="Sum usage up by model",
        text="By UTC day, `from` and `to` included. CSV with `Accept: text/csv`.",
        query=("from", "to"),
        answers={200: (tasks.UsageSummaryAnswer,)},
        csv=True,
    ),
}
_ACCOUNT = {
    "GET /v1/wallet": _WALLET,
    "GET /v1/usage": _USAGE,
    "GET /api/v1/wallet": replace(_WALLET, id="read_api_wallet", summary="Read the wallet under /api/v1"),
    "GET /api/v1/usage": replace(
        _USAGE,
        id="list_api_usage",
        summary="List historical requests under /api/v1",
        answers={200: (image.UsageApiV1,)},
    ),
}
_OPEN = Operation(id="", tag="About", summary="", cached=True)
_ABOUT = {
    "GET /healthz": replace(
        _OPEN,
        id="read_health",
        summary="Is the API there",
        answers={200: (HealthAnswer,)},
        cached=False,
    ),
    "GET /api/v1/openapi.json": replace(_OPEN, id="read_openapi", summary="The OpenAPI document"),
    "GET /.well-known/openapi.json": replace(
        _OPEN, id="read_well_known_openapi", summary="The OpenAPI document, for agents"
    ),
    "GET /docs/api": replace(
        _OPEN, id="read_docs", summary="This page", media_type="text/html; charset=utf-8"
    ),
    "GET /docs/events": replace(
        _OPEN, id="read_events_page", summary="The page of the bus", media_type="text/html; charset=utf-8"
    ),
    "GET /docs/events.md": replace(
        _OPEN, id="read_events", summary="The same in Markdown", media_type="text/markdown; charset=utf-8"
    ),
    "GET /api/v1/asyncapi.json": replace(
        _OPEN, id="read_asyncapi", summary="The AsyncAPI document of the bus"
    ),
    "GET /llms.txt": replace(
        _OPEN,
        id="read_llms",
        summary="llms.txt",
        media_type="text/markdown; charset=utf-8",
    ),
    "GET /docs/llms.txt": replace(
        _OPEN,
        id="read_docs_llms",
        summary="llms.txt, beside this page",
        media_type="text/markdown; charset=utf-8",
    ),
}
OPERATIONS = routed({**_IMAGES, **_TASKS, **FILES, **VIDEOS, **_ACCOUNT, **WEBHOOKS, **_ABOUT})
"""By route, in the order in which they are documented."""
UNDOCUMENTED = {
    "$default": "what is not there",
    "POST /callbacks/{provider}/{job}/{mac}": "for providers",
    "POST /mcp": "tools, which describe themselves",
    "POST /stripe/webhook": "for Stripe",
    "GET /dashboard": "pages",
    "GET /dashboard/{path+}": "pages",
    "POST /dashboard/{path+}": "their forms",
    "GET /dashboard/operate": "pages",
    "GET /dashboard/operate/{path+}": "pages",
    "POST /dashboard/operate/{path+}": "their forms",
    "GET /dashboard/top-up": "a page",
    "POST /dashboard/top-up": "its forms",
}
"""Routes that are not for callers, and why. Every other one is described above."""
