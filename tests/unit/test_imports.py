"""A function imports what its route needs, and nothing of AWS's before its first request."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.handlers import MODULES

HTTP = ("submit_job", "read_job", "read_task", "read_video", "read_wallet", "read_models", "serve_mcp")


@pytest.mark.parametrize("verb", HTTP)
def test_a_handler_imports_no_botocore_while_it_starts(verb: str) -> None:
    code = (
        f"import sys, {MODULES[verb]};"
        "print(*sorted({'botocore.session', 'boto3', 'PIL', 'av', 'nacl', 'requests'} & sys.modules.keys()))"
    )

    imported = subprocess.run(  # noqa: S603 the project's own code
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout

    assert imported.split() == []
