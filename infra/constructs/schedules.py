"""What calls the consumers: schedules, the rule on closed executions, and the queues."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from shoal.domain.events import SOURCE

BATCH_SIZE = 5
RETRIES = 2
UNSUCCESSFUL = ["FAILED", "TIMED_OUT", "ABORTED"]


class Schedules(Construct):
    """Invocations that nobody waits for. What can't be delivered or handled ends in `dead_letters`."""

    def __init__(self, scope: Construct, id_: str, *, dead_letters: sqs.IQueue) -> None:
        super().__init__(scope, id_)
        self._dead_letters = dead_letters

    def every(self, name: str, function: lambda_.IFunction, *, interval: Duration) -> None:
        """Invoke the function at a fixed interval; one that is too late is given up, the next one follows."""
        events.Rule(
            self,
            f"{name}Schedule",
            schedule=events.Schedule.rate(interval),
            targets=[
                targets.LambdaFunction(
                    function,
                    dead_letter_queue=self._dead_letters,
                    retry_attempts=RETRIES,
                    max_event_age=interval,
                )
            ],
        )
        alias = function if isinstance(function, lambda_.Alias) else None
        lambda_.CfnEventInvokeConfig(
            self,
            f"{name}Retries",
            function_name=(alias.lambda_ if alias else function).function_name,
            qualifier=alias.alias_name if alias else "$LATEST",
            maximum_retry_attempts=RETRIES,
            maximum_event_age_in_seconds=int(interval.to_seconds()),
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
                on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(
                    destination=self._dead_letters.queue_arn
                )
            ),
        )

    def on_unsuccessful_execution(
        self, machines: Iterable[stepfunctions.IStateMachine], queue: sqs.IQueue
    ) -> None:
        """Put every execution of the machines that ended without success into the queue."""
        events.Rule(
            self,
            "ClosedExecutions",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "status": UNSUCCESSFUL,
                    "stateMachineArn": [machine.state_machine_arn for machine in machines],
                },
            ),
            # Such an event names its execution, which is named after its job, and no account.
            targets=[self._queue_of(queue, tenant="$.detail.name")],
        )

    def on_event(self, bus: events.IEventBus, types: Iterable[str], queue: sqs.IQueue) -> None:
        """Put every event of these types on Shoal's own bus into the queue."""
        events.Rule(
            self,
            "WebhookEvents",
            event_bus=bus,
            event_pattern=events.EventPattern(source=[SOURCE], detail_type=list(types)),
            targets=[self._queue_of(queue, tenant="$.detail.account_id")],
        )

    def _queue_of(self, queue: sqs.IQueue, *, tenant: str) -> targets.SqsQueue:
        """A fair queue as a target: `tenant` is the path of whose turn a message takes, within the event."""
        return targets.SqsQueue(queue, dead_letter_queue=self._dead_letters, message_group_id=tenant)

    def consume(
        self,
        name: str,
        function: lambda_.IFunction,
        *,
        queue: sqs.IQueue,
        concurrency_max: int,
        batch_size: int = BATCH_SIZE,
    ) -> None:
        """Feed the function from the queue, which delivers again only the messages it reports as failed."""
        lambda_.EventSourceMapping(
            self,
            f"{name}Messages",
            target=function,
            event_source_arn=queue.queue_arn,
            batch_size=batch_size,
            max_concurrency=concurrency_max,
            report_batch_item_failures=True,
        )
