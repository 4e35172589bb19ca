"""What wakes somebody up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aws_cdk import Duration
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from shoal.use_cases.providers.resolve_answer import POLL_SECONDS_MAX

from ..lambdas.function import Function
from ..stage import Stage
from .alarms import Alarms, Missing
from .dashboard import Dashboard
from .failures import Failures
from .metrics import PERIOD, OwnMetrics, function_metric
from .queues import Queues
from .storage import FAILED_JOBS, OPEN_JOBS

SERVER_ERRORS_MAX = 5
"""A few 503s in a burst are answered by the clients' retries; more in five minutes are an outage."""
PROVIDER_FAILURE_RATE_MAX = 0.2
WEBHOOK_FAILURE_RATE_MAX = 0.5
UNDELIVERED_SECONDS_MAX = 300
"""First attempts follow an event within seconds."""
RETRY_DELAY_SECONDS_MAX = 900
"""The longest an order waits in the queue of retries because it is planned for later."""
CONCURRENCY_SHARE_MAX = 0.8
THROTTLED_REQUESTS_MAX = 10
"""The clients try again; ten in five minutes are not one burst any more."""
THROTTLED_TRANSITIONS_MAX = 100
CONFLICTS_MAX = 300
"""One a second for five minutes: each costs its request a pause and another transaction."""
REFUSED_MAILS_MAX = 3
"""In an hour: a mailer may fail once or twice. Who asks too often for codes is not counted."""
BUSIEST = ("submit_job", "read_job", "call_provider", "settle_wallet", "poll_provider", "deliver_webhook")
"""Functions share what concurrency the account has: where there is none, one of these misses it. Throttles of
all functions together would count those of simulated work, which are planned."""
AUDIT_HOURS_MAX = 3
"""A run an hour goes on where the last one ended: three runs have time for a round of all accounts."""


