"""What nobody foresaw: the caller hears `internal_error`, the log hears everything."""

from __future__ import annotations

from io import StringIO

import pytest

from shoal.domain.errors import Unavailable
from shoal.domain.provider import Pending
from shoal.settings import SubmitJobSettings
from tests.support.api import Api, Response
from tests.support.events import event
from tests.worlds.world import Customer

SECRETS = (
    "ClientError: An error occurred (AccessDeniedException) calling dynamodb on arn:aws:table/shoal-unit"
)
BREAKING = [
    ("http_post_generate", "keys.admit"),
    ("http_post_generate", "ledger.submit"),
    ("http_post_image", "ledger.submit"),
    ("http_get_job", "keys.admit"),
    ("http_get_job", "jobs.get"),
    ("http_get_api_job", "jobs.get"),
    ("http_post_cancel", "ledger.cancel"),
    ("http_post_api_cancel", "jobs.get"),
    ("http_get_wallet", "ledger.wallet"),
    ("http_get_api_wallet", "ledger.wallet"),
    ("http_get_usage", "jobs.page"),
    ("http_get_api_usage", "jobs.page"),
    ("http_get_task", "jobs.get"),
    ("http_get_tasks", "jobs.page"),
    ("http_post_task_cancel", "ledger.cancel"),
    ("http_get_models", "keys.admit"),
    ("http_get_model", "keys.admit"),
    ("http_post_quote", "runs.seconds_expected"),
    ("http_get_usage_summary", "usage.between"),
    ("http_post_callback", "provider.parse_callback"),
    ("http_post_callback", "poll_queue.send"),
]


def sent(api: Api, customer: Customer, name: str, port: str, error: Exception) -> Response:
    """The answer to a request that would succeed if `port` did not break."""
    job = api.world.asked(api.world.processing(customer))
    api.world.provider.callback = Pending("ref-1", 0)
    api.world.network.fail(port, error)
    if name == "http_post_callback":
        callback = event(name)
        callback["pathParameters"] |= {"job": f"{job.account_id}.{job.id}.0.1", "mac": "mac-of-simulator"}
        return api.send(callback)
    return api.call(name, customer, job_id=job.id if "pathParameters" in event(name) else None)


@pytest.mark.parametrize(("name", "port"), BREAKING)
def test_an_unexpected_error_leaks_nothing(
    api: Api,
    customer: Customer,
    name: str,
    port: str,
    logs: StringIO,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer = sent(api, customer, name, port, RuntimeError(SECRETS))

    assert answer.status == 500
    assert answer.error["code"].lower() == "internal_error"
    assert answer.error["message"] == "Something went wrong on our side."
    assert set(answer.error) - {"details"} == {"code", "message", "status"}
    assert answer.error.get("details", {}) == {}
    spoken = answer.text + str(answer.headers)
    for internal in ("arn:", "aws", "dynamodb", "Client", "Error:", "Traceback", "shoal-unit", "Runtime"):
        assert internal not in spoken
    assert SECRETS in logs.getvalue()
    assert answer.headers["X-Request-Id"] in logs.getvalue()
    assert '"ApiErrors5xx":[1.0]' in capsys.readouterr().out


@pytest.mark.parametrize(("name", "port"), BREAKING)
def test_a_service_out_of_reach_is_to_be_tried_again(
    api: Api, customer: Customer, name: str, port: str
) -> None:
    answer = sent(api, customer, name, port, Unavailable(retry_after_seconds=1))

    assert (answer.status, answer.error["code"].lower()) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "1"


def test_a_function_set_up_wrongly_does_not_tell_how(
    api: Api, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHOAL_TABLE", raising=False)
    api.use_cases["submit_job"] = SubmitJobSettings.from_environment

    answer = api.call("http_post_generate", customer)

    assert answer.status == 500
    assert "SHOAL" not in answer.text
    assert "pydantic" not in answer.text


def test_a_request_is_one_log_line_with_its_ids_and_no_secrets(
    api: Api, customer: Customer, logs: StringIO
) -> None:
    answer = api.call("http_post_generate", customer)

    logged = logs.getvalue()
    assert logged.count("\n") == 1
    for known in (answer.json["job_id"], customer.account_id, customer.stored_key.id, "UiXx3hZ5DoEEJ4g="):
        assert known in logged
    assert customer.key not in logged
    assert "neon-lit" not in logged


def test_a_refusal_is_counted_and_a_success_is_not(
    api: Api, customer: Customer, capsys: pytest.CaptureFixture[str]
) -> None:
    api.call("http_get_wallet", customer)
    assert "ApiErrors" not in capsys.readouterr().out

    api.call("http_get_wallet")
    assert '"ApiErrors4xx":[1.0]' in capsys.readouterr().out


def test_the_ids_of_one_request_do_not_stick_to_the_next(
    api: Api, customer: Customer, logs: StringIO
) -> None:
    api.call("http_get_wallet", customer)
    assert customer.account_id in logs.getvalue()
    logs.truncate(0)

    api.call("http_get_health")

    assert logs.getvalue()
    assert customer.account_id not in logs.getvalue()
