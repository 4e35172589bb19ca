"""What operators see and do; what they do, they do once."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

import pytest

from shoal.domain.breaker import Breaker
from shoal.domain.catalog import load_catalog
from shoal.domain.errors import Forbidden
from shoal.domain.money import Asset
from shoal.domain.routing import Board
from shoal.domain.spend import Spend
from shoal.ports.jobs import JobFilter, JobPage
from tests.fakes.tables import FakeJobs
from tests.worlds.site import Browser, Site
from tests.worlds.site_fixtures import SCRIPT, inert, site
from tests.worlds.world import Customer

__all__ = ["site"]


@pytest.fixture
def operator(site: Site) -> Browser:
    return site.member("op@example.com", operator=True)


def test_all_accounts_and_all_open_work_are_shown(site: Site, operator: Browser, customer: Customer) -> None:
    job = site.world.queued(customer, prompt=SCRIPT)
    site.world.clock.ms += 3_600_000

    shown = operator.get("/operate")

    assert customer.account_id in shown.text
    assert job.id in shown.text
    assert "1 stuck" in shown.text
    assert "simulator" in shown.text
    assert inert(shown)


def test_the_failed_jobs_of_all_accounts_are_shown_newest_first(
    site: Site, operator: Browser, customer: Customer
) -> None:
    neighbour = site.world.customer()
    site.world.completed(customer, prompt="A fine whale")
    failed = [site.world.failed(customer, prompt=SCRIPT)]
    site.world.clock.ms += 1
    failed += [site.world.failed(neighbour)]

    for path in ("/operate", "/operate/failed"):
        shown = operator.get(path)
        table = shown.text.partition('aria-label="Failed jobs"')[2].partition("</table>")[0]
        assert re.findall(r"/accounts/\w+/jobs/(\w+)", table) == [failed[1].id, failed[0].id]
        assert "provider_failed" in table
        assert f">{neighbour.account_id}<" in table
        assert inert(shown)


def test_failed_jobs_are_shown_a_page_at_a_time(site: Site, operator: Browser, customer: Customer) -> None:
    failed = sorted((site.world.failed(customer).id for _ in range(45)), reverse=True)

    seen: list[str] = []
    path, query = "/operate/failed", dict[str, str]()
    for size in (20, 20, 5):
        shown = operator.get(path, **query).text
        found = re.findall(r"/jobs/(job_\w+)", shown)
        assert len(found) == size
        seen += found
        older = re.search(r'cursor=(\w+)">Older', shown)
        query = {"cursor": older[1]} if older else {}

    assert query == {}
    assert seen == failed
    assert operator.get(path, cursor="x").status == 422


def test_nothing_failed_yet(operator: Browser) -> None:
    assert "Nothing has failed." in operator.get("/operate/failed").text


def test_an_account_shows_its_wallets_keys_and_jobs(
    site: Site, operator: Browser, customer: Customer
) -> None:
    done = site.world.completed(customer, prompt="A whale")

    found = operator.get("/operate/find", account=customer.account_id)
    shown = operator.get(found.location.removeprefix("/dashboard"))

    assert "A whale" in shown.text
    assert "$9.98" in shown.text
    assert customer.stored_key.last_four in shown.text
    assert customer.stored_key.digest not in shown.text
    job = f"/operate/accounts/{customer.account_id}/jobs/{done.id}"
    assert "Refund $0.02" in operator.get(job).text
    assert "A whale" not in operator.get(found.location.removeprefix("/dashboard"), only="failed").text


def test_a_grant_sent_twice_is_granted_once(site: Site, operator: Browser, customer: Customer) -> None:
    path = f"/operate/accounts/{customer.account_id}"
    page = operator.get(path)
    form = {name: page.hidden(name) for name in ("csrf", "once")} | {"asset": "usd", "reason": "Sorry"}

    answers = [operator.post(f"{path}/grant", **form | {"amount": each}) for each in ("2.50", "2.50", "9")]

    done = [answer.location.partition("?")[2] for answer in answers[:2]]
    assert done == ["done=granted", "done=granted-before"]
    assert answers[2].status == 422
    assert "2.50 usd" in answers[2].text
    assert "9.00 usd" in answers[2].text
    (grant,) = [each for each in site.world.tables.grants.values() if each.reference == form["once"]]
    assert (grant.operator, grant.reason, grant.amount) == ("op@example.com", "Sorry", 2_500_000)
    assert (grant.account_id, grant.asset) == (customer.account_id, Asset.USD)
    assert "nothing was added" in operator.get(path, done="granted-before").text
    assert site.world.wallet(customer).balance == 12_500_000


@pytest.mark.parametrize(
    ("amount", "asset"),
    [
        ("", "usd"),
        ("-1", "usd"),
        ("0", "usd"),
        ("1e9", "usd"),
        ("1.5", "credit"),
        ("5", "test_usd"),
        ("x", "credit"),
        ("1_0", "credit"),
        ("\u0661", "credit"),
    ],
)
def test_a_wrong_amount_grants_nothing(
    site: Site, operator: Browser, customer: Customer, amount: str, asset: str
) -> None:
    path = f"/operate/accounts/{customer.account_id}"
    before = dict(site.world.tables.wallets)
    assert operator.submit(path, f"{path}/grant", amount=amount, asset=asset, reason="x").status == 422
    assert site.world.tables.wallets == before


@pytest.mark.parametrize("reason", ["", " ", "\u200b", "x" * 501])
def test_who_says_no_reason_grants_nothing(
    site: Site, operator: Browser, customer: Customer, reason: str
) -> None:
    path, before = f"/operate/accounts/{customer.account_id}", dict(site.world.tables.wallets)
    sent = {"amount": "1", "asset": "usd", "reason": reason}

    assert operator.submit(path, f"{path}/grant", **sent).status == 422
    assert site.world.tables.wallets == before


def test_a_job_is_refunded_once_and_the_ledger_still_adds_up(
    site: Site, operator: Browser, customer: Customer
) -> None:
    job = site.world.completed(customer)
    path = f"/operate/accounts/{customer.account_id}/jobs/{job.id}"

    first, second = (operator.submit(path, f"{path}/refund", reason="Blurred") for _ in range(2))

    assert (first.location.endswith("refunded"), second.location.endswith("before")) == (True, True)
    assert site.world.wallet(customer).balance == 10_000_000
    assert site.world.audit_ledger() == []
    assert "equals its ledger" in operator.submit("/operate", "/operate/audit").text


def test_a_job_that_cost_nothing_is_not_refunded(site: Site, operator: Browser, customer: Customer) -> None:
    job = site.world.queued(customer)
    path = f"/operate/accounts/{customer.account_id}/jobs/{job.id}"
    assert operator.submit("/operate", f"{path}/refund", reason="x").status == 409
    assert site.world.wallet(customer, Asset.USD).balance == 10_000_000


@dataclass
class Sparse(FakeJobs):
    """Only the tenth look is the last."""

    looks: int = 0

    def page(self, account_id: str, which: JobFilter, *, limit: int, cursor: str | None) -> JobPage:
        self.looks += 1
        found = super().page(account_id, which, limit=limit, cursor=cursor)
        (job,) = self.tables.jobs.values()
        return JobPage(found.jobs, job.ulid if self.looks < 10 else None)


def test_a_filter_that_finds_nothing_in_one_look_costs_one_look(
    site: Site, operator: Browser, customer: Customer
) -> None:
    cursor = site.world.queued(customer).ulid
    site.world.jobs = sparse = Sparse(site.world.network, site.world.tables)

    shown = operator.get(f"/operate/accounts/{customer.account_id}", only="failed")

    assert sparse.looks == 1
    assert f"cursor={cursor}" in shown.text


def test_a_suspended_accounts_keys_are_refused_until_it_is_lifted(
    site: Site, operator: Browser, customer: Customer
) -> None:
    path = f"/operate/accounts/{customer.account_id}"

    assert operator.submit(path, f"{path}/suspend").status == 303
    with pytest.raises(Forbidden, match="suspended"):
        site.world.authenticate(f"Bearer {customer.key}")
    assert "Suspended" in operator.get(path).text

    assert operator.submit(path, f"{path}/resume").status == 303
    assert site.world.authenticate(f"Bearer {customer.key}").account_id == customer.account_id


def test_the_brake_of_an_account_is_shown_and_lifted(
    site: Site, operator: Browser, customer: Customer
) -> None:
    path, world = f"/operate/accounts/{customer.account_id}", site.world
    assert "for nothing" not in operator.get(path).text
    world.open_jobs.leave(world.queued(customer), Spend(for_nothing=1_250_000), world.clock.ms)
    shown = operator.get(path).text
    assert "$1.25 at providers' prices for nothing" in html.unescape(shown)
    with pytest.raises(Forbidden):
        world.queued(customer)

    assert operator.submit(path, f"{path}/lift-brake").status == 303

    assert world.queued(customer)
    assert "lifted for today" in operator.get(path).text


def test_an_operator_cannot_suspend_themselves(site: Site, operator: Browser) -> None:
    own = site.account_of("op@example.com")
    assert operator.submit("/operate", f"/operate/accounts/{own}/suspend").status == 422


def test_a_suspended_operator_sees_nobody_elses_things_any_more(
    site: Site, operator: Browser, customer: Customer
) -> None:
    job = site.world.completed(customer, prompt="A whale")
    assert 'href="/dashboard/operate"' in operator.get("").text
    site.operate.suspend(site.account_of("op@example.com"), "acc_other")

    account = f"/operate/accounts/{customer.account_id}"
    for path in ("/operate", "/operate/find", account, f"{account}/jobs/{job.id}"):
        shown = operator.get(path, account=customer.account_id)
        assert shown.status == 403
        assert "suspended" in shown.text
        assert "A whale" not in shown.text
        assert "$9.98" not in shown.text
    assert 'href="/dashboard/operate"' not in operator.get("").text
    assert operator.submit("", f"{account}/resume").status == 403
    assert operator.submit("", "/sign-out").status == 303


@pytest.mark.parametrize("action", ["grant", "suspend", "resume", "lift-brake", "jobs/job_1/refund"])
def test_nobody_else_does_what_operators_do(site: Site, customer: Customer, action: str) -> None:
    member = site.member()
    fields = {"amount": "5", "asset": "usd"}
    answer = member.submit("/keys", f"/operate/accounts/{customer.account_id}/{action}", **fields)
    assert answer.status == 404
    assert site.world.wallet(customer).balance == 10_000_000
    assert not site.world.tables.accounts[customer.account_id].suspended


def test_a_link_puts_no_words_into_the_operators_pages(
    site: Site, operator: Browser, customer: Customer
) -> None:
    job = site.world.completed(customer)
    account = f"/operate/accounts/{customer.account_id}"
    for path in (account, f"{account}/jobs/{job.id}"):
        shown = operator.get(path, done="grant twice to be sure")
        assert shown.status == 200
        assert "to be sure" not in shown.text


def test_an_account_id_that_can_be_none_is_not_looked_for(operator: Browser, site: Site) -> None:
    before = site.world.network.calls.count("accounts.get")
    assert operator.get("/operate/find", account="x" * 2100).status == 404
    # The error's page looks for the operator's own, and nothing else does.
    assert site.world.network.calls.count("accounts.get") == before + 1


@pytest.mark.parametrize("path", ["/operate/accounts/acc_nobody", "/operate/find"])
def test_what_is_not_there_is_not_found(operator: Browser, path: str) -> None:
    assert operator.get(path).status == 404


def test_the_routes_of_every_model_are_shown_with_their_troubles(site: Site, operator: Browser) -> None:
    now_ms = site.world.clock.now_ms()
    flux, other = load_catalog().models["flux"].routes
    site.world.board.board = Board(
        keyed=frozenset({flux.key_name, other.key_name}), open_until_ms={flux.name: now_ms + 1}
    )
    site.world.board.broken = {flux.name: Breaker(open_until_ms=now_ms + 1, reason=SCRIPT)}

    routes = {each.model: each for each in site.operate.routes()}
    shown = operator.get("/operate")

    assert routes["flux"].used == other.provider
    assert [tried.ready for tried in routes["flux"].routes] == [True, True]
    assert routes["gpt-image"].used is None
    row = shown.text.partition('<td class="nowrap">flux</td>')[2].partition("</tr>")[0]
    assert re.findall(r'class="badge \w+">(\w[\w ]*)<', row) == ["Open", "Ready"]
    assert inert(shown)


def test_above_the_cap_a_second_operator_confirms_once(
    site: Site, operator: Browser, customer: Customer
) -> None:
    site.cap_grants({Asset.USD: 5_000_000})
    second = site.member("second@example.com", operator=True)
    path, before = f"/operate/accounts/{customer.account_id}", site.world.wallet(customer).balance
    asked = operator.submit(path, f"{path}/grant", amount="6", asset="usd", reason=SCRIPT)
    assert asked.location == "/dashboard/operate?done=pending"

    own, others = operator.get("/operate", done="pending"), second.get("/operate")
    form = {name: others.hidden(name) for name in ("csrf", "kind", "reference")}
    mine = {**form, "csrf": own.hidden("csrf")}
    refused = operator.post("/operate/confirm", **mine)
    assert (refused.status, site.world.wallet(customer).balance) == (422, before)
    answers = [second.post("/operate/confirm", **form) for _ in range(2)]

    assert "it waits until another operator confirms" in own.text
    assert "$6.00" in own.text
    assert 'action="/dashboard/operate/confirm"' not in own.text
    assert "op@example.com" in others.text
    assert inert(others)
    assert answers[0].location == "/dashboard/operate?done=confirmed"
    assert answers[1].status == 404
    assert site.world.wallet(customer).balance == before + 6_000_000
    assert "Grants to confirm" not in second.get("/operate").text


def test_above_the_cap_a_refund_waits_too(site: Site, operator: Browser, customer: Customer) -> None:
    site.cap_grants({Asset.USD: 1})
    second = site.member("second@example.com", operator=True)
    job, before = site.world.completed(customer), site.world.wallet(customer).balance
    path = f"/operate/accounts/{customer.account_id}/jobs/{job.id}"
    assert operator.submit(path, f"{path}/refund", reason="Sorry").location.endswith("done=pending")
    assert site.world.wallet(customer).balance == before

    waiting = second.get("/operate")
    second.post("/operate/confirm", **{name: waiting.hidden(name) for name in ("csrf", "kind", "reference")})

    assert site.world.wallet(customer).balance == before + job.price
    assert "Refund of" in waiting.text


def test_what_never_waited_is_not_confirmed(operator: Browser) -> None:
    for kind, reference in (("top_up", "nothing"), ("hold", "x"), ("nonsense", "x")):
        sent = {"kind": kind, "reference": reference, "csrf": operator.get("/operate").hidden("csrf")}
        assert operator.post("/operate/confirm", **sent).status == 404
