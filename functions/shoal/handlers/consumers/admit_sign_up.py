"""The user pool asks before it registers somebody: may they, and do they have to confirm their address?"""

from __future__ import annotations

from functools import partial
from typing import Any

from shoal.composition import parts
from shoal.domain.errors import ShoalError
from shoal.domain.person import may_register
from shoal.handlers.consumers.trigger import Trigger
from shoal.observability import logger
from shoal.settings import AdmitSignUpSettings


class NotAdmitted(ShoalError):
    """The pool tells the person that they cannot register."""


def admit(event: dict[str, Any], settings: AdmitSignUpSettings) -> dict[str, Any]:
    """The pool's event with the answer in it. Raises `NotAdmitted`, which the pool takes for a no."""
    email = event["request"]["userAttributes"].get("email", "")
    admitted = may_register(email, settings.sign_up_domains)
    logger.info("sign-up", extra={"domain": email.rpartition("@")[2], "admitted": admitted})
    if not admitted:
        raise NotAdmitted("This e-mail address cannot register here.")
    event["response"] |= {
        "autoConfirmUser": settings.sign_ups_confirmed,
        "autoVerifyEmail": settings.sign_ups_confirmed,
    }
    return event


handler = Trigger(partial(parts.settings_of, AdmitSignUpSettings), admit)
