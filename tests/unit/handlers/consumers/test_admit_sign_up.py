"""Who may register: what the user pool is told when it asks."""

from __future__ import annotations

from typing import Any

import pytest

from shoal.handlers.consumers.admit_sign_up import NotAdmitted
from shoal.settings import AdmitSignUpSettings
from tests.support.handlers import given


def asked(email: str, *, domains: str = "", confirmed: str = "false") -> Any:
    stage = {"stage": "unit", "sign_up_domains": domains, "sign_ups_confirmed": confirmed}
    event = {
        "triggerSource": "PreSignUp_SignUp",
        "request": {"userAttributes": {"email": email}},
        "response": {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False},
    }
    admit_sign_up = given("admit_sign_up", AdmitSignUpSettings.model_validate(stage))
    return admit_sign_up(event, None)["response"]


def test_anybody_may_register_and_has_to_confirm() -> None:
    answer = asked("diver@example.com")
    assert answer == {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False}


def test_where_no_mail_is_sent_nobody_has_to_confirm() -> None:
    answer = asked("diver@example.com", confirmed="true")
    assert (answer["autoConfirmUser"], answer["autoVerifyEmail"]) == (True, True)


@pytest.mark.parametrize("email", ["diver@example.com", "diver@EXAMPLE.com", "diver@example.org"])
def test_people_of_the_domains_may_register(email: str) -> None:
    assert asked(email, domains="example.com,example.org")


@pytest.mark.parametrize(
    "email", ["diver@evil.test", "diver@sub.example.com", "example.com", "a@example.com.evil.test"]
)
def test_nobody_else_may(email: str) -> None:
    with pytest.raises(NotAdmitted):
        asked(email, domains="example.com")
