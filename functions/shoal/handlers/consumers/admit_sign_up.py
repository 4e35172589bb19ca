"""The user pool asks before it registers somebody: may they, and do they have to confirm their address?"""

from __future__ import annotations

from typing import Any

from shoal.composition import jobs as bootstrap
from shoal.domain.person import may_register
from shoal.observability import logger
from shoal.settings import AdmitSignUpSettings


class NotAdmitted(Exception):
    """The pool tells the person that they cannot register."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The pool's event with the answer in it. Raises `NotAdmitted`, which the pool takes for a no."""
    settings = bootstrap.settings_of(AdmitSignUpSettings)
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
