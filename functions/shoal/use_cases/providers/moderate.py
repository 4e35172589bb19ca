"""Moderate: have a request's words judged before money is held."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shoal.domain.brief import Brief
from shoal.domain.errors import (
    REFUSED_BY_MODERATION,
    JobError,
    ProviderBusy,
    ProviderUnusable,
    Unavailable,
    ValidationFailed,
)
from shoal.domain.submission import Submission
from shoal.ports.moderation import Moderator

logger = logging.getLogger(__name__)

RETRY_S = 10
NO_VERDICT = (ProviderBusy, ProviderUnusable, JobError, Unavailable)


@dataclass(frozen=True, slots=True)
class Moderate:
    """`moderator` is None where a stage moderates nothing.

    `name` is what is written on the job. `fail_open`: without a verdict the request is let through.
    `cost_micros` is what a verdict on a request costs at most, in micro-dollars.
    """

    moderator: Moderator | None
    name: str = "off"
    fail_open: bool = False
    cost_micros: int = 0

    @property
    def reaches_out(self) -> bool:
        """Whether somebody outside of this process is asked, which takes time and may cost."""
        return self.moderator is not None and self.name != "keywords"

    def __call__(self, submission: Submission) -> str | None:
        """What is recorded: who judged it, and how; None where nobody does.

        Raises `ValidationFailed` for what is refused, `Unavailable` where there is no verdict.
        """
        if self.moderator is None:
            return None
        said = _said(submission.brief)
        try:
            verdict = self.moderator.check("\n".join(said.values()))
        except NO_VERDICT as error:
            logger.warning("no verdict", extra={"moderator": self.name, "reason": str(error)})
            if self.fail_open:
                return f"{self.name}: no verdict"
            raise Unavailable(retry_after_seconds=RETRY_S) from error
        if verdict.flagged:
            logger.info("request flagged", extra={"moderator": self.name, "categories": verdict.categories})
            raise ValidationFailed(
                REFUSED_BY_MODERATION,
                details={
                    "fields": [
                        {"field": name, "message": "refused by content moderation"}
                        for name in _at_fault(self.moderator, said)
                    ],
                    "moderation": {"categories": list(verdict.categories)},
                },
            )
        return f"{self.name}: passed"


def _said(brief: Brief) -> dict[str, str]:
    """The caller's own words, by field. A negative prompt names what is not wanted: no offence."""
    if brief.video is None:
        texts = {name: value for name, value in brief.fields.items() if isinstance(value, str)}
        return texts if brief.prompt in texts.values() else {"prompt": brief.prompt, **texts}
    return {"idea": brief.prompt} | ({"style": brief.video.style} if brief.video.style else {})


def _at_fault(moderator: Moderator, said: Mapping[str, str]) -> Sequence[str]:
    """The fields that are refused by themselves; all where none is, or where nobody tells."""
    if len(said) == 1:
        return [*said]
    try:
        flagged = [name for name, text in said.items() if moderator.check(text).flagged]
    except NO_VERDICT as error:
        logger.warning("no verdict on each field", extra={"reason": str(error)})
        return [*said]
    return flagged or [*said]
