"""What failed is found among the jobs of all accounts, once each, and nothing else is."""

from __future__ import annotations

import pytest

from shoal.domain.errors import ValidationFailed
from shoal.ports.jobs import JobPage
from tests.integration.bench import PRICE, Bench

PAGES_MAX = 100


def all_pages(bench: Bench, limit: int) -> list[JobPage]:
    """Every page, from the newest on."""
    pages = [bench.directory.failed_jobs(limit=limit, cursor=None)]
    while (cursor := pages[-1].next_cursor) and len(pages) < PAGES_MAX:
        pages.append(bench.directory.failed_jobs(limit=limit, cursor=cursor))
    return pages


def test_only_what_failed_or_expired_is_listed(bench: Bench) -> None:
    caller, other = bench.account(10 * PRICE), bench.account(10 * PRICE)
    bench.accept(caller)
    bench.settle(bench.begin(bench.accept(caller)))
    bench.cancel_job(caller, bench.accept(caller).id)
    failed = bench.fail(bench.begin(bench.accept(other)))
    bench.clock.pass_seconds(1)
    expired = bench.begin(bench.accept(caller))
    bench.release_hold(expired.account_id, expired.id, "States.Timeout", "")

    (page,) = all_pages(bench, 10)

    assert page.jobs == (bench.job(expired), bench.job(failed))


@pytest.mark.parametrize("limit", [1, 4, 5, 100])
def test_pages_hold_every_failed_job_once_and_newest_first(bench: Bench, limit: int) -> None:
    callers = [bench.account(10 * PRICE) for _ in range(3)]
    failed = [bench.fail(bench.begin(bench.accept(callers[n % 3]))) for n in range(13)]

    pages = all_pages(bench, limit)

    assert [job.id for page in pages for job in page.jobs] == sorted((job.id for job in failed), reverse=True)
    assert all(len(page.jobs) == limit for page in pages[:-1])
    assert pages[-1].jobs


@pytest.mark.parametrize("cursor", ["x", "", "~" * 26, "JOB#1"])
def test_a_cursor_nobody_gave_out_is_refused(bench: Bench, cursor: str) -> None:
    with pytest.raises(ValidationFailed):
        bench.directory.failed_jobs(limit=5, cursor=cursor)
