"""The user pool's adapter on a pool that has addresses confirmed, as those of AWS do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from infra.local.aws import Endpoint
from infra.local.cloud import bare_cloud
from shoal.adapters.aws.cognito import (
    NO_ENTRY,
    UNANSWERED,
    WRONG_APP_CODE,
    WRONG_CODE,
    CognitoIdentity,
    pool_keys,
)
from shoal.domain.errors import SignInRefused
from shoal.domain.person import PASSWORD_LENGTH_MIN, Challenge, Vouched
from tests.support.authenticator import code_of

FIRST, CHOSEN = "the password of somebody else", "correct horse battery staple"
CODE = "123456"
"""What the local cloud sends to everybody who confirms an address."""
RESET_CODE = "654321"
"""And to who resets a password."""


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """A cloud that looks at codes, as AWS does: it does so where it enforces IAM."""
    with bare_cloud(tmp_path_factory.mktemp("codes"), enforce_iam=True) as booted:
        yield booted


@pytest.fixture(scope="module")
def identity(endpoint: Endpoint) -> CognitoIdentity:
    """A pool like the stack's, without the function that confirms by itself."""
    client = endpoint.client("cognito-idp")
    pool_id = client.create_user_pool(
        PoolName=uuid4().hex,
        UsernameAttributes=["email"],
        AutoVerifiedAttributes=["email"],
        Policies={
            "PasswordPolicy": {
                "MinimumLength": PASSWORD_LENGTH_MIN,
                **{f"Require{kind}": False for kind in ("Uppercase", "Lowercase", "Numbers", "Symbols")},
            }
        },
    )["UserPool"]["Id"]
    client.set_user_pool_mfa_config(
        UserPoolId=pool_id, SoftwareTokenMfaConfiguration={"Enabled": True}, MfaConfiguration="OPTIONAL"
    )
    made = client.create_user_pool_client(
        UserPoolId=pool_id,
        ClientName="dashboard",
        GenerateSecret=True,
        ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        PreventUserExistenceErrors="ENABLED",
    )["UserPoolClient"]
    return CognitoIdentity(
        client,
        pool_id=pool_id,
        client_id=made["ClientId"],
        signing_key=pool_keys(endpoint.url, pool_id),
    )


@pytest.fixture
def addresses(identity: CognitoIdentity) -> dict[str, str]:
    """One that nobody registered, one that waits for its code, one that is confirmed."""
    new, waiting, confirmed = (f"{uuid4().hex}@example.com" for _ in range(3))
    for email in (waiting, confirmed):
        assert not identity.sign_up(email, FIRST)
    identity.confirm(confirmed, CODE, CHOSEN)
    return {"new": new, "waiting": waiting, "confirmed": confirmed}


def vouched(identity: CognitoIdentity, email: str) -> Vouched:
    """Of somebody who is let in with the password alone."""
    found = identity.sign_in(email, CHOSEN)
    assert isinstance(found, Vouched)
    return found


def set_up(identity: CognitoIdentity, email: str) -> str:
    """Set up an app; returns its secret."""
    person = vouched(identity, email)
    secret = identity.new_second_factor(person)
    identity.set_second_factor(person, code_of(secret))
    return secret


def said(action: Callable[[str], object], email: str) -> object:
    try:
        return action(email)
    except SignInRefused as refused:
        return str(refused)


def test_the_person_with_the_code_chooses_the_password(
    identity: CognitoIdentity, addresses: dict[str, str]
) -> None:
    email = addresses["confirmed"]
    assert vouched(identity, email).person.email == email
    with pytest.raises(SignInRefused):
        identity.sign_in(email, FIRST)


def test_nothing_that_is_asked_tells_whether_an_address_is_known(
    identity: CognitoIdentity, addresses: dict[str, str]
) -> None:
    actions: dict[str, Callable[[str], object]] = {
        "sign in": lambda email: identity.sign_in(email, "not the password at all"),
        "send code": identity.send_code,
        "forgot": identity.forgot,
        "reset": lambda email: identity.reset(email, "000000", CHOSEN),
        "sign up": lambda email: identity.sign_up(email, FIRST),
    }
    answers = {
        name: {said(action, email) for email in addresses.values()} for name, action in actions.items()
    }

    assert {name: len(each) for name, each in answers.items()} == dict.fromkeys(actions, 1), answers
    assert identity.sign_in(addresses["confirmed"], CHOSEN), "nothing of all this changed anything"


