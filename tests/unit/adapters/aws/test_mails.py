"""A code that the pool would not mail is counted, and nobody who asks is told of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from shoal.adapters.aws.cognito import CognitoIdentity
from shoal.observability import flush_metrics

EMAIL, PASSWORD = "person@example.com", "correct horse battery staple"


class Pool:
    """A client of Cognito whose every operation is refused but for the description of its client."""

    class exceptions:  # noqa: N801 - as the client calls it
        class UsernameExistsException(Exception):
            pass

    def __init__(self, code: str) -> None:
        self._refusal = ClientError({"Error": {"Code": code, "Message": "no"}}, "Operation")

    def describe_user_pool_client(self, **_: object) -> dict[str, Any]:
        return {"UserPoolClient": {"ClientSecret": "secret"}}

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def refuse(**_: object) -> Any:
            raise self._refusal

        return refuse


@pytest.fixture(params=["sign_up", "send_code", "forgot"])
def ask(request: pytest.FixtureRequest) -> Callable[[str], object]:
    """A form that has a code mailed, sent to a pool that refuses with this code."""

    def sent(code: str) -> object:
        pool: Any = Pool(code)
        identity = CognitoIdentity(pool, pool_id="eu-west-1_1", client_id="c", signing_key=str)
        arguments = (EMAIL, PASSWORD) if request.param == "sign_up" else (EMAIL,)
        return getattr(identity, request.param)(*arguments)

    return sent


@pytest.mark.parametrize("code", ["LimitExceededException", "CodeDeliveryFailureException"])
def test_a_mail_that_was_refused_is_counted_and_not_told(
    ask: Callable[[str], object], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not ask(code)
    flush_metrics()
    assert '"MailsRefused":[1.0]' in capsys.readouterr().out


def test_who_needs_no_code_is_no_mail_that_was_refused(capsys: pytest.CaptureFixture[str]) -> None:
    pool: Any = Pool("UserNotFoundException")
    CognitoIdentity(pool, pool_id="eu-west-1_1", client_id="c", signing_key=str).forgot(EMAIL)
    flush_metrics()
    assert "MailsRefused" not in capsys.readouterr().out
