"""A code that the pool would not mail is counted, and nobody who asks is told of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from shoal.adapters.aws.cognito import CognitoIdentity
from shoal.observability import flush_metrics

EMAIL, PASSWORD = "person@example.com", "correct horse battery staple"
PERSONAL_LIMIT = "Attempt limit exceeded, please try after some time."
DAILY_LIMIT = (
    "Exceeded daily email limit for the operation or the account. If a higher limit is required, please"
    " configure your user pool to use your own Amazon SES configuration for sending email."
)
"""As Cognito words them, in reports to aws-amplify/amplify-js and rahulpsd18/cognito-backup-restore."""


class Pool:
    """A client of Cognito whose every operation is refused but for the description of its client."""

    class exceptions:  # noqa: N801 - as the client calls it
        class UsernameExistsException(Exception):
            pass

    def __init__(self, code: str, message: str) -> None:
        self._refusal = ClientError({"Error": {"Code": code, "Message": message}}, "Operation")

    def describe_user_pool_client(self, **_: object) -> dict[str, Any]:
        return {"UserPoolClient": {"ClientSecret": "secret"}}

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def refuse(**_: object) -> Any:
            raise self._refusal

        return refuse


@pytest.fixture(params=["sign_up", "send_code", "forgot"])
def ask(request: pytest.FixtureRequest) -> Callable[..., object]:
    """A form that has a code mailed, sent to a pool that refuses with this code and message."""

    def sent(code: str, message: str = "no") -> object:
        pool: Any = Pool(code, message)
        identity = CognitoIdentity(pool, pool_id="eu-west-1_1", client_id="c", signing_key=str)
        arguments = (EMAIL, PASSWORD) if request.param == "sign_up" else (EMAIL,)
        return getattr(identity, request.param)(*arguments)

    return sent


@pytest.mark.parametrize(
    ("code", "message"),
    [("LimitExceededException", DAILY_LIMIT), ("CodeDeliveryFailureException", "Unable to deliver message")],
)
def test_a_mail_that_was_refused_is_counted_and_not_told(
    ask: Callable[..., object], code: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not ask(code, message)
    flush_metrics()
    assert '"MailsRefused":[1.0]' in capsys.readouterr().out


def test_one_person_who_asks_too_often_pages_nobody(
    ask: Callable[..., object], capsys: pytest.CaptureFixture[str]
) -> None:
    assert not ask("LimitExceededException", PERSONAL_LIMIT)
    flush_metrics()
    assert "MailsRefused" not in capsys.readouterr().out


def test_who_needs_no_code_is_no_mail_that_was_refused(capsys: pytest.CaptureFixture[str]) -> None:
    pool: Any = Pool("UserNotFoundException", "User does not exist.")
    CognitoIdentity(pool, pool_id="eu-west-1_1", client_id="c", signing_key=str).forgot(EMAIL)
    flush_metrics()
    assert "MailsRefused" not in capsys.readouterr().out
