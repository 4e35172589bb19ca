"""What a stage does: API, functions, queues, workflows. It composes; decisions are in the constructs, the
registry and the stage.
"""

from __future__ import annotations

from aws_cdk import ArnFormat, CfnOutput, Duration, Environment, Fn
from aws_cdk import aws_iam as iam
from constructs import Construct

from shoal.domain.delivery import ORDERS_AT_ONCE_MAX
from shoal.domain.files.file import FOLDER as FILES_FOLDER
from shoal.domain.video import FOLDER
from shoal.domain.webhook import EVENT_TYPES

from ..build.packages import Packages
from ..constructs.api import Api
from ..constructs.canary import Canaries
from ..constructs.domain import CLOUDFRONT_ZONE, lead
from ..constructs.event_schemas import EventSchemas
from ..constructs.functions import Functions
from ..constructs.guard import Guard, front_token
from ..constructs.queues import Queues
from ..constructs.schedules import Schedules
from ..constructs.secret import stripe_secret_arn
from ..constructs.storage import FAILED_JOBS, OPEN_JOBS
from ..constructs.versions import DeployedVersions
from ..constructs.webhooks import RetrySchedules
from ..constructs.workflow import GENERATE, MACHINES, Workflows, machine_name
from ..lambdas import dashboard as web_registry
from ..lambdas import registry
from ..lambdas import webhooks as webhook_registry
from ..lambdas.grants import Target
from ..stage import Stage
from ..upstreams import provider_arns, provider_values
from .stage_stack import StageStack
from .state import StateStack

CLOSE_CONCURRENCY_MAX = 2
"""The least that Lambda takes; failed executions are few and nobody waits for them."""


