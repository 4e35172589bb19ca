"""A person who can sign in to the local dashboard, with the demo's account and as an operator."""

from __future__ import annotations

from contextlib import suppress

from infra.local.cloud import LocalCloud
from shoal.adapters.dynamodb.people import DynamoDbPeople
from shoal.adapters.dynamodb.table import Table
from shoal.domain.person import OPERATORS


def allow_in(cloud: LocalCloud, *, email: str, password: str, account_id: str) -> None:
    """Let `email` with `password` into the account; doing it again changes nothing."""
    pool = {"UserPoolId": cloud.outputs["UserPoolId"], "Username": email}
    identity = cloud.client("cognito-idp")
    with suppress(identity.exceptions.UsernameExistsException):  # an earlier run made them
        identity.admin_create_user(
            **pool,
            MessageAction="SUPPRESS",
            UserAttributes=[
                {"Name": "email", "Value": email},
                {"Name": "email_verified", "Value": "true"},
            ],
        )
    identity.admin_set_user_password(**pool, Password=password, Permanent=True)
    identity.admin_add_user_to_group(**pool, GroupName=OPERATORS)
    attributes = {each["Name"]: each["Value"] for each in identity.admin_get_user(**pool)["UserAttributes"]}
    table = Table(cloud.client("dynamodb"), cloud.outputs["TableName"])
    DynamoDbPeople(table).link(attributes["sub"], account_id)
