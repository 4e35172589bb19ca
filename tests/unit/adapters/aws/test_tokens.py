"""Only an ID token that the pool signed for this client, and that still holds, says who somebody is."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from shoal.adapters.aws.cognito import issuer, verify
from shoal.domain.errors import SignInRefused, Unavailable

POOL, CLIENT = "eu-west-1_Abc", "client"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def claims(**changes: Any) -> dict[str, Any]:
    now_s = int(time.time())
    standard = {
        "sub": "4f1c",
        "email": "diver@example.com",
        "iss": issuer(POOL),
        "aud": CLIENT,
        "token_use": "id",
        "iat": now_s,
        "exp": now_s + 3600,
        "cognito:groups": ["operators"],
    }
    return {name: value for name, value in (standard | changes).items() if value is not None}


def check(token: str) -> Any:
    return verify(token, lambda _: KEY.public_key(), issuer=issuer(POOL), audience=CLIENT)


@pytest.mark.parametrize(
    ("pool", "says"),
    [
        ("eu-west-1_A", "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A"),
        ("us-gov-west-1_A", "https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_A"),
        ("cn-north-1_A", "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_A"),
    ],
)
def test_a_pool_says_who_it_is_by_the_names_of_its_partition(pool: str, says: str) -> None:
    assert issuer(pool) == says


def signed(**changes: Any) -> str:
    return jwt.encode(claims(**changes), KEY, algorithm="RS256")


def test_a_token_of_the_pool_tells_who_somebody_is() -> None:
    assert check(signed())["cognito:groups"] == ["operators"]


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": issuer("eu-west-1_Other")},
        {"aud": "another-client"},
        {"token_use": "access"},
        {"exp": int(time.time()) - 1},
        {"exp": None},
        {"sub": None},
        {"email": None},
        {"aud": None},
        {"token_use": None},
    ],
)
def test_a_token_for_others_or_for_something_else_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(SignInRefused):
        check(signed(**changes))


@pytest.mark.parametrize(
    "token",
    [
        jwt.encode(claims(), OTHER, algorithm="RS256"),
        jwt.encode(claims(), "", algorithm="none"),
        jwt.encode(claims(), "a long secret that the public key is mistaken for, 32+", algorithm="HS256"),
        signed()[:-4] + "AAAA",
        "not.a.token",
        "",
    ],
)
def test_a_forged_token_is_refused(token: str) -> None:
    with pytest.raises(SignInRefused):
        check(token)


def test_keys_that_cannot_be_fetched_are_no_refusal() -> None:
    def unreachable(_: str) -> Any:
        raise jwt.PyJWKClientConnectionError("no way")

    with pytest.raises(Unavailable):
        verify(signed(), unreachable, issuer=issuer(POOL), audience=CLIENT)
