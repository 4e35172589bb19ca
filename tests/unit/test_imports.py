"""A function imports what its route needs, and nothing of AWS's before its first request."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.handlers import MODULES

HTTP = ("submit_job", "read_job", "list_jobs", "cancel_job", "read_wallet", "read_models", "serve_mcp")


@pytest.mark.parametrize("verb", HTTP)
def test_a_handler_imports_no_botocore_while_it_starts(verb: str) -> None:
    not_yet = {"botocore.session", "boto3", "PIL", "av", "nacl", "requests"}

    assert imported_by(MODULES[verb]) & not_yet == set()


def test_what_answers_look_like_is_told_to_type_checkers_alone() -> None:
    imported = imported_by(*(MODULES[verb] for verb in HTTP))

    assert "shoal.dialects.tasks" in imported
    assert not {name for name in imported if name.startswith("shoal.dialects.answers")}


def imported_by(*modules: str, then: str = "pass") -> set[str]:
    """Every module that is loaded once these are, and this was done."""
    code = f"import sys, {', '.join(modules)}; {then}; print(*sys.modules)"
    done = subprocess.run(  # noqa: S603 the project's own code
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("name", "loaded"),
    [
        ("image-v1", {"image"}),
        ("generate", {"image"}),
        ("tasks", {"tasks"}),
        ("quote", {"tasks"}),
        ("video", {"video"}),
    ],
)
def test_a_request_loads_the_api_that_it_speaks_and_no_other(name: str, loaded: set[str]) -> None:
    speak = f"__import__('shoal.dialects.spoken', fromlist=['spoken']).spoken({name!r})"
    imported = imported_by(MODULES["submit_job"], MODULES["read_job"], then=speak)

    apis = {api for api in ("image", "tasks", "video") if f"shoal.dialects.{api}" in imported}
    assert apis == loaded
