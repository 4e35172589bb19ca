"""A fake of each provider for each test; a test that leaves a fake with a problem fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import pytest

from tests.fakes.providers.gemini import FakeGemini
from tests.fakes.providers.openai import FakeOpenAi
from tests.fakes.providers.server import FakeProvider
from tests.fakes.providers.stability import FakeStability

Fake = TypeVar("Fake", bound=FakeProvider)


def _served(fake: Fake) -> Iterator[Fake]:
    with fake:
        yield fake
    assert fake.problems == []


@pytest.fixture
def openai() -> Iterator[FakeOpenAi]:
    yield from _served(FakeOpenAi())


@pytest.fixture
def gemini() -> Iterator[FakeGemini]:
    yield from _served(FakeGemini())


@pytest.fixture
def stability() -> Iterator[FakeStability]:
    yield from _served(FakeStability())
