"""Who gets in to the local cloud: programs with this run's credentials, and nobody's web page."""

from __future__ import annotations

import base64
import html
import io
import json
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
import requests
from botocore.exceptions import ClientError

from infra.local.aws import ACCOUNT, REGION, Credentials, Endpoint
from infra.local.cloud import LocalCloud
from shoal.adapters.aws.client import config_of
from tests.fakes.providers.media import png
from tests.local_cloud.lab import ROLE, Lab
from tests.support.browser import browser, tab
from tests.support.receiver import Piece, Received, Receiver, reply

SECONDS_MAX = 30
HTML = {"Content-Type": "text/html"}
FOREIGN = "https://elsewhere.example"
FORM = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Content-Type": "text/plain"}
PAGES = {
    "another site's page": {"Origin": FOREIGN, "Sec-Fetch-Site": "cross-site", **FORM},
    "a page that hides its origin": {"Origin": "null", "Sec-Fetch-Site": "cross-site", **FORM},
    "a page of another server here": {"Origin": "http://localhost:1", "Sec-Fetch-Site": "same-site", **FORM},
    "a browser without Sec-Fetch": {"Origin": FOREIGN, "Content-Type": "text/plain"},
    "a browser that tells nothing": {"Content-Type": "text/plain"},
}


def plain_form(fields: dict[str, object]) -> bytes:
    """JSON as a form of `text/plain` can carry it: one control, whose name ends before its `=`."""
    name, _, value = json.dumps({**fields, "Description": "="}).rpartition("=")
    return f"{name}={value}\r\n".encode()


def a_function(mark: Path) -> dict[str, object]:
    """A function that leaves a file on the machine that runs it."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", f"def handler(event, context): open({str(mark)!r}, 'w').close()")
    return {
        "FunctionName": f"lab-{uuid4().hex}",
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Role": ROLE,
        "Code": {"ZipFile": base64.b64encode(code.getvalue()).decode()},
    }


@pytest.mark.parametrize("headers", PAGES.values(), ids=PAGES)
def test_two_plain_forms_of_a_web_page_run_nothing(
    endpoint: Endpoint, tmp_path: Path, headers: dict[str, str]
) -> None:
    function = a_function(tmp_path / "mark")
    functions = f"{endpoint.url}/2015-03-31/functions"

    made = requests.post(functions, data=plain_form(function), headers=headers, timeout=SECONDS_MAX)
    run = requests.post(
        f"{functions}/{function['FunctionName']}/invocations",
        data=plain_form({}),
        headers=headers,
        timeout=SECONDS_MAX,
    )

    assert (made.status_code, run.status_code) == (403, 403)
    assert "Access-Control-Allow-Origin" not in made.headers
    assert not (tmp_path / "mark").exists()


def form_of(target: str, fields: dict[str, object]) -> str:
    name, _, value = json.dumps({**fields, "Description": "="}).rpartition("=")
    control = f'<input name="{html.escape(name)}" value="{html.escape(value)}">'
    return f'<form enctype="text/plain" method="post" action="{target}">{control}</form>'


def test_a_browser_lets_no_other_page_run_anything_but_shows_signed_pictures(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    function, bucket = a_function(tmp_path / "mark"), f"outputs-{uuid4().hex}"
    functions = f"{endpoint.url}/2015-03-31/functions"
    endpoint.client("s3").create_bucket(Bucket=bucket)
    endpoint.client("s3").put_object(Bucket=bucket, Key="0.png", Body=png(64, 32), ContentType="image/png")
    named = {"Bucket": bucket, "Key": "0.png"}
    picture = s3_signed(endpoint).generate_presigned_url("get_object", Params=named)
    forms = {
        "/make": form_of(functions, function),
        "/run": form_of(f"{functions}/{function['FunctionName']}/invocations", {}),
        "/show": f'<img src="{html.escape(picture)}">',
    }

    def page_of(asked: Received) -> Iterable[Piece]:
        return reply(200, forms.get(asked.path, "").encode(), HTML)(asked)

    with Receiver(page_of) as elsewhere, browser() as chromium, tab(chromium) as page:
        for path in ("/make", "/run"):
            page.goto(elsewhere.url(path))
            with page.expect_navigation() as sent:
                page.evaluate("document.forms[0].submit()")
            assert sent.value is not None
            assert sent.value.status == 403
        page.goto(elsewhere.url("/show"))
        width_px = page.evaluate("document.images[0].decode().then(() => document.images[0].width)")

    assert width_px == 64
    assert not (tmp_path / "mark").exists()


def test_the_same_function_runs_for_who_holds_the_credentials(endpoint: Endpoint, tmp_path: Path) -> None:
    function = a_function(tmp_path / "mark")
    client = endpoint.client("lambda")
    code = base64.b64decode(function["Code"]["ZipFile"])  # type: ignore[index]

    client.create_function(**{**function, "Code": {"ZipFile": code}})
    client.invoke(FunctionName=function["FunctionName"])

    assert (tmp_path / "mark").exists()


@pytest.mark.parametrize(
    "key_id", ["test", ACCOUNT, "AKIANOBODY"], ids=["the emulator's own", "a function's", "unknown"]
)
def test_a_key_that_is_known_opens_nothing_without_its_secret(endpoint: Endpoint, key_id: str) -> None:
    guessed = replace(endpoint, credentials=Credentials(key_id, "test"))

    with pytest.raises(ClientError, match="403"):
        guessed.client("s3").list_buckets()


def test_two_runs_have_different_credentials() -> None:
    assert Credentials.fresh() != Credentials.fresh()


@pytest.mark.parametrize("host", ["elsewhere.example", "localhost.elsewhere.example", "", "[::", "10.0.0.1"])
@pytest.mark.parametrize("path", ["/_ministack/health", "/2015-03-31/functions", "/_aws/execute-api/x/y"])
def test_no_other_name_leads_here(endpoint: Endpoint, host: str, path: str) -> None:
    answer = requests.get(f"{endpoint.url}{path}", headers={"Host": host}, timeout=SECONDS_MAX)

    assert (answer.status_code, answer.json()["message"][:12]) == (403, "This address")


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/_ministack/reset", {}),
        ("POST", "/_ministack/config", {}),
        ("OPTIONS", "/", {}),
        ("GET", "/", {}),
        ("POST", "/_aws/execute-api/", {"X-Amz-Target": "DynamoDB_20120810.ListTables"}),
        ("POST", "/", {"X-Amz-Target": "AWSCognitoIdentityProviderService.ListUserPools"}),
        ("POST", "/_ministack/reset", {"Host": "none.cloudfront.localhost"}),
        ("GET", "/", {"Host": "none.cloudfront.localhost"}),
    ],
)
def test_nothing_of_the_inside_is_open(
    endpoint: Endpoint, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = requests.request(method, f"{endpoint.url}{path}", headers=headers, timeout=SECONDS_MAX)

    assert answer.status_code == 403


SHOWN = {
    "by the dashboard": {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
    "with its origin": {"Origin": "http://localhost:1", "Sec-Fetch-Site": "same-site"},
    "by another program": {},
}


@pytest.mark.parametrize("headers", SHOWN.values(), ids=SHOWN)
def test_a_signed_address_plays_and_seeks(endpoint: Endpoint, headers: dict[str, str]) -> None:
    s3, bucket = endpoint.client("s3"), f"videos-{uuid4().hex}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="clips/a b.mp4", Body=b"0123456789")
    named = {"Bucket": bucket, "Key": "clips/a b.mp4"}
    address = s3_signed(endpoint).generate_presigned_url("get_object", Params=named)

    whole = requests.get(address, headers=headers, timeout=SECONDS_MAX)
    part = requests.get(address, headers={**headers, "Range": "bytes=2-4"}, timeout=SECONDS_MAX)
    other = requests.get(address.replace("mp4", "mp3"), headers=headers, timeout=SECONDS_MAX)

    assert (whole.status_code, whole.content) == (200, b"0123456789")
    assert (part.status_code, part.content) == (206, b"234")
    assert other.status_code == 403


def s3_signed(endpoint: Endpoint) -> Any:
    """A client that signs addresses as the deployed functions do."""
    keys, config = endpoint.credentials, config_of("s3", endpoint.url)
    session = boto3.Session(keys.access_key_id, keys.secret_access_key, region_name=REGION)
    return session.client("s3", endpoint_url=endpoint.url, config=config)


def test_a_function_reaches_its_cloud(lab: Lab) -> None:
    source = """
