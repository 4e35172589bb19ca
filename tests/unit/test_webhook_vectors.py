"""Both families of signatures against golden vectors that openssl made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shoal.domain.webhook_signature import signed_headers
from shoal.webhook_verifier import TOLERANCE_S, verify, verify_vidshark

VECTORS = Path(__file__).parents[1] / "vectors" / "webhook_signatures.json"
CASES: list[dict[str, Any]] = json.loads(VECTORS.read_text(encoding="utf-8"))["cases"]


@pytest.fixture(params=CASES, ids=lambda case: case["name"])
def case(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = request.param
    return found


def headers_of(case: dict[str, Any]) -> dict[str, str]:
    return {
        "Webhook-Id": case["event_id"],
        "Webhook-Timestamp": str(case["at_s"]),
        "Webhook-Signature": case["webhook_signature"],
    }


def test_deliveries_are_signed_as_the_vectors_are(case: dict[str, Any]) -> None:
    headers = signed_headers(case["secrets"], case["event_id"], case["at_s"], case["body"].encode())
    assert headers == {
        "VidShark-Signature": case["vidshark_signature"],
        "webhook-id": case["event_id"],
        "webhook-timestamp": str(case["at_s"]),
        "webhook-signature": case["webhook_signature"],
    }


def test_the_published_verifier_accepts_every_secret_that_signs(case: dict[str, Any]) -> None:
    for secret in case["secrets"]:
        body = case["body"].encode()
        assert verify(secret, headers_of(case), body, now_s=case["at_s"])
        assert verify_vidshark(secret, case["vidshark_signature"], body, now_s=case["at_s"])


@pytest.mark.parametrize("age_s", [TOLERANCE_S + 1, -TOLERANCE_S - 1])
def test_it_refuses_what_is_too_old_or_too_new(case: dict[str, Any], age_s: int) -> None:
    secret, body, now_s = case["secrets"][0], case["body"].encode(), case["at_s"] + age_s
    assert not verify(secret, headers_of(case), body, now_s=now_s)
    assert not verify_vidshark(secret, case["vidshark_signature"], body, now_s=now_s)


@pytest.mark.parametrize("changed", ["body", "secret", "id", "time", "signature"])
def test_it_refuses_what_was_changed(changed: str) -> None:
    case = CASES[0]
    headers, secret, body = headers_of(case), case["secrets"][0], case["body"].encode()
    vidshark = case["vidshark_signature"]
    if changed == "body":
        body += b" "
    elif changed == "secret":
        secret = CASES[1]["secrets"][0]
    elif changed == "id":
        headers["Webhook-Id"] = "evt_other"
    elif changed == "time":
        headers["Webhook-Timestamp"] = str(case["at_s"] + 1)
    else:
        headers["Webhook-Signature"] = "v1,\ud800 v1a,x"
    assert not verify(secret, headers, body, now_s=case["at_s"])
    if changed in ("body", "secret"):
        assert not verify_vidshark(secret, vidshark, body, now_s=case["at_s"])


@pytest.mark.parametrize("header", ["", "t=,v1=", "v1=ab", "t=9999999999999999,v1=ab", "t=١,v1=ab", "=,="])
def test_a_malformed_header_is_no_signature(header: str) -> None:
    assert not verify_vidshark("whsec_AAAA", header, b"", now_s=1)
    assert not verify("whsec_AAAA", {"webhook-signature": header}, b"", now_s=1)
