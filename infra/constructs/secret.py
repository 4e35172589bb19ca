"""The secret that signs the callback URLs given to providers, and where the keys of Stripe are."""

from __future__ import annotations

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from shoal.adapters.stripe.keys import secret_name

from ..nag import accept
from ..stage import Stage

SECRET_CHARACTERS = 64


class CallbackSecret(Construct):
    """A random string made by AWS; it is in no template, no environment and no log."""

    def __init__(self, scope: Construct, id_: str, *, stage: Stage) -> None:
        super().__init__(scope, id_)
        self.secret = secretsmanager.Secret(
            self,
            "Secret",
            description="Signs the callback URLs that Shoal gives to providers",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=SECRET_CHARACTERS, exclude_punctuation=True
            ),
            removal_policy=stage.removal_policy,
        )
        accept(
            self.secret,
            "AwsSolutions-SMG4",
            because="A rotation would refuse the callbacks of jobs under way.",
        )


def stripe_secret_arn(stack: Stack, stage: Stage) -> str:
    """The secret that `shoal stripe set-keys` makes; AWS adds six characters to its name."""
    return stack.format_arn(
        service="secretsmanager",
        resource="secret",
        resource_name=f"{secret_name(stage.name)}-??????",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