import boto3
def handler(event, context): return boto3.client("sts").get_caller_identity()["Account"]
"""
    assert lab.invoke(lab.function(source)) == {"error": None, "body": ACCOUNT}


@pytest.mark.parametrize("headers", [each for each in PAGES.values() if "Origin" in each])
def test_the_front_serves_no_other_site_s_page(cloud: LocalCloud, headers: dict[str, str]) -> None:
    answer = requests.post(
        f"{cloud.api_url}/dashboard/sign-in", data=b"a=b", headers=headers, timeout=SECONDS_MAX
    )

    assert (answer.status_code, answer.json()["message"][:19]) == (403, "Pages of other site")


def test_the_front_has_no_other_name(cloud: LocalCloud) -> None:
    named = {"Host": "elsewhere.example"}
    answer = requests.get(f"{cloud.api_url}/dashboard/sign-in", headers=named, timeout=SECONDS_MAX)

    assert answer.status_code == 403


def test_the_front_s_own_pages_are_served_also_to_who_follows_a_link(cloud: LocalCloud) -> None:
    own = {"Origin": cloud.api_url, "Sec-Fetch-Site": "same-origin"}
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    embedded = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}

    def status(path: str, headers: dict[str, str]) -> int:
        return requests.get(f"{cloud.api_url}{path}", headers=headers, timeout=SECONDS_MAX).status_code

    assert [
        status("/dashboard/sign-in", own),
        status("/dashboard/sign-in", link),
        status("/dashboard/sign-in", embedded),
    ] == [
        200,
        200,
        403,
    ]
    assert status("/images/none.png", embedded) == 404
