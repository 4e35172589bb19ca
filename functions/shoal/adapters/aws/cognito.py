"""The identity provider: an Amazon Cognito user pool, reached by the app client that only this stage has.

Passwords go to the pool over the API of its administrator (`ADMIN_USER_PASSWORD_AUTH`), so that nobody
without the stage's role can try them, and tokens are believed only by their signature.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

import jwt
from botocore.exceptions import ClientError

from shoal.adapters.aws.client import error_code, unavailable_when_unreachable
from shoal.domain.errors import SignInRefused, Unavailable
from shoal.domain.person import Challenge, Person, Vouched
from shoal.observability import count_refused_mail

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

logger = logging.getLogger(__name__)

JWKS_SECONDS_MAX = 3
KEYS_KEPT_S = 3600

NO_ENTRY = "Wrong e-mail address or password, or the address is not confirmed."
WRONG_CODE = "That code does not fit this address, or it is too old. Check both, or ask for a new code."
WRONG_APP_CODE = "That code does not fit. Wait for the next one of your app, and try again."
TOO_LATE = "The sign-in took too long, or the code was wrong too often. Start again."
TOTP: Final = "SOFTWARE_TOKEN_MFA"
SET_UP: Final = "MFA_SETUP"
Asked = Literal["SOFTWARE_TOKEN_MFA", "MFA_SETUP"]
UNANSWERED = {
    "NEW_PASSWORD_REQUIRED": "Your password was chosen by an operator for once. Ask for one that lasts.",
    "SMS_MFA": "Codes by text message are not taken here. Ask the operator to set up an app instead.",
    "EMAIL_OTP": "Codes by e-mail are not taken here. Ask the operator to set up an app instead.",
    "SELECT_MFA_TYPE": "Your account has several second factors. Ask the operator to leave the app alone.",
}
"""What people read who are asked for what this dashboard cannot take."""
WORDS = {
    "InvalidPasswordException": "Choose a password of at least twelve characters.",
    "InvalidParameterException": "Check the e-mail address.",
    "UserLambdaValidationException": "This e-mail address cannot register here.",
    "CodeMismatchException": WRONG_APP_CODE,
    "EnableSoftwareTokenMFAException": WRONG_APP_CODE,
    "ExpiredCodeException": WRONG_APP_CODE,
}
"""What people read when the pool refuses: never its own words, which name names."""
UNKNOWN_PERSON = (
    "NotAuthorizedException",
    "UserNotFoundException",
    "UserNotConfirmedException",  # said before the password is looked at
    "PasswordResetRequiredException",
)
WRONG = (
    *UNKNOWN_PERSON,
    "AliasExistsException",
    "CodeMismatchException",
    "ExpiredCodeException",
    "InvalidParameterException",
    "LimitExceededException",
    "TooManyFailedAttemptsException",
)
MAIL_REFUSED = ("LimitExceededException", "CodeDeliveryFailureException")
"""The pool would not mail: too many mails of the day or to this person, or a mailer that does not work."""
ASKED_TOO_OFTEN = "Attempt limit exceeded"
"""How the pool's words begin when one person asked too often. Those of the day's limit, which has the same
code, begin with "Exceeded daily email limit"."""
NOTHING_SENT = (*WRONG, *MAIL_REFUSED)
"""No code goes out: to nobody, to one who needs none, to one who was sent too many, or for want of a mailer.

