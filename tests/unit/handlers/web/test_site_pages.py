"""The pages for looking: money, usage, jobs, videos; of the account that looks and of no other."""

from __future__ import annotations

import re
from typing import Any

import pytest

from shoal.domain.job import Output
from shoal.domain.models.tariff import Unit
from shoal.domain.money import Asset
from shoal.ports.money import Rollup
from tests.worlds.site import Browser, Site
from tests.worlds.site_fixtures import SCRIPT, customer, inert, member, site
from tests.worlds.world import Customer

__all__ = ["customer", "member", "site"]


def test_the_overview_shows_money_jobs_and_the_last_thirty_days(
    site: Site, member: Browser, customer: Customer
) -> None:
    site.world.completed(customer, prompt="A manta ray")
    site.world.queued(customer, prompt="A whale")

    shown = member.get("")

    assert "A manta ray" in shown.text
    assert "A whale" in shown.text
    assert "$9.96" in shown.text  # $10.00, less a picture of $0.02, less another one's hold
    assert "$0.02 held" in shown.text
    assert len(re.findall(r"<title>\d+ \w+: [^<]+</title>", shown.text)) == 2 * 30
    assert 'hx-trigger="every 2s"' in shown.text


def test_the_live_part_is_sent_only_when_something_changed(
    site: Site, member: Browser, customer: Customer
) -> None:
    job = site.world.processing(customer)
    seen = re.search(r"live\?seen=(\w+)", member.get("").text)
    assert seen
    assert member.piece("/live", seen=seen[1]).status == 204

    site.world.settle_wallet(job.account_id, job.id, [])
    changed = member.piece("/live", seen=seen[1])
    assert changed.status == 200
    assert "Completed" in changed.text
    assert 'hx-trigger="every 5s"' in changed.text


def test_a_sound_is_played_and_a_mesh_is_there_to_be_saved(
    site: Site, member: Browser, customer: Customer
) -> None:
    job = site.world.processing(customer, model="nanobanana", num_outputs=2)
    made = [
        Output(f"images/{job.id}/0.mp3", "audio/mpeg", 0, 0, 99, duration_ms=1_000),
        Output(f"images/{job.id}/1-a1.glb", "model/gltf-binary", 0, 0, 99),
    ]
    site.world.settle_wallet(job.account_id, job.id, made)

    page = member.get(f"/jobs/{job.ulid}").text

    assert re.search(rf'<audio controls [^>]*src="[^"]*/images/{job.id}/0.mp3"', page)
    assert re.search(rf'<a [^>]*href="[^"]*/images/{job.id}/1-a1.glb" download>Download GLB</a>', page)


def test_the_wallet_links_entries_to_their_jobs(site: Site, member: Browser, customer: Customer) -> None:
    job = site.world.completed(customer)

    shown = member.get("/wallet")

    assert shown.text.count(f'href="/dashboard/jobs/{job.ulid}"') == 2
    assert member.get(f"/jobs/{job.ulid}").status == 200
    assert "Capture" in shown.text
    assert "Top-up" in member.get("/wallet", asset="credit").text


def test_usage_adds_up_by_model_and_as_csv(site: Site, member: Browser, customer: Customer) -> None:
    site.world.completed(customer)
    site.world.completed(customer)
    site.world.completed(customer, model="nanobanana")

    shown, csv = member.get("/usage"), member.get("/usage.csv")

    assert "$0.05" in shown.text
    assert csv.headers["Content-Type"].startswith("text/csv")
    rows = [line.split(",") for line in csv.text.splitlines()[1:]]
    assert [(row[1], row[4], row[5]) for row in rows] == [
        ("nanobanana", "0.01", "1"),
        ("shoal-image", "0.04", "2"),
    ]
    only = member.get("/usage.csv", model="nanobanana")
    assert len(only.text.splitlines()) == 2


def test_usage_tells_what_else_was_charged_by(site: Site, member: Browser, customer: Customer) -> None:
    used = Rollup(
        "2027-01-15", "clip", Asset.USD, 2, 620_000, 1, {Unit.SECOND: 12_500, Unit.CHARACTER: 1_000}
    )
    site.world.tables.use(used, site.account_of())

    shown, csv = member.get("/usage"), member.get("/usage.csv")

    assert shown.text.count("12.5 seconds, 1 character") == 2
    assert '"12.5 seconds, 1 character"' in csv.text


