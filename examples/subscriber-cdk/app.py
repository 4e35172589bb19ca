"""A subscriber of Shoal's bus: a rule, a queue, a function that takes each event once, and dead letters."""

from pathlib import Path

from aws_cdk import App, CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs

HERE = Path(__file__).parent

app = App()
bus_name = app.node.try_get_context("bus") or "shoal-dev"
stack = Stack(app, "Subscriber", stack_name="shoal-subscriber")

dead_letters = sqs.Queue(stack, "DeadLetters", retention_period=Duration.days(14))
queue = sqs.Queue(
    stack,
    "Events",
    visibility_timeout=Duration.seconds(60),
    dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=5),
)
events.Rule(
    stack,
    "Rule",
    event_bus=events.EventBus.from_event_bus_name(stack, "Bus", bus_name),
    event_pattern=events.EventPattern(source=["shoal"]),
    targets=[targets.SqsQueue(queue, dead_letter_queue=dead_letters)],
)

table = dynamodb.Table(
    stack,
    "Table",
    partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
    billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
    time_to_live_attribute="expires_at",
    removal_policy=RemovalPolicy.DESTROY,
)
subscriber = lambda_.Function(
    stack,
    "Subscriber",
    runtime=lambda_.Runtime.PYTHON_3_13,
    handler="subscriber.handler",
    code=lambda_.Code.from_asset(str(HERE), exclude=["*", "!subscriber.py"]),
    timeout=Duration.seconds(10),
    environment={"TABLE": table.table_name},
)
subscriber.add_event_source(sources.SqsEventSource(queue, report_batch_item_failures=True))
table.grant(subscriber, "dynamodb:PutItem", "dynamodb:UpdateItem")

CfnOutput(stack, "SubscriberName", value=subscriber.function_name)
CfnOutput(stack, "TableName", value=table.table_name)
CfnOutput(stack, "DeadLettersUrl", value=dead_letters.queue_url)
app.synth()