But for the last they tell whether somebody is registered, and the last is only met for those who are.
"""


class CognitoIdentity:
    """Implements the `IdentityProvider` port. `signing_key` finds the pool's public key for a token."""

    def __init__(
        self,
        client: CognitoIdentityProviderClient,
        *,
        pool_id: str,
        client_id: str,
        signing_key: Callable[[str], Any],
    ) -> None:
        self._client, self._pool_id, self._client_id = client, pool_id, client_id
        self._signing_key = signing_key

    def sign_up(self, email: str, password: str) -> bool:
        try:
            with _translate_refusals(), _quiet(*MAIL_REFUSED):
                answer = self._client.sign_up(
                    **self._as_client(email),
                    Username=email,
                    Password=password,
                    UserAttributes=[{"Name": "email", "Value": email}],
                )
                return answer["UserConfirmed"]
        except self._client.exceptions.UsernameExistsException:
            self.send_code(email)
        return False

    def confirm(self, email: str, code: str, password: str) -> None:
        with _translate_refusals(WRONG_CODE, WRONG):
            self._client.confirm_sign_up(**self._as_client(email), Username=email, ConfirmationCode=code)
            # Who registered the address need not be who reads its mail: the latter chooses.
            self._client.admin_set_user_password(
                UserPoolId=self._pool_id, Username=email, Password=password, Permanent=True
            )

    def send_code(self, email: str) -> None:
        with _translate_refusals(), _quiet(*NOTHING_SENT):
            self._client.resend_confirmation_code(**self._as_client(email), Username=email)

    def sign_in(self, email: str, password: str) -> Vouched | Challenge:
        parameters = {"USERNAME": email, "PASSWORD": password, "SECRET_HASH": self._secret_hash(email)}
        with _translate_refusals(NO_ENTRY, UNKNOWN_PERSON):
            answer = self._client.admin_initiate_auth(
                UserPoolId=self._pool_id,
                ClientId=self._client_id,
                AuthFlow="ADMIN_USER_PASSWORD_AUTH",
                AuthParameters=parameters,
            )
        if "AuthenticationResult" in answer:
            return self._vouch(answer["AuthenticationResult"])
        return self._challenge(email, answer["ChallengeName"], answer["Session"])

    def answer(self, challenge: Challenge, code: str) -> Vouched:
        with _translate_refusals(TOO_LATE, UNKNOWN_PERSON):
            if challenge.secret:
                verified = self._client.verify_software_token(Session=challenge.session, UserCode=code)
                answer = self._respond(SET_UP, challenge.email, verified["Session"])
            else:
                answer = self._respond(TOTP, challenge.email, challenge.session, SOFTWARE_TOKEN_MFA_CODE=code)
        return replace(self._vouch(answer["AuthenticationResult"]), second_factor=True)

    def has_second_factor(self, email: str) -> bool:
        with _translate_refusals():
            found = self._client.admin_get_user(UserPoolId=self._pool_id, Username=email)
        return TOTP in found.get("UserMFASettingList", ())

    def new_second_factor(self, vouched: Vouched) -> str:
        with _translate_refusals():
            return self._client.associate_software_token(AccessToken=vouched.access_token)["SecretCode"]

    def set_second_factor(self, vouched: Vouched, code: str) -> None:
        with _translate_refusals():
            self._client.verify_software_token(AccessToken=vouched.access_token, UserCode=code)
            self._prefer(vouched, totp=True)

    def drop_second_factor(self, vouched: Vouched) -> None:
        with _translate_refusals():
            self._prefer(vouched, totp=False)

    def renew(self, vouched: Vouched) -> Vouched:
        parameters = {
            "REFRESH_TOKEN": vouched.refresh_token,
            "SECRET_HASH": self._secret_hash(vouched.person.subject),
        }
        with _translate_refusals(NO_ENTRY, UNKNOWN_PERSON):
            answer = self._client.admin_initiate_auth(
                UserPoolId=self._pool_id,
                ClientId=self._client_id,
                AuthFlow="REFRESH_TOKEN_AUTH",
                AuthParameters=parameters,
            )
        return self._vouch({"RefreshToken": vouched.refresh_token, **answer["AuthenticationResult"]})

    def revoke(self, refresh_token: str) -> None:
        with _translate_refusals():
            self._client.revoke_token(
                Token=refresh_token, ClientId=self._client_id, ClientSecret=self._client_secret
            )

    def forgot(self, email: str) -> None:
        with _translate_refusals(), _quiet(*NOTHING_SENT):
            self._client.forgot_password(**self._as_client(email), Username=email)

    def reset(self, email: str, code: str, password: str) -> str:
        with _translate_refusals(WRONG_CODE, WRONG):
            self._client.confirm_forgot_password(
                **self._as_client(email), Username=email, ConfirmationCode=code, Password=password
            )
            # Who was in with the old password is not vouched for again.
            self._client.admin_user_global_sign_out(UserPoolId=self._pool_id, Username=email)
            found = self._client.admin_get_user(UserPoolId=self._pool_id, Username=email)
        return next(each["Value"] for each in found["UserAttributes"] if each["Name"] == "sub")

    @cached_property
    def _client_secret(self) -> str:
        """Asked for at the first sign-in: it is in no template and no environment."""
        with unavailable_when_unreachable():
            answer = self._client.describe_user_pool_client(
                UserPoolId=self._pool_id, ClientId=self._client_id
            )
        return answer["UserPoolClient"]["ClientSecret"]

    def _as_client(self, username: str) -> Any:
        return {"ClientId": self._client_id, "SecretHash": self._secret_hash(username)}

    def _secret_hash(self, username: str) -> str:
        """HMAC-SHA256 of user name and client id ("Computing secret hash values", Cognito's guide)."""
        message = (username + self._client_id).encode()
        return base64.b64encode(
            hmac.new(self._client_secret.encode(), message, hashlib.sha256).digest()
        ).decode()

    def _challenge(self, email: str, asked: str, session: str) -> Challenge:
        """What the pool wants beside the password. Raises `SignInRefused` for what nobody can give here."""
        if asked == TOTP:
            return Challenge(email, session)
        if asked == SET_UP:
            with _translate_refusals():
                begun = self._client.associate_software_token(Session=session)
            return Challenge(email, begun["Session"], begun["SecretCode"])
        logger.warning("a sign-in was asked for what the dashboard cannot take", extra={"challenge": asked})
        raise SignInRefused(UNANSWERED.get(asked, "This account cannot sign in here: ask its operator."))

    def _respond(self, asked: Asked, email: str, session: str, **answers: str) -> Any:
        who = {"USERNAME": email, "SECRET_HASH": self._secret_hash(email)}
        return self._client.admin_respond_to_auth_challenge(
            UserPoolId=self._pool_id,
            ClientId=self._client_id,
            ChallengeName=asked,
            Session=session,
            ChallengeResponses=who | answers,
        )

    def _prefer(self, vouched: Vouched, *, totp: bool) -> None:
        self._client.set_user_mfa_preference(
            AccessToken=vouched.access_token,
            SoftwareTokenMfaSettings={"Enabled": totp, "PreferredMfa": totp},
        )

    def _vouch(self, result: Any) -> Vouched:
        """`result` is what the pool answers to who is let in."""
        claims = verify(
            result["IdToken"], self._signing_key, issuer=issuer(self._pool_id), audience=self._client_id
        )
        person = Person(claims["sub"], claims["email"], frozenset(claims.get("cognito:groups", ())))
        until_ms = int(claims["exp"]) * 1000
        return Vouched(person, until_ms, result["RefreshToken"], access_token=result["AccessToken"])


