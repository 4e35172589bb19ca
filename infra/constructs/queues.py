"""The queues, each with its dead letters."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from ..lambdas import registry
from ..lambdas import webhooks as webhook_registry
from ..lambdas.function import Function
from ..nag import accept

MESSAGE_DAYS = 4
"""Days that a message waits for a function that does not run: SQS's own default, said here because a dead
letter goes on counting from when it was sent, and has to be kept for longer."""
DEAD_LETTER_DAYS = 14


class Queues(Construct):
    """The queues before the consumers, and one for what asynchronous invocations could not deliver."""

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)
        self.poll = self._queue("Poll", registry.POLL_PROVIDER)
        self.simulated_poll = self._queue("SimulatedPoll", registry.POLL_SIMULATED)
        self.closed_executions = self._queue("ClosedExecutions", registry.CLOSE_EXECUTION)
        self.webhook_events = self._queue("WebhookEvents", webhook_registry.FAN_OUT_EVENT)
        self.deliveries = self._queue("Deliveries", webhook_registry.DELIVER_WEBHOOK)
        self.retries = self._queue("Retries", webhook_registry.RETRY_WEBHOOK)
        self.async_failures = self._dead_letters("AsyncFailures")
        accept(
            self.async_failures,
            "AwsSolutions-SQS3",
            because="Holds the dead letters of rules and asynchronous invocations itself.",
        )

    @property
    def dead_letters(self) -> dict[str, sqs.IQueue]:
        """The queues that are empty as long as all is well, by name."""
        return {
            "Poll": _dead_letters_of(self.poll),
            "SimulatedPoll": _dead_letters_of(self.simulated_poll),
            "ClosedExecutions": _dead_letters_of(self.closed_executions),
            "WebhookEvents": _dead_letters_of(self.webhook_events),
            "Deliveries": _dead_letters_of(self.deliveries),
            "Retries": _dead_letters_of(self.retries),
            "AsyncFailures": self.async_failures,
        }

    def _queue(self, name: str, consumer: Function) -> sqs.Queue:
        return sqs.Queue(
            self,
            name,
            retention_period=Duration.days(MESSAGE_DAYS),
            visibility_timeout=Duration.seconds(consumer.hidden_seconds),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self._dead_letters(f"{name}DeadLetters"), max_receive_count=consumer.receives_max
            ),
        )

    def _dead_letters(self, name: str) -> sqs.Queue:
        return sqs.Queue(
            self,
            name,
            retention_period=Duration.days(DEAD_LETTER_DAYS),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
        )


def _dead_letters_of(queue: sqs.Queue) -> sqs.IQueue:
    if queue.dead_letter_queue is None:
        raise ValueError(f"{queue.node.path} has no dead-letter queue")
    return queue.dead_letter_queue.queue
