"""What the tests of pages share: somebody at a browser, with money and a key."""

from __future__ import annotations

import pytest

from shoal.domain.api_key import Caller
from shoal.domain.money import Asset
from shoal.domain.wallet import EntryKind, Movement
from tests.worlds.site import Browser, Shown, Site
from tests.worlds.world import Customer, World

SCRIPT = "<script>alert(1)</script>\"'<img src=x onerror=alert(2)>"
ULID = "01JD7Q3V9GM8T2XKZ5N4R6W0YB"


@pytest.fixture
def site(world: World) -> Site:
    return Site(world)


@pytest.fixture
def member(site: Site) -> Browser:
    return site.member()


@pytest.fixture
def customer(site: Site, member: Browser) -> Customer:
    """The person who is signed in, as the API's world knows them, with money."""
    return funded(site, site.account_of())


def funded(site: Site, account_id: str) -> Customer:
    world = site.world
    made = world.customer()
    for asset, amount in ((Asset.USD, 10_000_000), (Asset.CREDIT, 20)):
        grant = Movement(account_id, asset, EntryKind.TOP_UP, ULID, world.clock.ms, balance_delta=amount)
        world.tables.move(grant)
    new = world.manage.create_key(
        account_id, made.stored_key.prefix, made.stored_key.limit, made.caller.scopes
    )
    mine = made.caller
    caller = Caller(account_id, new.key.id, mine.scopes, test=False, allowance=mine.allowance)
    return Customer(account_id, new.secret, new.key, caller)


def inert(shown: Shown) -> bool:
    """Whether what callers wrote is text, and no more."""
    return "<script>alert" not in shown.text and "<img src=x" not in shown.text