def verify(
    id_token: str, signing_key: Callable[[str], Any], *, issuer: str, audience: str
) -> Mapping[str, Any]:
    """The claims of an ID token of this pool for this client ("Verifying JSON web tokens", Cognito's guide).

    Raises `SignInRefused` for any other, `Unavailable` when the pool's keys cannot be fetched.
    """
    try:
        claims: dict[str, Any] = jwt.decode(
            id_token,
            signing_key(id_token),
            algorithms=["RS256"],
            issuer=issuer,
            audience=audience,
            options={"require": ["exp", "iat", "sub", "iss", "aud", "token_use", "email"]},
        )
    except jwt.PyJWKClientConnectionError as error:
        raise Unavailable(retry_after_seconds=1) from error
    except jwt.PyJWTError as error:
        raise SignInRefused("The sign-in could not be verified.") from error
    if claims["token_use"] != "id":  # noqa: S105 - a kind of token, not one
        raise SignInRefused("The sign-in could not be verified.")
    return claims


def issuer(pool_id: str) -> str:
    """Who a pool says it is in its tokens; its id begins with its region."""
    region = pool_id.partition("_")[0]
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://cognito-idp.{region}.{suffix}/{pool_id}"


def pool_keys(endpoint_url: str, pool_id: str) -> Callable[[str], Any]:
    """Finds the public key a token names in the pool's JWKS, kept for an hour."""
    keys = jwt.PyJWKClient(
        f"{endpoint_url}/{pool_id}/.well-known/jwks.json", lifespan=KEYS_KEPT_S, timeout=JWKS_SECONDS_MAX
    )
    return lambda token: keys.get_signing_key_from_jwt(token).key


@contextmanager
def _translate_refusals(words: str = "", codes: Collection[str] = ()) -> Iterator[None]:
    """The pool's refusals in words for people, `words` for these codes.

    Raises `SignInRefused`, `Unavailable`.
    """
    try:
        with unavailable_when_unreachable():
            yield
    except ClientError as error:
        said = WORDS | dict.fromkeys(codes, words)
        if error_code(error) not in said:
            raise
        raise SignInRefused(said[error_code(error)]) from error


@contextmanager
def _quiet(*codes: str) -> Iterator[None]:
    """These refusals are for the operator to see: in the log, and by an alarm if the pool mails nobody."""
    try:
        yield
    except ClientError as error:
        if error_code(error) not in codes:
            raise
        logger.info("no code was sent", extra={"reason": error_code(error)})
        by_person = error.response["Error"].get("Message", "").startswith(ASKED_TOO_OFTEN)
        if error_code(error) in MAIL_REFUSED and not by_person:
            count_refused_mail()
