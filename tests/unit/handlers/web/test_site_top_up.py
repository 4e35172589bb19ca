"""The page where people buy: what it offers, where it leads, and what somebody who comes back finds."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from shoal.domain.money import Asset
from shoal.domain.wallet import EntryKind, Movement
from tests.fakes.payments import PAGE
from tests.worlds.payment_world import CENT
from tests.worlds.site import STRIPE_URL, Browser, Shown, Site
from tests.worlds.site_fixtures import ULID, customer, member, site
from tests.worlds.world import Customer

__all__ = ["customer", "member", "site"]

RICH = 1_000 * CENT
"""What `customer` begins with."""


def checkout_of(shown: Shown) -> str:
    """The checkout whose page a browser is sent to."""
    assert shown.status == 303
    page, _, checkout_id = shown.location.rpartition("/")
    assert page == PAGE
    return checkout_id


def paid(site: Site, browser: Browser, **form: str) -> Shown:
    """Choose, pay, and be sent back: what the browser is then shown."""
    checkout_id = checkout_of(browser.submit("/top-up", "/top-up", **form))
    site.till.books.pay(checkout_id)
    return come_back(site, browser, checkout_id)


def come_back(site: Site, browser: Browser, checkout_id: str) -> Shown:
    target = urlsplit(site.till.books.session(checkout_id)["success_url"])
    assert target.path == "/dashboard/top-up"
    query = {name: values[0] for name, values in parse_qs(target.query).items()}
    assert query.pop("checkout") == "{CHECKOUT_SESSION_ID}"
    return browser.get("/top-up", checkout=checkout_id, **query)


def follow(browser: Browser, shown: Shown) -> Shown:
    assert shown.status == 303
    target = urlsplit(shown.location)
    query = {name: values[0] for name, values in parse_qs(target.query).items()}
    return browser.get(target.path.removeprefix("/dashboard"), **query)


def test_the_wallet_leads_to_what_the_catalog_sells(member: Browser) -> None:
    assert 'href="/dashboard/top-up"' in member.get("/wallet").text

    shown = member.get("/top-up")

    assert shown.status == 200
    for offer in ("$10.00", "$25.00", "$100.00", "10 credits", "50 credits", "for $45.00", "From $10.00"):
        assert offer in shown.text


@pytest.mark.parametrize(
    ("api", "pages"),
    [
        (STRIPE_URL, "https://checkout.stripe.com"),
        ("http://127.0.0.1:4711", "http://127.0.0.1:4711"),
    ],
)
def test_forms_may_end_at_stripes_pages_from_this_page_only(
    site: Site, member: Browser, api: str, pages: str
) -> None:
    site.stripe_url = api
    policies = [member.get(path).headers["Content-Security-Policy"] for path in ("/top-up", "/wallet")]

    assert f"form-action 'self' {pages};" in policies[0]
    assert "form-action 'self';" in policies[1]


def test_a_stage_without_keys_sends_people_to_its_operator(site: Site, member: Browser) -> None:
    csrf = member.get("/top-up").hidden("csrf")
    site.till.processor.off = True

    shown = member.get("/top-up")

    assert "ask the operator" in shown.text
    assert f'<code id="account-id">{site.account_of()}</code>' in shown.text
    assert 'action="/dashboard/top-up"' not in shown.text
    assert "form-action 'self';" in shown.headers["Content-Security-Policy"]
    assert member.post("/top-up", csrf=csrf, once=site_once(site), amount="25.00").status == 503


def site_once(site: Site) -> str:
    return site.world.ids.new("once", site.world.clock.ms).partition("_")[2]


@pytest.mark.parametrize("amount", ["25", "25.00", "$25.00", " 25.00 "])
def test_what_was_paid_is_in_the_wallet_once(
    site: Site, member: Browser, customer: Customer, amount: str
) -> None:
    back = paid(site, member, amount=amount)
    site.till.tell_all()
    shown = follow(member, back)

    assert "your payment is in the wallet" in shown.text
    assert "+$25.00" in shown.text
    (payment_id,) = site.till.books.payments
    assert payment_id in shown.text
    assert follow(member, come_back(site, member, *site.till.books.sessions)).status == 200
    assert site.world.wallet(customer).balance == RICH + 2_500 * CENT


def test_a_pack_is_credits_at_its_price(site: Site, member: Browser, customer: Customer) -> None:
    shown = follow(member, paid(site, member, credits="50"))

    (payment,) = site.till.books.payments.values()
    assert payment["amount"] == 4_500
    assert "+50" in shown.text
    assert site.world.wallet(customer, Asset.CREDIT).balance == 70
    assert site.world.wallet(customer).balance == RICH


def test_a_form_sent_twice_opens_one_checkout_and_another_choice_another(site: Site, member: Browser) -> None:
    page = member.get("/top-up")
    form = {name: page.hidden(name) for name in ("csrf", "once")}

    first, again, other = (
        checkout_of(member.post("/top-up", **form, amount=amount)) for amount in ("25.00", "25", "50.00")
    )

    assert first == again != other
    assert site.till.books.sessions.keys() == {first, other}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"amount": "9.99"}, "from $10.00 to $1000.00"),
        ({"amount": "1000.01"}, "from $10.00 to $1000.00"),
        ({"amount": "-25"}, "has the form"),
        ({"amount": "25.001"}, "has the form"),
        ({"amount": "1e3"}, "has the form"),
        ({"amount": "9" * 400}, "has the form"),
        ({"amount": "<b>25"}, "has the form"),
        ({}, "has the form"),
        ({"credits": "11"}, "no such pack"),
        ({"credits": "-10"}, "no such pack"),
        ({"credits": "9" * 5_000}, "no such pack"),
        ({"amount": "25.00", "once": "../../x"}, "out of date"),
    ],
)
def test_what_is_not_sold_is_said_on_the_page(
    site: Site, member: Browser, wrong: dict[str, str], says: str
) -> None:
    shown = member.submit("/top-up", "/top-up", **wrong)

    assert shown.status == 422
    assert says in shown.text.partition('role="alert"')[2].partition("</p>")[0]
    assert "<b>25" not in shown.text
    assert site.till.books.sessions == {}
    assert checkout_of(member.post("/top-up", amount="25", **hidden(shown)))


def hidden(shown: Shown) -> dict[str, str]:
    return {name: shown.hidden(name) for name in ("csrf", "once")}


def test_a_forged_form_buys_nothing(site: Site, member: Browser) -> None:
    form = hidden(member.get("/top-up")) | {"amount": "25.00"}

    assert member.post("/top-up", **form | {"csrf": "x" * 40}).status == 403
    foreign = {"sec-fetch-site": "cross-site"}
    assert member.send("POST", "/top-up", fields=form, headers=foreign).status == 403
    assert site.browser().post("/top-up", **form).location.startswith("/dashboard/sign-in")

    assert site.till.books.sessions == {}


def test_coming_back_from_another_site_needs_no_form(site: Site, member: Browser) -> None:
    checkout_id = checkout_of(member.submit("/top-up", "/top-up", amount="25.00"))
    site.till.books.pay(checkout_id)

    query, headers = {"checkout": checkout_id}, {"sec-fetch-site": "cross-site"}
    back = member.send("GET", "/top-up", query=query, headers=headers)

    assert back.location == "/dashboard/wallet?asset=usd&top_up=paid"


def test_another_accounts_checkout_is_not_there(site: Site, member: Browser, customer: Customer) -> None:
    other = site.member("other@example.com")
    checkout_id = checkout_of(other.submit("/top-up", "/top-up", amount="25.00"))
    site.till.books.pay(checkout_id)

    for wanted in (checkout_id, "cs_test_999", "../payment_intents/pi_1", "cs_" + "x" * 5_000):
        assert member.get("/top-up", checkout=wanted).status == 404

    assert site.world.wallet(customer).balance == RICH


def test_what_is_not_paid_yet_is_said(site: Site, member: Browser, customer: Customer) -> None:
    first, second = (
        checkout_of(member.submit("/top-up", "/top-up", amount=amount)) for amount in ("25", "50")
    )
    assert "Nothing was paid" in follow(member, come_back(site, member, first)).text
    site.till.books.pay(first, settled=False)
    site.till.books.expire(second)

    assert "still on its way" in follow(member, come_back(site, member, first)).text
    assert "has expired" in follow(member, come_back(site, member, second)).text
    assert 'role="status"' not in member.get("/wallet", top_up="a wish").text
    assert site.world.wallet(customer).balance == RICH


def test_play_money_is_not_sold(site: Site, member: Browser) -> None:
    form = hidden(member.get("/top-up")) | {"amount": "25.00"}
    member.submit("", "/mode", mode="test", next="/top-up")

    shown = member.get("/top-up")
    assert "Switch to Live" in shown.text
    assert member.post("/top-up", **form).status == 403, "a form of the other mode"
    assert member.post("/top-up", **form | {"csrf": shown.hidden("csrf")}).status == 422
    assert site.till.books.sessions == {}


def test_what_went_back_is_told_in_plain_words_and_what_is_owed_too(
    site: Site, member: Browser, customer: Customer
) -> None:
    paid(site, member, amount="25.00")
    (payment_id,) = site.till.books.payments
    spent = Movement(
        site.account_of(), Asset.USD, EntryKind.CAPTURE, ULID, site.world.clock.ms, balance_delta=-3 * RICH
    )
    site.world.tables.move(spent)
    site.till.books.refund(payment_id, 1_000)
    site.till.books.dispute(payment_id, 1_500)
    site.till.tell_all()

    shown = member.get("/wallet")

    for words in ("Payment refunded", "−$10.00", "Payment disputed", "−$15.00", f"of {payment_id}"):
        assert words in shown.text
    assert "You owe $20.00" in shown.text
    operator = site.member("op@example.com", operator=True)
    assert "$20.00 owed" in operator.get(f"/operate/accounts/{site.account_of()}").text