def test_usage_of_credits_is_not_added_to_dollars(site: Site, member: Browser, customer: Customer) -> None:
    used = Rollup("2027-01-15", "video", Asset.CREDIT, 3, 3, 1)
    site.world.tables.use(used, site.account_of())
    shown = member.get("/usage")
    assert "3 credits" in shown.text
    assert '<p class="figure">$0.00</p>' in shown.text


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2026-13-01"},
        {"from": "yesterday"},
        {"from": "2026-02-02", "to": "2026-02-01"},
        {"from": "1990-01-01"},
        {"from": "２０２６-01-01"},
    ],
)
def test_days_that_are_none_are_refused(member: Browser, query: dict[str, str]) -> None:
    assert member.get("/usage", **query).status == 422


def test_jobs_are_found_by_words_id_status_and_model(site: Site, member: Browser, customer: Customer) -> None:
    ray = site.world.completed(customer, prompt="A manta ray")
    site.world.queued(customer, prompt="A whale")

    def found(**query: str) -> list[bool]:
        text = member.get("/jobs", **query).text
        return ["A manta ray" in text, "A whale" in text]

    assert found() == [True, True]
    assert found(text="MANTA") == [True, False]
    assert found(text=ray.id) == [True, False]
    assert found(status="queued") == [False, True]
    assert found(model="flux") == [False, False]
    assert member.get("/jobs", status="gone").status == 422
    assert member.get("/jobs", cursor="x").status == 422


def test_a_job_shows_its_course_its_inputs_and_its_events(
    site: Site, member: Browser, customer: Customer
) -> None:
    job = site.world.completed(customer, prompt=SCRIPT, metadata={SCRIPT: SCRIPT})
    shown = member.get(f"/jobs/{job.id}")
    assert "image.completed" in shown.text
    assert "Accepted, price held" in shown.text
    assert "https://cdn.test/" in shown.text
    assert inert(shown)
    assert inert(member.get("/jobs"))
    assert inert(member.get(""))


@pytest.mark.parametrize("suffix", ["", "/live", "/card"])
def test_another_accounts_job_is_not_there(site: Site, member: Browser, suffix: str) -> None:
    theirs = site.world.completed(site.world.customer())
    assert member.get(f"/jobs/{theirs.id}{suffix}").status == 404
    assert member.get(f"/jobs/{theirs.ulid}{suffix}").status == 404
    assert member.get("/playground", again=theirs.id).status == 404


def test_canceling_gives_the_hold_back(site: Site, member: Browser, customer: Customer) -> None:
    job = site.world.queued(customer)
    theirs = site.world.queued(site.world.customer())
    assert member.submit("", f"/jobs/{theirs.id}/cancel").status == 404

    assert member.submit("", f"/jobs/{job.id}/cancel").status == 303
    assert site.world.wallet(customer).held == 0
    assert member.submit("", f"/jobs/{job.id}/cancel").location == f"/dashboard/jobs/{job.id}", "as it is"


@pytest.mark.parametrize("body", [{}, {"model": "flux", "num_outputs": 2, "seed": 7}])
def test_a_retry_asks_for_the_same_once(
    site: Site, member: Browser, customer: Customer, body: dict[str, Any]
) -> None:
    job = site.world.completed(customer, prompt="A manta ray", **body)
    page = member.get(f"/jobs/{job.id}")
    form = {name: page.hidden(name) for name in ("csrf", "once")}

    first = member.post(f"/jobs/{job.id}/retry", **form)
    second = member.post(f"/jobs/{job.id}/retry", **form)

    assert first.status == 303
    assert first.location == second.location
    again = site.world.jobs.get(customer.account_id, first.location.rpartition("/")[2])
    assert again.submission == job.submission
    assert len([each for each in site.world.tables.jobs.values() if not each.status.terminal]) == 1


def test_what_was_made_with_play_money_is_not_done_again_with_real_money(
    site: Site, member: Browser, customer: Customer
) -> None:
    member.submit("", "/mode", mode="test")
    member.submit("/playground", "/playground/run", model="image", mode="1k", prompt="A whale")
    (job,) = site.world.tables.jobs.values()
    member.submit("", "/mode", mode="live")

    assert member.submit("/keys", f"/jobs/{job.id}/retry").status == 404

    assert list(site.world.tables.jobs.values()) == [job]


def test_a_video_shows_its_script_and_scenes(site: Site, member: Browser, customer: Customer) -> None:
    video = site.world.video(customer, idea=SCRIPT)
    site.world.jobs.begin(video.account_id, video.id, 0, "token", site.world.clock.ms)
    site.world.write_script(video.account_id, video.id)
    shown = member.get(f"/jobs/{video.id}")
    assert "Scene 2" in shown.text
    assert inert(shown)
    assert inert(member.get("/videos"))
