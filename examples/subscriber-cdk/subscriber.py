"""Takes each event of Shoal once, however often it comes, and prints it."""

import json
import os
import time

import boto3
from botocore.exceptions import ClientError

KEPT_S = 90 * 24 * 3600
"""Longer than the archive of a stage keeps events: a replay of any of them changes nothing again."""

TABLE = os.environ["TABLE"]
dynamodb = boto3.client("dynamodb")


def handler(batch, _context):
    """A batch from the queue. Only what failed is delivered again, and is a dead letter in the end."""
    failed = []
    for record in batch["Records"]:
        event = json.loads(record["body"])
        detail = event["detail"]
        try:
            if take(event):
                print("took", detail["type"], detail["id"], json.dumps(detail["data"]))
        except ClientError as error:
            print("failed", detail["type"], detail["id"], error)
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def take(event):
    """Whether the event is new. What it changes is written in one transaction with the note of its id.

    `detail.id` says what happened. The event's own `id` is EventBridge's: a replay has another one.
    """
    expires_at = {"N": str(int(time.time()) + KEPT_S)}
    note = {
        "TableName": TABLE,
        "Item": {"id": {"S": event["detail"]["id"]}, "expires_at": expires_at},
        "ConditionExpression": "attribute_not_exists(id)",
    }
    try:
        dynamodb.transact_write_items(TransactItems=[{"Put": note}, *changes(event)])
    except dynamodb.exceptions.TransactionCanceledException as refused:
        if refused.response["CancellationReasons"][0]["Code"] != "ConditionalCheckFailed":
            raise
        return False
    return True


def changes(event):
    """Your own code goes here: this one counts events by type."""
    count = {
        "TableName": TABLE,
        "Key": {"id": {"S": f"count of {event['detail']['type']}"}},
        "UpdateExpression": "ADD events :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    return [{"Update": count}]
