"""What the file of a stage promises, as far as the doctor holds an AWS account against it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from shoal.domain.errors import ShoalError
from shoal.settings import Moderation, StageKind

STAGES = Path("stages")
"""Where a checkout has the files of its stages."""
BY_KIND: dict[StageKind, dict[str, Any]] = {
    "local": {
        "account_concurrency": 100,
        "api_rate_limit": 1000,
        "simulated_concurrency_max": 5,
        "simulator_allowed": True,
        "moderation": "off",
    },
    "dev": {
        "api_rate_limit": 50,
        "simulated_concurrency_max": 5,
        "simulator_allowed": True,
        "iam_providers": ["polly"],
    },
    "prod": {"api_rate_limit": 500, "simulated_reserved": True, "iam_providers": ["polly"]},
}
"""What a file leaves out, as the stacks take it."""


class NoPlan(ShoalError):
    """The stage's file can't be read; the message says which and why."""


class StagePlan(BaseModel):
    """Settings of `stages/<stage>.toml`; docs/reference/stage-settings.md says what each means."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    kind: StageKind
    account_concurrency: int = 1000
    api_rate_limit: int
    simulated_reserved: bool = False
    simulated_concurrency_max: int = 20
    simulator_allowed: bool = False
    iam_providers: tuple[str, ...] = ()
    sagemaker_endpoints: tuple[str, ...] = ()
    moderation: Moderation = "keywords"
    mail_identity_arn: str | None = None
    mail_from: str | None = None
    alarm_email: str | None = None
    alarm_topic_arn: str | None = None
    domain: str | None = None
    certificate_arn: str | None = None
    files_domain: str | None = None
    files_certificate_arn: str | None = None
    generated_addresses: bool | None = None

    def stack(self, part: str) -> str:
        """Name of one of the stage's three stacks."""
        return f"shoal-{self.name}-{part}"


def read_plan(file: Path) -> StagePlan:
    """The plan of the stage that is named after its file. Raises `NoPlan`."""
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
        return StagePlan.model_validate({**BY_KIND.get(said.get("kind", ""), {}), **said, "name": file.stem})
    except OSError as error:
        raise NoPlan(f"{file}: {error.strerror}: name the stage's file with --file.") from None
    except ValidationError as error:
        where = ", ".join(".".join(map(str, each["loc"])) for each in error.errors())
        raise NoPlan(f"{file} does not describe a stage: {where}.") from None
    except ValueError as error:
        raise NoPlan(f"{file}: {error}") from None
