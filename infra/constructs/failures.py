"""What functions did not expect, counted in their logs: their `Errors` count what callers did wrong, too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from constructs import Construct

from ..lambdas.function import Function, Group
from ..stage import Stage
from .functions import log_group_name
from .metrics import NAMESPACE, PERIOD

UNEXPECTED = '"level":"ERROR"'
"""In the line that a function logs of an error that Shoal did not raise on purpose. Text that a caller wrote
can't hold it: the log escapes quotes."""
CRASHES = (
    "Task timed out",
    "Runtime.ExitError",
    "Runtime.OutOfMemory",
    "Runtime.ImportModuleError",
    "Runtime.HandlerNotFound",
    "Runtime.UserCodeSyntaxError",
    "Runtime.Unknown",
)
"""What Lambda logs where the function itself can't (Lambda Developer Guide, "Troubleshoot ... in Lambda")."""


class Failures(Construct):
    """A metric for each group of functions, fed by a filter on each function's log. Filters cost nothing."""

    def __init__(self, scope: Construct, id_: str, *, stage: Stage, functions: Iterable[Function]) -> None:
        super().__init__(scope, id_)
        self._namespace = f"{NAMESPACE}/{stage.name}"
        for function in functions:
            logs.CfnMetricFilter(
                self,
                function.camel,
                log_group_name=log_group_name(stage, function),
                filter_pattern=logs.FilterPattern.any_term(UNEXPECTED, *CRASHES).log_pattern_string,
                metric_transformations=[
                    logs.CfnMetricFilter.MetricTransformationProperty(
                        metric_namespace=self._namespace, metric_name=_name(function.group), metric_value="1"
                    )
                ],
            )

    @property
    def by_group(self) -> dict[Group, cloudwatch.Metric]:
        """The sum of unexpected failures for each group."""
        return {
            group: cloudwatch.Metric(
                namespace=self._namespace, metric_name=_name(group), statistic="Sum", period=PERIOD
            )
            for group in get_args(Group)
        }


def _name(group: Group) -> str:
    """The stage is in the namespace: what a text filter finds has no dimensions."""
    return f"{group.capitalize()}Failures"
