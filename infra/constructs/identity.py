"""Who may use the dashboard: a Cognito user pool with one app client, which only the dashboard knows."""

from __future__ import annotations

from typing import cast

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from shoal.domain.person import OPERATORS, PASSWORD_LENGTH_MIN

from ..lambdas.dashboard import ADMIT_SIGN_UP
from ..nag import accept
from ..stage import Stage

TOKEN_MINUTES = 5
"""How long the pool's word for a person holds, Cognito's least.

After it who is disabled is out, and who is no operator any more is none.
"""
REFRESH_DAYS = 1
"""As long as a session of the dashboard lasts."""


class Identity(Construct):
    """The pool asks the function that admits sign-ups about everybody who wants to register.

    It knows that function by its name: the function is made later, in a stack that is told of the pool.
    """

    def __init__(self, scope: Construct, id_: str, *, stage: Stage) -> None:
        super().__init__(scope, id_)
        self.pool = cognito.UserPool(
            self,
            "Pool",
            user_pool_name=stage.prefix,
            self_sign_up_enabled=True,
            sign_in_aliases=cognito.SignInAliases(email=True),
            sign_in_case_sensitive=False,
            auto_verify=cognito.AutoVerifiedAttrs(email=True),
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            # Long rather than colourful (NIST SP 800-63B, section 5.1.1.2).
            password_policy=cognito.PasswordPolicy(
                min_length=PASSWORD_LENGTH_MIN,
                require_digits=False,
                require_lowercase=False,
                require_symbols=False,
                require_uppercase=False,
            ),
            mfa=cognito.Mfa.OPTIONAL,
            # Apps alone: text messages can be rerouted, and cost.
            mfa_second_factor=cognito.MfaSecondFactor(otp=True, sms=False),
            deletion_protection=stage.deletion_protection,
            removal_policy=stage.removal_policy,
        )
        self._accept()
        self.client = self.pool.add_client(
            "Dashboard",
            user_pool_client_name="dashboard",
            generate_secret=True,
            auth_flows=cognito.AuthFlow(admin_user_password=True),
            disable_o_auth=True,
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
            id_token_validity=Duration.minutes(TOKEN_MINUTES),
            access_token_validity=Duration.minutes(TOKEN_MINUTES),
            refresh_token_validity=Duration.days(REFRESH_DAYS),
        )
        self._settle(stage)
        self.pool.add_group("Operators", group_name=OPERATORS, description="They run the stage.")

    def _settle(self, stage: Stage) -> None:
        """What the pool asks at a sign-up, and what it mails by."""
        trigger = Stack.of(self).format_arn(
            service="lambda",
            resource="function",
            resource_name=ADMIT_SIGN_UP.name_on(stage),
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        pool = cast("cognito.CfnUserPool", self.pool.node.default_child)
        pool.lambda_config = cognito.CfnUserPool.LambdaConfigProperty(pre_sign_up=trigger)
        if stage.mail_identity_arn is not None:
            pool.email_configuration = cognito.CfnUserPool.EmailConfigurationProperty(
                email_sending_account="DEVELOPER", source_arn=stage.mail_identity_arn, from_=stage.mail_from
            )

    def _accept(self) -> None:
        accept(
            self.pool,
            "AwsSolutions-COG1",
            because="Passwords are long instead: NIST SP 800-63B advises against rules of composition.",
        )
        accept(
            self.pool,
            "AwsSolutions-COG8",
            because="Threat protection is a plan of Cognito with a price of its own for each user.",
        )
        accept(
            self.pool,
            "AwsSolutions-COG2",
            because="People may do without a second factor; the dashboard asks operators for theirs.",
        )
