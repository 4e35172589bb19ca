"""Who may register: what the user pool is told when it asks."""

from __future__ import annotations

from typing import Any

import pytest

from shoal.composition import jobs as bootstrap
from shoal.handlers.consumers.admit_sign_up import NotAdmitted, handler


def asked(patch: pytest.MonkeyPatch, email: str, *, domains: str = "", confirmed: str = "false") -> Any:
    patch.setenv("SHOAL_STAGE", "unit")
    patch.setenv("SHOAL_SIGN_UP_DOMAINS", domains)
    patch.setenv("SHOAL_SIGN_UPS_CONFIRMED", confirmed)
    patch.setattr(bootstrap, "settings_of", lambda model: model.from_environment())
    event = {
        "triggerSource": "PreSignUp_SignUp",
        "request": {"userAttributes": {"email": email}},
        "response": {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False},
    }
    return handler(event, None)["response"]


def test_anybody_may_register_and_has_to_confirm(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = asked(monkeypatch, "diver@example.com")
    assert answer == {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False}


def test_where_no_mail_is_sent_nobody_has_to_confirm(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = asked(monkeypatch, "diver@example.com", confirmed="true")
    assert (answer["autoConfirmUser"], answer["autoVerifyEmail"]) == (True, True)


@pytest.mark.parametrize("email", ["diver@example.com", "diver@EXAMPLE.com", "diver@example.org"])
def test_people_of_the_domains_may_register(monkeypatch: pytest.MonkeyPatch, email: str) -> None:
    assert asked(monkeypatch, email, domains="example.com,example.org")


@pytest.mark.parametrize(
    "email", ["diver@evil.test", "diver@sub.example.com", "example.com", "a@example.com.evil.test"]
)
def test_nobody_else_may(monkeypatch: pytest.MonkeyPatch, email: str) -> None:
    with pytest.raises(NotAdmitted):
        asked(monkeypatch, email, domains="example.com")