class ServiceStack(StageStack):
    """Stack `shoal-<stage>-service`, the same on every stage but for what `Stage` says."""

    def __init__(
        self,
        scope: Construct,
        *,
        stage: Stage,
        state: StateStack,
        packages: Packages,
        env: Environment | None,
    ) -> None:
        description = "an asynchronous generation API"
        super().__init__(scope, "service", stage=stage, env=env, description=description)
        self.state = state
        if stage.event_schemas:
            schemas = EventSchemas(self, "EventSchemas", stage=stage)
            CfnOutput(self, "SchemaRegistryArn", value=schemas.registry.attr_registry_arn)
        self.queues = Queues(self, "Queues")
        self.retry_schedules = RetrySchedules(
            self,
            "RetrySchedules",
            stage=stage,
            retries=self.queues.retries,
            dead_letters=self.queues.async_failures,
        )
        self.api = Api(self, "Api", stage=stage)
        self.front_url = self._front(stage)
        files = stage.files_domain or state.storage.cdn.distribution_domain_name
        self.public_url = stage.local_url or f"https://{files}"
        self.functions = Functions(
            self,
            "Functions",
            stage=stage,
            packages=packages,
            values=self._values(stage),
            arns=self._arns(stage),
        )
        workflows = Workflows(
            self,
            "Workflow",
            stage=stage,
            tasks={function.camel: self.functions.version(function) for function in registry.WORKFLOW},
            table=state.storage.table,
            bus=state.bus,
        )
        self.machines = workflows.by_name
        self.functions.tell("machine_versions", ",".join(workflows.versions))
        self._publish(stage)
        self._connect(stage)
        self._outputs(stage)

    def _front(self, stage: Stage) -> str:
        """Root of the API as callers are told it: that of the firewall, where there is one before it."""
        domain, limit = self.api.domain, stage.waf_requests_max
        target, zone = (domain.target, domain.zone) if domain else ("", "")
        url = self.api.url
        if limit is not None:
            origin = target or Fn.select(2, Fn.split("/", self.api.http_api.api_endpoint))
            guard = Guard(self, "Guard", stage=stage, origin=origin, requests_max=limit)
            target, zone = guard.distribution.distribution_domain_name, CLOUDFRONT_ZONE
            url = self.api.url if domain else f"https://{target}"
            CfnOutput(self, "GuardedUrl", value=url)
        if stage.domain is not None:
            lead(self, "Api", stage=stage, name=stage.domain, target=target, zone=zone)
        return url

    def _publish(self, stage: Stage) -> None:
        """Versions of this deployment behind the aliases, which move one after the other.

        The sweeper's is first: an old one may take what newer functions leave waiting for a stuck job. The
        user pool calls its function by a name that is there before any version is.
        """
        consumers = [each for each in registry.CONSUMERS if each is not web_registry.ADMIT_SIGN_UP]
        self.functions.publish((*registry.HTTP, *consumers))
        sweeper = self.functions[registry.SWEEP_JOBS]
        for function in registry.HTTP:
            self.functions[function].node.add_dependency(sweeper.node.default_child)
        if stage.versions:
            aliases = self.functions.aliases
            callers = {function.verb: aliases[function.verb] for function in registry.HTTP}
            for alias in callers.values():
                alias.node.add_dependency(aliases[registry.SWEEP_JOBS.verb])
            if stage.canary != "off":
                Canaries(self, "Canaries", stage=stage, aliases=callers)
            DeployedVersions(self, "DeployedVersions", stage=stage, aliases=aliases)

    def _connect(self, stage: Stage) -> None:
        """Tie each function to what calls it."""
        for function in registry.HTTP:
            self.api.route(function.camel, self.functions.live(function), keys=function.routes)
        schedules = Schedules(self, "Schedules", dead_letters=self.queues.async_failures)
        schedules.every("Sweep", self.functions.live(registry.SWEEP_JOBS), interval=Duration.minutes(1))
        schedules.every("Audit", self.functions.live(registry.AUDIT_LEDGER), interval=Duration.hours(1))
        schedules.on_unsuccessful_execution(self.machines.values(), self.queues.closed_executions)
        for name, function, queue, concurrency_max in (
            ("Poll", registry.POLL_PROVIDER, self.queues.poll, stage.poll_concurrency_max),
            (
                "SimulatedPoll",
                registry.POLL_SIMULATED,
                self.queues.simulated_poll,
                stage.simulated_concurrency_max,
            ),
        ):
            schedules.consume(
                name,
                self.functions.live(function),
                queue=queue,
                concurrency_max=concurrency_max,
                # A look may take as long as its function runs: others must not wait behind it.
                batch_size=1,
            )
        schedules.consume(
            "Close",
            self.functions.live(registry.CLOSE_EXECUTION),
            queue=self.queues.closed_executions,
            concurrency_max=CLOSE_CONCURRENCY_MAX,
        )
        self._connect_webhooks(stage, schedules)
        self.functions[web_registry.ADMIT_SIGN_UP].add_permission(
            "UserPool",
            principal=iam.ServicePrincipal("cognito-idp.amazonaws.com"),
            source_arn=self.state.identity.pool.user_pool_arn,
        )

    def _connect_webhooks(self, stage: Stage, schedules: Schedules) -> None:
        """Bus, events, deliveries and retries: each queue before its function."""
        schedules.on_event(self.state.bus, EVENT_TYPES, self.queues.webhook_events)
        for name, function, queue in (
            ("WebhookEvents", webhook_registry.FAN_OUT_EVENT, self.queues.webhook_events),
            ("Deliveries", webhook_registry.DELIVER_WEBHOOK, self.queues.deliveries),
            ("Retries", webhook_registry.RETRY_WEBHOOK, self.queues.retries),
        ):
            schedules.consume(
                name,
                self.functions.live(function),
                queue=queue,
                concurrency_max=stage.delivery_concurrency_max,
                batch_size=ORDERS_AT_ONCE_MAX,
            )

    def _values(self, stage: Stage) -> dict[str, str]:
        """What each settings field holds on this stage."""
        return {
            "stage": stage.name,
            "stage_kind": stage.kind,
            "table": self.state.storage.table.table_name,
            "event_bus": self.state.bus.event_bus_name,
            "state_machine_arn": self._states_arn("stateMachine", machine_name(stage, GENERATE)),
            "provider_deadline_s": str(stage.provider_deadline_s),
            "clip_deadline_s": str(stage.clip_deadline_s),
            "public_url": self.public_url,
            "api_url": self.front_url,
            "callbacks_url": self.api.url,
            "poll_queue_url": self.queues.poll.queue_url,
            "simulated_poll_queue_url": self.queues.simulated_poll.queue_url,
            "callback_secret_arn": self.state.secret.secret_arn,
            "catalog_bucket": self.state.storage.catalog.bucket_name,
            "staging_bucket": self.state.storage.staging.bucket_name,
            "outputs_bucket": self.state.storage.outputs.bucket_name,
            "videos_bucket": self.state.storage.videos.bucket_name,
            "signed_url_s": str(stage.signed_url_s),
            "retention_days": str(stage.retention_days or 0),
            "webhook_key_arn": self.state.webhook_key.key_arn,
            "webhook_events_queue_url": self.queues.webhook_events.queue_url,
            "deliveries_queue_url": self.queues.deliveries.queue_url,
            "retries_queue_url": self.queues.retries.queue_url,
            "async_failures_queue_arn": self.queues.async_failures.queue_arn,
            "retry_schedule_group": self.retry_schedules.group,
            "retry_schedule_role_arn": self.retry_schedules.role.role_arn,
            **_limits(stage),
            **provider_values(stage),
            "webhook_retry_s": ",".join(map(str, stage.webhook_retry_s)),
            "front_token": front_token(self) if stage.waf_requests_max else "",
            "grant_cap_usd": str(stage.grant_cap_usd or 0),
            "grant_cap_credits": str(stage.grant_cap_credits or 0),
            "stripe_url": stage.stripe_url,
            "loopback_allowed": str(stage.loopback_allowed).lower(),
            "cors_origins": ",".join(stage.cors_origins),
            "user_pool_id": self.state.identity.pool.user_pool_id,
            "user_pool_client_id": self.state.identity.client.user_pool_client_id,
            "operators_second_factor": str(stage.operators_second_factor).lower(),
            "sign_up_domains": ",".join(stage.sign_up_domains),
            "sign_ups_confirmed": str(stage.sign_ups_confirmed).lower(),
        }

    def _arns(self, stage: Stage) -> dict[Target, tuple[str, ...]]:
        """What each target of a grant stands for."""
        machines = [machine_name(stage, name) for name in MACHINES]
        return {
            "table": (self.state.storage.table.table_arn,),
            "open_jobs": (f"{self.state.storage.table.table_arn}/index/{OPEN_JOBS}",),
            "failed_jobs": (f"{self.state.storage.table.table_arn}/index/{FAILED_JOBS}",),
            "machines": tuple(self._states_arn("stateMachine", name) for name in machines),
            "executions": tuple(self._states_arn("execution", f"{name}:*") for name in machines),
            "bus": (self.state.bus.event_bus_arn,),
            "catalog_documents": (self.state.storage.catalog.arn_for_objects("catalog/*"),),
            "staging_bucket": (self.state.storage.staging.bucket_arn,),
            "staging_objects": (self.state.storage.staging.arn_for_objects("*"),),
            "file_objects": (self.state.storage.staging.arn_for_objects(f"{FILES_FOLDER}*"),),
            "output_images": (self.state.storage.outputs.arn_for_objects("images/*"),),
            "outputs_bucket": (self.state.storage.outputs.bucket_arn,),
            "videos_bucket": (self.state.storage.videos.bucket_arn,),
            "video_objects": (self.state.storage.videos.arn_for_objects(f"{FOLDER}*"),),
            "poll_queue": (self.queues.poll.queue_arn,),
            "simulated_poll_queue": (self.queues.simulated_poll.queue_arn,),
            "poll_queues": (self.queues.poll.queue_arn, self.queues.simulated_poll.queue_arn),
            "closed_executions_queue": (self.queues.closed_executions.queue_arn,),
            "async_failures_queue": (self.queues.async_failures.queue_arn,),
            "callback_secret": (self.state.secret.secret_arn,),
            "stripe_secret": (stripe_secret_arn(self, stage),),
            **provider_arns(self, stage),
            "webhook_key": (self.state.webhook_key.key_arn,),
            "webhook_events_queue": (self.queues.webhook_events.queue_arn,),
            "deliveries_queue": (self.queues.deliveries.queue_arn,),
            "retries_queue": (self.queues.retries.queue_arn,),
            "retry_schedules": (self.retry_schedules.schedules_arn,),
            "retry_schedule_role": (self.retry_schedules.role.role_arn,),
            "user_pool": (self.state.identity.pool.user_pool_arn,),
        }

    def _states_arn(self, resource: str, name: str) -> str:
        """By name, not by reference: the functions are told of the machine that is built from them."""
        return self.format_arn(
            service="states", resource=resource, resource_name=name, arn_format=ArnFormat.COLON_RESOURCE_NAME
        )

    def _outputs(self, stage: Stage) -> None:
        """What the operator's command and the local scripts look up."""
        values = provider_values(stage)
        outputs = {
            "StageKind": stage.kind,
            "ApiUrl": self.api.url,
            "EventBusName": self.state.bus.event_bus_name,
            "EventBusArn": self.state.bus.event_bus_arn,
            "TableName": self.state.storage.table.table_name,
            "OutputsBucketName": self.state.storage.outputs.bucket_name,
            "CatalogBucketName": self.state.storage.catalog.bucket_name,
            "StagingBucketName": self.state.storage.staging.bucket_name,
            "VideosBucketName": self.state.storage.videos.bucket_name,
            "SignedUrlSeconds": str(stage.signed_url_s),
            "StateMachineArn": self.machines[GENERATE].state_machine_arn,
            "PollQueueUrl": self.queues.poll.queue_url,
            "SimulatedPollQueueUrl": self.queues.simulated_poll.queue_url,
            "CallbackSecretArn": self.state.secret.secret_arn,
            "PublicUrl": self.public_url,
            "StripeUrl": stage.stripe_url,
            "GrantCapUsd": str(stage.grant_cap_usd or 0),
            "GrantCapCredits": str(stage.grant_cap_credits or 0),
            "KeylessProviders": values["keyless_providers"],
            "ProviderBaseUrls": values["provider_base_urls"],
            "DashboardUrl": f"{self.api.url}/dashboard",
            "UserPoolId": self.state.identity.pool.user_pool_id,
        }
        if stage.key_arn is not None:
            outputs["KeyArn"] = stage.key_arn
        for key, value in outputs.items():
            CfnOutput(self, key, value=value)


def _limits(stage: Stage) -> dict[str, str]:
    """What an account, or an address, may do at most."""
    return {
        "files_mb_max": str(stage.files_mb_max),
        "fetched_mb_max": str(stage.fetched_mb_max),
        "open_requests_max": str(stage.open_requests_max),
        "open_jobs_max": str(stage.open_jobs_max),
        "failures_multiple": str(stage.failures_multiple),
        "keys_max": str(stage.keys_max),
        "webhooks_max": str(stage.webhooks_max),
        "unpaid_sends_max": str(stage.unpaid_sends_max),
    }
