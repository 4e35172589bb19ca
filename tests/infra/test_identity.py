"""The user pool: who may register, how they sign in, and who asks it."""

from __future__ import annotations

from tests.infra.template import Template, text


def test_passwords_are_long_and_addresses_confirmed(template: Template) -> None:
    pool = template.one("AWS::Cognito::UserPool")
    assert pool["Policies"]["PasswordPolicy"]["MinimumLength"] == 12
    assert pool["UsernameAttributes"] == ["email"]
    assert pool["AutoVerifiedAttributes"] == ["email"]
    assert pool["UsernameConfiguration"] == {"CaseSensitive": False}


def test_the_pool_asks_who_may_register_and_only_it_may_ask(template: Template) -> None:
    asked = text(template.one("AWS::Cognito::UserPool")["LambdaConfig"]["PreSignUp"])
    name = template.function("admit_sign_up")["FunctionName"]
    assert asked == f"arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:function:{name}"
    (permission,) = [
        each
        for each in template.properties("AWS::Lambda::Permission")
        if text(each["FunctionName"]) == "<FunctionsAdmitSignUp.Arn>"
    ]
    assert permission["Principal"] == "cognito-idp.amazonaws.com"
    assert text(permission["SourceArn"]) == "<IdentityPool.Arn>"


def test_only_the_dashboard_can_try_passwords(template: Template) -> None:
    client = template.one("AWS::Cognito::UserPoolClient")
    assert set(client["ExplicitAuthFlows"]) == {"ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}
    assert client["GenerateSecret"] is True
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert client["EnableTokenRevocation"] is True
    assert client["AllowedOAuthFlowsUserPoolClient"] is False


def test_addresses_are_confirmed_by_themselves_on_this_machine_alone(local: Template, dev: Template) -> None:
    def confirmed(template: Template) -> str:
        variables = template.function("admit_sign_up")["Environment"]["Variables"]
        return str(variables["SHOAL_SIGN_UPS_CONFIRMED"])

    assert (confirmed(local), confirmed(dev)) == ("true", "false")


def test_the_pool_outlives_a_deletion_where_the_table_does(template: Template) -> None:
    pool = next(iter(template.of_type("AWS::Cognito::UserPool").values()))
    table = next(iter(template.of_type("AWS::DynamoDB::Table").values()))
    assert pool["DeletionPolicy"] == table["DeletionPolicy"]


def test_there_is_a_group_for_operators(template: Template) -> None:
    assert template.one("AWS::Cognito::UserPoolGroup")["GroupName"] == "operators"


def test_people_may_have_a_second_factor_by_app_and_by_no_other_way(template: Template) -> None:
    pool = template.one("AWS::Cognito::UserPool")
    assert (pool["MfaConfiguration"], pool["EnabledMfas"]) == ("OPTIONAL", ["SOFTWARE_TOKEN_MFA"])


def test_operators_of_prod_need_one(local: Template, dev: Template, prod: Template) -> None:
    def needed(template: Template) -> str:
        variables = template.function("operate")["Environment"]["Variables"]
        return str(variables["SHOAL_OPERATORS_SECOND_FACTOR"])

    assert [needed(each) for each in (local, dev, prod)] == ["false", "false", "true"]


def test_the_pool_is_asked_about_people_every_five_minutes(template: Template) -> None:
    client = template.one("AWS::Cognito::UserPoolClient")
    assert (client["IdTokenValidity"], client["TokenValidityUnits"]["IdToken"]) == (5, "minutes")


def test_codes_are_mailed_by_ses_where_the_stage_has_an_identity(dev: Template, prod: Template) -> None:
    assert "EmailConfiguration" not in dev.one("AWS::Cognito::UserPool")
    assert prod.one("AWS::Cognito::UserPool")["EmailConfiguration"] == {
        "EmailSendingAccount": "DEVELOPER",
        "SourceArn": prod.stage.mail_identity_arn,
        "From": prod.stage.mail_from,
    }