class Monitoring(Construct):
    """Alarms on what a customer would notice or an account would lose, and one dashboard.

    What a caller did wrong, and what a provider refused, rings nothing. No alarm uses metric math: each reads
    one metric, so that it deploys everywhere and explains itself.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        stage: Stage,
        http_api: apigatewayv2.HttpApi,
        machines: Mapping[str, stepfunctions.StateMachine],
        functions: Iterable[Function],
        queues: Queues,
        table: dynamodb.Table,
    ) -> None:
        super().__init__(scope, id_)
        functions = list(functions)
        self._own = OwnMetrics(service=stage.prefix)
        self._alarms = Alarms(self, stage)
        self._failures = Failures(self, "Failures", stage=stage, functions=functions).by_group
        self._alarm_on_requests(http_api)
        self._alarm_on_jobs()
        self._alarm_on_providers()
        self._alarm_on_webhooks()
        for name, machine in machines.items():
            self._alarm_on_executions(name, machine)
        self._alarm_on_queues(queues)
        self._alarm_on_functions(stage, functions)
        self._alarm_on_table(table)
        Dashboard(
            self,
            "Dashboard",
            stage=stage,
            own=self._own,
            http_api=http_api,
            machines=machines,
            queues=queues,
            functions=functions,
            failures=self._failures.values(),
        )

    def _alarm_on_requests(self, http_api: apigatewayv2.HttpApi) -> None:
        self._alarms.add(
            "ApiServerErrors",
            http_api.metric_server_error(period=PERIOD, statistic="Sum"),
            "The API answers requests with 5xx.",
            first="look for `unexpected error` and `Unavailable` in the logs of the functions of group http.",
            at_least=SERVER_ERRORS_MAX,
        )
        self._alarms.add(
            "MailsRefused",
            self._own.total("MailsRefused", period=Duration.hours(1)),
            "The user pool sends no codes: people can neither register nor get a new password.",
            first="compare the mails of the day with the quota of SES, or of the pool if it has no SES.",
            at_least=REFUSED_MAILS_MAX,
        )

    def _alarm_on_jobs(self) -> None:
        self._alarms.add(
            "StuckJobs",
            self._own.total("StuckJobs", statistic="Minimum"),
            "Each sweep finds jobs it should have closed before, or there are no sweeps at all.",
            first="read the log of sweep-jobs, then run `shoal jobs retry-stuck`.",
            periods=2,
            missing=Missing.BREACHING,
        )
        self._alarm_on_audit()
        self._alarm_on_catalog()

    def _alarm_on_catalog(self) -> None:
        self._alarms.add(
            "CatalogUnusable",
            self._own.total("CatalogUnusable"),
            "A published catalog cannot be read: functions go by the one before.",
            first="run `shoal catalog status`, then `shoal catalog rollback` or publish again.",
        )

    def _alarm_on_audit(self) -> None:
        self._alarms.add(
            "LedgerDiscrepancies",
            self._own.total("LedgerDiscrepancies", statistic="Maximum", period=Duration.hours(1)),
            "A wallet differs from its ledger, or a hold from its job.",
            first="run `shoal audit`, which names wallet and amounts.",
        )
        self._alarms.add_silence(
            "AuditMissing",
            self._own.total("AuditsEnded", period=Duration.hours(AUDIT_HOURS_MAX)),
            f"No audit got round all accounts for {AUDIT_HOURS_MAX} hours: some wallets are compared with no"
            " ledger.",
            first="read the log of audit-ledger: are there runs, and how far do they get? Run `shoal audit`.",
        )
        self._alarms.add(
            "AccountsNotAudited",
            self._own.total("AccountsNotAudited", statistic="Maximum", period=Duration.hours(2)),
            "An account was too large for an audit, or never stood still.",
            first="read the log of audit-ledger, which names it; run `shoal audit`.",
        )

    def _alarm_on_providers(self) -> None:
        # Each call of a provider emits 0 or 1 here, so the average is the failure rate.
        self._alarms.add(
            "ProviderFailureRate",
            self._own.total("ProviderFailures", statistic="Average"),
            "Providers fail too often.",
            first="see on the dashboard which route fails; `shoal providers status` tells its breaker.",
            at_least=PROVIDER_FAILURE_RATE_MAX,
            periods=3,
        )
        self._alarms.add(
            "ProviderUnusable",
            self._own.total("ProviderUnusable"),
            "A provider turned us away for a bad key, an empty account or an unknown model.",
            first="`shoal providers status` tells why its route is left alone.",
        )

    def _alarm_on_webhooks(self) -> None:
        """Endpoints fail all the time; most of them at once is our own failure."""
        self._alarms.add(
            "WebhookFailureRate",
            self._own.total("WebhookFailures", statistic="Average"),
            "Most attempts at deliveries fail.",
            first="is it one account's endpoints, or the way out? The log of deliver-webhook has both.",
            at_least=WEBHOOK_FAILURE_RATE_MAX,
            periods=3,
        )
        self._alarms.add(
            "WebhooksDisabled",
            self._own.total("WebhooksDisabled"),
            "A webhook was disabled: its account misses events until somebody enables it.",
            first="tell the account; it sees every attempt under `GET …/deliveries`.",
        )

    def _alarm_on_executions(self, name: str, machine: stepfunctions.StateMachine) -> None:
        """A job that fails ends its execution well; one that ends otherwise was left to the sweeper."""
        id_ = "".join(word.capitalize() for word in name.split("-"))
        self._alarms.add(
            f"{id_}ExecutionsFailed",
            machine.metric_failed(period=PERIOD),
            "Executions failed: their jobs wait for a sweep.",
            first="open a failed execution: the state before `LeftToTheSweeper` has the error.",
        )
        self._alarms.add(
            f"{id_}ExecutionsTimedOut",
            machine.metric_timed_out(period=PERIOD),
            "Executions timed out: their jobs wait for a sweep.",
            first="open one of them: which state did it wait in?",
        )
        self._alarms.add(
            f"{id_}ExecutionsThrottled",
            machine.metric_throttled(period=PERIOD),
            "Executions wait for their next state: the account has no more transitions a second.",
            first="ask for a higher quota of state transitions, and see which account sends so many jobs.",
            at_least=THROTTLED_TRANSITIONS_MAX,
            periods=3,
        )

    def _alarm_on_queues(self, queues: Queues) -> None:
        """Not on the age of simulated polls: play money fills that queue for nothing, and would page."""
        for name, queue, planned_s in (
            ("Poll", queues.poll, POLL_SECONDS_MAX),
            ("ClosedExecutions", queues.closed_executions, 0),
            ("WebhookEvents", queues.webhook_events, 0),
            ("Deliveries", queues.deliveries, 0),
            ("Retries", queues.retries, RETRY_DELAY_SECONDS_MAX),
        ):
            self._alarms.add(
                f"{name}Waiting",
                queue.metric_approximate_age_of_oldest_message(period=PERIOD, statistic="Maximum"),
                "The oldest message of this queue waits longer than planned.",
                first="is its function throttled, does it fail, or is its concurrency too small?",
                at_least=planned_s + UNDELIVERED_SECONDS_MAX,
            )
        for name, letters in queues.dead_letters.items():
            self._alarms.add(
                f"{name}DeadLetters",
                letters.metric_approximate_number_of_messages_visible(period=PERIOD, statistic="Maximum"),
                "A message was not handled.",
                first="read it, remove the cause, redrive the queue.",
            )

    def _alarm_on_functions(self, stage: Stage, functions: Iterable[Function]) -> None:
        for group, failures in self._failures.items():
            self._alarms.add(
                f"{group.capitalize()}Failures",
                failures,
                f"A function of group {group} met what it does not expect, or was stopped by Lambda.",
                first="the dashboard names the function; its log has the traceback, or the crash.",
            )
        for function in functions:
            if function.verb in BUSIEST:
                self._alarms.add(
                    f"{function.camel}Throttles",
                    function_metric("Throttles", function.name_on(stage)),
                    "The account has no concurrency left for this function, nor for others that share it.",
                    first="see on the dashboard what runs so much; ask for a higher quota.",
                    at_least=THROTTLED_REQUESTS_MAX,
                )
        self._alarms.add(
            "AccountConcurrency",
            cloudwatch.Metric(
                namespace="AWS/Lambda",
                metric_name="ClaimedAccountConcurrency",
                statistic="Maximum",
                period=PERIOD,
            ),
            f"The functions of this account use four fifths of the {stage.account_concurrency} it may run at"
            " once: beyond all of them requests and jobs fail.",
            first="ask for a higher quota of concurrent executions, then set `account_concurrency`.",
            at_least=stage.account_concurrency * CONCURRENCY_SHARE_MAX,
        )
        self._alarms.add(
            "RecursionStopped",
            function_metric("RecursiveInvocationsDropped"),
            "Lambda took a function that sends to its own queue for endless, and dropped its message.",
            first="read that queue's dead letters; the function has to allow its loop: `RecursiveLoop`.",
        )

    def _alarm_on_table(self, table: dynamodb.Table) -> None:
        indexes = {OPEN_JOBS: "OpenJobs", FAILED_JOBS: "FailedJobs"}
        for name, metric, index in (
            ("TableReads", "ReadThrottleEvents", None),
            ("TableWrites", "WriteThrottleEvents", None),
            *((f"{camel}Writes", "WriteThrottleEvents", index) for index, camel in indexes.items()),
        ):
            self._alarms.add(
                f"{name}Throttled",
                _table_metric(table, metric, index),
                "DynamoDB refuses requests to the table or an index for their number.",
                first="CloudWatch Contributor Insights names the partition; which account is it?",
                at_least=THROTTLED_REQUESTS_MAX,
            )
        self._alarms.add(
            "TransactionConflicts",
            _table_metric(table, "TransactionConflict"),
            "Requests stand in each other's way on the same items, mostly on one account's wallet.",
            first="find the account with the most requests in the API's log; lower its rate.",
            at_least=CONFLICTS_MAX,
            periods=3,
        )


def _table_metric(table: dynamodb.Table, name: str, index: str | None = None) -> cloudwatch.Metric:
    of_index = {} if index is None else {"GlobalSecondaryIndexName": index}
    return table.metric(
        name, statistic="Sum", period=PERIOD, dimensions_map={"TableName": table.table_name, **of_index}
    )