def test_a_code_that_does_not_fit_is_refused_in_the_same_words_and_sets_no_password(
    identity: CognitoIdentity, addresses: dict[str, str]
) -> None:
    def confirmed(email: str, code: str = "000000") -> object:
        return said(lambda email: identity.confirm(email, code, FIRST), email)

    assert {confirmed(email) for email in addresses.values()} == {WRONG_CODE}
    assert confirmed(addresses["confirmed"], CODE) == WRONG_CODE
    assert identity.sign_in(addresses["confirmed"], CHOSEN)


def test_registering_again_sends_the_code_again(identity: CognitoIdentity, addresses: dict[str, str]) -> None:
    email = addresses["waiting"]
    assert not identity.sign_up(email, FIRST)
    identity.confirm(email, CODE, CHOSEN)
    assert vouched(identity, email).person.email == email


def test_a_code_of_the_app_is_asked_for_once_it_is_set_up(
    identity: CognitoIdentity, addresses: dict[str, str]
) -> None:
    email = addresses["confirmed"]
    secret = set_up(identity, email)
    assert identity.has_second_factor(email)

    asked = identity.sign_in(email, CHOSEN)
    assert isinstance(asked, Challenge)
    assert said(lambda _: identity.answer(asked, "000000"), email) == WRONG_APP_CODE
    assert said(lambda email: identity.sign_in(email, FIRST), email) == NO_ENTRY
    found = identity.answer(asked, code_of(secret))

    assert (found.person.email, found.second_factor) == (email, True)
    identity.drop_second_factor(identity.renew(found))
    assert not identity.has_second_factor(email)
    assert not vouched(identity, email).second_factor


def test_nothing_is_asked_for_before_a_code_of_the_app_was_shown(
    identity: CognitoIdentity, addresses: dict[str, str]
) -> None:
    person = vouched(identity, addresses["confirmed"])
    identity.new_second_factor(identity.renew(person))

    with pytest.raises(SignInRefused, match=re.escape(WRONG_APP_CODE)):
        identity.set_second_factor(person, "000000")

    assert vouched(identity, addresses["confirmed"])


def test_a_reset_of_the_password_leaves_the_second_factor(
    identity: CognitoIdentity, addresses: dict[str, str]
) -> None:
    email = addresses["confirmed"]
    subject = vouched(identity, email).person.subject
    set_up(identity, email)
    identity.forgot(email)

    assert identity.reset(email, RESET_CODE, FIRST) == subject

    assert isinstance(identity.sign_in(email, FIRST), Challenge)


def test_a_password_for_once_is_told_of(endpoint: Endpoint, identity: CognitoIdentity) -> None:
    """An operator who makes a person in the pool has to give them a password that lasts."""
    email = f"{uuid4().hex}@example.com"
    endpoint.client("cognito-idp").admin_create_user(
        UserPoolId=identity._pool_id, Username=email, TemporaryPassword=FIRST, MessageAction="SUPPRESS"
    )

    assert said(lambda email: identity.sign_in(email, FIRST), email) == UNANSWERED["NEW_PASSWORD_REQUIRED"]


def test_a_pool_that_demands_an_app_lets_one_be_set_up_at_the_sign_in(
    identity: CognitoIdentity, addresses: dict[str, str]
) -> None:
    """As MFA_SETUP is described in Cognito's guide; the local pool never asks for it, so this does."""
    email = addresses["confirmed"]
    begun = identity._client.associate_software_token(Session="a session that waits for an answer")
    challenge = Challenge(email, begun["Session"], begun["SecretCode"])

    assert said(lambda _: identity.answer(challenge, "000000"), email) == WRONG_APP_CODE
    assert identity.answer(challenge, code_of(challenge.secret)).second_factor
