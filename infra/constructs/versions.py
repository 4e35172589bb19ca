"""What was deployed together: versions of functions belong to a set, and a set is taken back as a whole."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from ..stage import Stage


def record_name(stage: Stage) -> str:
    """The parameter that holds the set deployed last; its history holds those before."""
    return f"/{stage.prefix}/versions"


class DeployedVersions(Construct):
    """A parameter of Systems Manager with the version of each function by its name, as JSON.

    It changes when all aliases have, so that a set that was not reached is never recorded. Systems Manager
    keeps the last hundred values, for nothing.
    """

    def __init__(
        self, scope: Construct, id_: str, *, stage: Stage, aliases: Mapping[str, lambda_.Alias]
    ) -> None:
        super().__init__(scope, id_)
        versions = {
            f"{stage.prefix}-{verb.replace('_', '-')}": alias.version.version
            for verb, alias in aliases.items()
        }
        record = ssm.StringParameter(
            self,
            "Record",
            parameter_name=record_name(stage),
            description="Versions of functions that were deployed together, for `make rollback`",
            string_value=Stack.of(self).to_json_string(versions),
        )
        record.node.add_dependency(*aliases.values())
