"""The snippets of the documentation do what they say."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from infra import NODE
from shoal.domain.webhook_signature import signed_headers
from shoal.webhook_verifier import verify, verify_vidshark
from tests.setup import go

PAGE = Path(__file__).parents[2] / "docs" / "webhooks.md"
OLD = "whsec_" + base64.b64encode(bytes(range(32))).decode()
SECRET = "whsec_" + base64.b64encode(bytes(range(32, 64))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(32)).decode()
BODY = '{"id":"evt_1","data":{"title":"gro\\u00df, \\"$quoted\\" & `odd`"}}'
SECONDS_MAX = 240

Case = tuple[str, dict[str, str], str]
"""A secret, headers with lower-case names, and a body."""

Verifier = Callable[[Path, list[Case]], list[bool]]

PYTHON_CALLS = """
import json, sys
cases = json.load(sys.stdin)
print(json.dumps([verify(secret, headers, body.encode()) for secret, headers, body in cases]))
"""
JAVASCRIPT_CALLS = """
import { readFileSync } from "node:fs";
const cases = JSON.parse(readFileSync(0, "utf8"));
const accepted = cases.map(([secret, headers, body]) => verify(secret, headers, Buffer.from(body)));
console.log(JSON.stringify(accepted));
"""
GO_CALLS = """package main

import (
	"encoding/json"
	"os"
)

func main() {
	var cases [][5]string
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		panic(err)
	}
	accepted := []bool{}
	for _, each := range cases {
		accepted = append(accepted, Verify(each[0], each[1], each[2], each[3], []byte(each[4])))
	}
	_ = json.NewEncoder(os.Stdout).Encode(accepted)
}
"""


def snippet(language: str, containing: str) -> str:
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.S | re.M)
    (found,) = [block for block in blocks if containing in block]
    return str(found)


def answers(command: list[str], folder: Path, cases: Sequence[object]) -> list[bool]:
    """What a program prints that reads the cases from its standard input."""
    done = subprocess.run(  # noqa: S603 - snippets of our own page
        command,
        cwd=folder,
        env=go.environment(),
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    printed: list[bool] = json.loads(done.stdout)
    return printed


def in_python(folder: Path, cases: list[Case]) -> list[bool]:
    program = folder / "verify.py"
    program.write_text(snippet("python", "def verify") + PYTHON_CALLS, encoding="utf-8")
    return answers([sys.executable, str(program)], folder, cases)


def in_javascript(folder: Path, cases: list[Case]) -> list[bool]:
    program = folder / "verify.mjs"
    program.write_text(snippet("javascript", "function verify") + JAVASCRIPT_CALLS, encoding="utf-8")
    return answers([NODE, str(program)], folder, cases)


def in_go(folder: Path, cases: list[Case]) -> list[bool]:
    (folder / "verify.go").write_text(snippet("go", "func Verify"), encoding="utf-8")
    (folder / "main.go").write_text(GO_CALLS, encoding="utf-8")
    go.build_library()
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    flat = [(secret, *(headers[name] for name in names), body) for secret, headers, body in cases]
    return answers([str(go.GO), "run", "verify.go", "main.go"], folder, flat)


def signed(*secrets: str, at_s: float) -> dict[str, str]:
    headers = signed_headers(secrets, "evt_1", int(at_s), BODY.encode())
    return {name.lower(): value for name, value in headers.items()}


@pytest.mark.parametrize("verifier", [in_python, in_javascript, in_go], ids=lambda each: each.__name__)
def test_a_verifier_accepts_deliveries_and_nothing_else(tmp_path: Path, verifier: Verifier) -> None:
    now_s = time.time()
    good, rotating = signed(SECRET, at_s=now_s), signed(SECRET, OLD, at_s=now_s)
    cases: list[tuple[Case, bool]] = [
        ((SECRET, good, BODY), True),
        ((SECRET, rotating, BODY), True),
        ((OLD, rotating, BODY), True),
        ((OTHER, rotating, BODY), False),
        ((SECRET, good, f"{BODY} "), False),
        ((SECRET, good | {"webhook-id": "evt_2"}, BODY), False),
        ((SECRET, good | {"webhook-signature": "v1, v2 "}, BODY), False),
        ((SECRET, signed(SECRET, at_s=now_s - 1000), BODY), False),
        ((SECRET, signed(SECRET, at_s=now_s + 1000), BODY), False),
    ]
    assert verifier(tmp_path, [case for case, _ in cases]) == [accepted for _, accepted in cases]


def test_curl_and_openssl_sign_as_shoal_does(tmp_path: Path) -> None:
    sent = tmp_path / "sent"
    curl = tmp_path / "curl"
    curl.write_text(f'#!/bin/sh\nfor each; do printf "%s\\0" "$each"; done > "{sent}"\n', encoding="utf-8")
    curl.chmod(0o755)
    shell = shutil.which("sh")
    assert shell is not None
    subprocess.run(  # noqa: S603 - a snippet of our own page
        [shell, "-eu", "-c", snippet("sh", "openssl")],
        env={
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "SECRET": SECRET,
            "ENDPOINT": "https://hooks.example.com/",
            "BODY": BODY,
        },
        check=True,
        timeout=SECONDS_MAX,
    )
    arguments = sent.read_text(encoding="utf-8").split("\0")
    headers = dict(each.split(": ", 1) for flag, each in pairwise(arguments) if flag == "-H")
    body = arguments[arguments.index("-d") + 1].encode()
    assert body == BODY.encode()
    assert verify(SECRET, headers, body)
    assert verify_vidshark(SECRET, headers["VidShark-Signature"], body)


def test_the_verifier_of_the_published_document_keeps_the_last_signature() -> None:
    """That one makes a dictionary of the header's parts, so a later `v1` replaces an earlier one."""
    header = signed(SECRET, OLD, at_s=1_778_667_794)["vidshark-signature"]
    parts = dict(part.split("=", 1) for part in header.split(","))
    message = f"{parts['t']}.{BODY}".encode()
    assert parts["v1"] == hmac.new(SECRET.encode(), message, hashlib.sha256).hexdigest()
