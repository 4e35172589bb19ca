"""A function imports what its route needs, and nothing of AWS's before its first request."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.handlers import MODULES

HTTP = ("submit_job", "read_job", "read_task", "read_video", "read_wallet", "read_models", "serve_mcp")


@pytest.mark.parametrize("verb", HTTP)
def test_a_handler_imports_no_botocore_while_it_starts(verb: str) -> None:
    not_yet = {"botocore.session", "boto3", "PIL", "av", "nacl", "requests"}

    assert imported_by(MODULES[verb]) & not_yet == set()


def test_what_answers_look_like_is_told_to_type_checkers_alone() -> None:
    imported = imported_by(*(MODULES[verb] for verb in HTTP))

    assert "shoal.dialects.tasks" in imported
    assert not {name for name in imported if name.startswith("shoal.dialects.answers")}


def imported_by(*modules: str) -> set[str]:
    """Every module that is loaded once these are."""
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    done = subprocess.run(  # noqa: S603 the project's own code
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    return set(done.stdout.split())
