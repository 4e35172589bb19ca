"""Whether the stage answers at its addresses: as a customer reaches it, from this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from urllib.parse import urlsplit

import requests

from shoal.cli.doctor.finding import Finding, Patient, ok, stops, warning
from shoal.cli.doctor.stacks import outputs

SECONDS_MAX = 30
"""What API Gateway gives a function (quotas of HTTP APIs): who waits for longer waits for nobody."""
ANSWERS = "answers"
HEALTH, DOCUMENT = "/healthz", "/api/v1/openapi.json"
LOOK = "Read the stage's logs of the group http, and `aws cloudformation describe-stacks` for its state."
NAME = "Let the name lead to the stage's output `ApiTarget` or `FilesTarget`, and wait for DNS."


@dataclass(frozen=True, slots=True)
class Silence(Exception):
    """Nothing that can be read came back. `found` says what did, `todo` what helps."""

    found: str
    todo: str


def answers(patient: Patient, seconds_max: float = SECONDS_MAX) -> Iterator[Finding]:
    """What API, dashboard and CDN answer over HTTP. Nothing is asked of a stage that is not deployed."""
    told = outputs(patient, patient.plan.stack("service"))
    if "ApiUrl" not in told:
        return
    api, plan = told["ApiUrl"], patient.plan
    if plan.domain is not None and urlsplit(api).hostname != plan.domain:
        deploy = f"`make deploy STAGE={plan.name}`."
        yield stops(ANSWERS, f"{api} is deployed, and the stage's file says {plan.domain}", deploy)
    try:
        yield _health(plan.name, _get(f"{api}{HEALTH}", seconds_max))
        yield _version(_get(f"{api}{DOCUMENT}", seconds_max))
    except Silence as silence:
        yield stops(ANSWERS, silence.found, silence.todo)
    # Nothing lies at the root of the CDN: that it says so is its answer.
    for url, taken in ((told["DashboardUrl"], (200,)), (f"{told['PublicUrl']}/", (200, 403, 404))):
        try:
            yield _page(_get(url, seconds_max), taken)
        except Silence as silence:
            yield stops(ANSWERS, silence.found, silence.todo)


def _get(url: str, seconds_max: float) -> requests.Response:
    """The answer, whatever its status. Raises `Silence`."""
    try:
        return requests.get(url, timeout=seconds_max)
    except requests.exceptions.SSLError as error:
        certificate = "Let the name have the certificate of the stage's file; see the finding `domain`."
        raise Silence(f"{url} has a wrong certificate: {_reason(error)}", certificate) from None
    except requests.exceptions.Timeout:
        raise Silence(f"{url} does not answer within {seconds_max} s", LOOK) from None
    except requests.exceptions.RequestException as error:
        raise Silence(f"{url} can't be reached: {_reason(error)}", NAME) from None


def _reason(error: Exception) -> str:
    """The innermost cause, which alone says something."""
    while (inner := error.__cause__ or error.__context__) is not None and isinstance(inner, Exception):
        error = inner
    return " ".join(str(error).split())


def _health(stage: str, answer: requests.Response) -> Finding:
    said = _object(answer)
    if answer.status_code != requests.codes.ok:
        return _refused(answer)
    if said.get("status") != "ok" or "stage" not in said:
        return stops(ANSWERS, f"{answer.url} is answered by something that is not Shoal", NAME)
    if said["stage"] != stage:
        return stops(ANSWERS, f"{answer.url} is answered by the stage {said['stage']}, not {stage}", NAME)
    took_ms = round(answer.elapsed.total_seconds() * 1000)
    return ok(ANSWERS, f"{answer.url} in {took_ms} ms")


def _version(answer: requests.Response) -> Finding:
    if answer.status_code != requests.codes.ok:
        return _refused(answer)
    info, own = _object(answer).get("info"), version("shoal")
    deployed = info.get("version") if isinstance(info, dict) else None
    if deployed != own:
        todo = "Deploy this version, or use the command of the one that is deployed."
        return warning(ANSWERS, f"version {deployed} is deployed, and this is {own}", todo)
    return ok(ANSWERS, f"version {own} is deployed")


def _page(answer: requests.Response, taken: tuple[int, ...]) -> Finding:
    return ok(ANSWERS, answer.url) if answer.status_code in taken else _refused(answer)


def _refused(answer: requests.Response) -> Finding:
    return stops(ANSWERS, f"{answer.url} answers {answer.status_code}", LOOK)


def _object(answer: requests.Response) -> dict[str, object]:
    """What was answered, if that is an object of JSON; else an empty one."""
    try:
        said = answer.json()
    except requests.exceptions.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}
