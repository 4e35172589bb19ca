"""The Lambdas of the registry, each with a log group, an environment and a role of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aws_cdk import Duration, RemovalPolicy, Size
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from shoal.settings import environment_variable

from ..build.packages import Packages
from ..lambdas import registry
from ..lambdas.function import Function
from ..lambdas.grants import Grant, Target
from ..nag import accept, accept_wildcard
from ..stage import Stage
from .metrics import NAMESPACE
from .service_role import ServiceRole, item_conditions

RUNTIME = lambda_.Runtime.PYTHON_3_13
ARCHITECTURE = lambda_.Architecture.ARM_64
LIVE = "live"
"""The alias by which a function is called."""
TOLD_LATER = frozenset({"machine_versions"})
"""Settings whose values are made of functions: `tell` adds them."""
WILDCARDS: Mapping[Target, str] = {
    "executions": "An execution is named after its job, so its ARN isn't known beforehand.",
    "catalog_documents": "A document is named after its content.",
    "staging_objects": "An object is named after its job.",
    "file_objects": "An object is named after its file.",
    "output_images": "An object is named after its job.",
    "video_objects": "An object is named after its job.",
    "provider_secrets": "The keys of providers are set, and their secrets made, after the deployment.",
    "bedrock_models": "The catalog names the models, and it may change without a deployment of roles.",
    "bedrock_work": "Asynchronous work is named by Bedrock.",
    "polly": "Polly has no resource for speech.",
    "retry_schedules": "A schedule is named after the attempt it is for.",
}
"""Targets whose ARNs end in a wildcard, and why."""


def log_group_name(stage: Stage, function: Function) -> str:
    """Fixed, so that other stacks may name it."""
    return f"/aws/lambda/{function.name_on(stage)}"


class Functions(Construct):
    """Every function of the registry, by verb.

    `values`: what a settings field of that name holds on this stage.
    `arns`: what a grant's target stands for.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        stage: Stage,
        packages: Packages,
        values: Mapping[str, str],
        arns: Mapping[Target, tuple[str, ...]],
    ) -> None:
        super().__init__(scope, id_)
        self._stage, self._values, self._arns = stage, values, arns
        self._code = lambda_.Code.from_asset(str(packages.functions), exclude=list(packages.exclude))
        self._base = self._layer("Base", packages.base)
        self._media = self._layer("Media", packages.media)
        self._video = self._layer("Video", packages.video)
        self._voice = self._layer("Voice", packages.voice if stage.espeak else None)
        self._stripe = self._layer("Stripe", packages.stripe)
        self._web = self._layer("Web", packages.web)
        self._mcp = self._layer("Mcp", packages.mcp)
        self.aliases: dict[str, lambda_.Alias] = {}
        self.by_verb = {function.verb: self._function(function) for function in registry.functions()}

    def __getitem__(self, function: Function) -> lambda_.Function:
        return self.by_verb[function.verb]

    def tell(self, field: str, value: str) -> None:
        """Set one of the settings `TOLD_LATER`, in the environment of all functions that have it."""
        for function in registry.functions():
            if field in function.settings.model_fields:
                self[function].add_environment(environment_variable(field), value)

    def version(self, function: Function) -> lambda_.IFunction:
        """What a state machine calls: the version of this deployment, where the stage has versions."""
        return self[function].current_version if self._stage.versions else self[function]

    def live(self, function: Function) -> lambda_.IFunction:
        """What all others call: the alias that leads to one version, where the stage has versions."""
        return self.aliases.get(function.verb, self[function])

    def publish(self, functions: Iterable[Function]) -> None:
        """Give each of them the alias `live`, if the stage has versions. Their settings are told by now.

        Versions that no deployment needs any more stay, for a rollback.
        """
        if self._stage.versions:
            self.aliases = {
                function.verb: lambda_.Alias(
                    self,
                    f"{function.camel}Live",
                    alias_name=LIVE,
                    version=self[function].current_version,
                )
                for function in functions
            }

    def _layer(self, name: str, package: object) -> list[lambda_.ILayerVersion]:
        if package is None:
            return []
        return [
            lambda_.LayerVersion(
                self,
                f"{name}Layer",
                layer_version_name=f"{self._stage.prefix}-{name.lower()}",
                description=f"Third-party packages of Shoal: {name.lower()}",
                code=lambda_.Code.from_asset(str(package)),
                compatible_runtimes=[RUNTIME],
                compatible_architectures=[ARCHITECTURE],
            )
        ]

    def _layers(self, function: Function) -> list[lambda_.ILayerVersion]:
        return [
            *self._base,
            *(self._media if function.media else []),
            *(self._video if function.video else []),
            *(self._voice if function.voice else []),
            *(self._stripe if function.stripe else []),
            *(self._web if function.web else []),
            *(self._mcp if function.mcp else []),
        ]

    def _function(self, function: Function) -> lambda_.Function:
        name = function.name_on(self._stage)
        log_group = logs.LogGroup(
            self,
            f"{function.camel}Log",
            log_group_name=log_group_name(self._stage, function),
            retention=self._stage.log_retention,
            removal_policy=self._stage.removal_policy,
        )
        built = lambda_.Function(
            self,
            function.camel,
            function_name=name,
            description=f"Shoal {function.group}: {function.verb.replace('_', ' ')}",
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            handler=function.handler,
            code=self._code,
            layers=self._layers(function),
            memory_size=function.memory_mb,
            ephemeral_storage_size=Size.mebibytes(function.disk_mb),
            timeout=Duration.seconds(function.timeout_seconds),
            environment=self._environment(function),
            role=self._role(function, log_group).sealed,
            log_group=log_group,
            reserved_concurrent_executions=self._reserved(function),
            recursive_loop=lambda_.RecursiveLoop.ALLOW if function.loop_ends else None,
            tracing=lambda_.Tracing.ACTIVE if self._stage.tracing else lambda_.Tracing.DISABLED,
            current_version_options=lambda_.VersionOptions(removal_policy=RemovalPolicy.RETAIN),
        )
        accept(built, "AwsSolutions-L1", because="The layers and the bytecode are built for Python 3.13.")
        return built

    def _reserved(self, function: Function) -> int | None:
        """What of the account's concurrency the function has for itself, and no more than that."""
        stage = self._stage
        return stage.simulated_concurrency_max if function.simulates and stage.simulated_reserved else None

    def _environment(self, function: Function) -> dict[str, str]:
        fields = function.settings.model_fields.keys() - TOLD_LATER
        if unknown := fields - self._values.keys():
            raise ValueError(
                f"{function.settings.__name__} asks for {sorted(unknown)}: the stack has no such value"
            )
        return {environment_variable(field): self._values[field] for field in sorted(fields)} | {
            "POWERTOOLS_SERVICE_NAME": self._stage.prefix,
            "POWERTOOLS_METRICS_NAMESPACE": NAMESPACE,
            "POWERTOOLS_LOG_LEVEL": "INFO",
        }

    def _role(self, function: Function, log_group: logs.LogGroup) -> ServiceRole:
        statements = [
            iam.PolicyStatement(
                actions=list(grant.actions),
                resources=list(self._arns[grant.target]),
                conditions=_conditions(grant),
            )
            for grant in function.grants
            if self._arns[grant.target]
        ]
        write_logs = iam.PolicyStatement(
            actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
        )
        role = ServiceRole(
            self,
            f"{function.camel}Role",
            stage=self._stage,
            service="lambda.amazonaws.com",
            statements=[*statements, write_logs],
        )
        for grant in function.grants:
            if grant.target in WILDCARDS:
                for arn in (arn for arn in self._arns[grant.target] if "*" in arn):
                    accept_wildcard(role, arn, because=WILDCARDS[grant.target])
        return role


def _conditions(grant: Grant) -> dict[str, dict[str, list[str] | str]] | None:
    if grant.passed_to:
        return {"StringEquals": {"iam:PassedToService": grant.passed_to}}
    return item_conditions(grant.leading_keys, grant.attributes)
