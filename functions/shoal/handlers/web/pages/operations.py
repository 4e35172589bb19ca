"""The operators' pages: accounts, work not done or failed, the audit; grants, refunds, suspensions."""

from __future__ import annotations

from shoal.composition.dashboard import ForOperators
from shoal.domain.errors import ConfirmationNeeded, NotFound, ValidationFailed
from shoal.domain.grant import Decision
from shoal.domain.job import FAILED
from shoal.domain.money import Asset, parse_usd
from shoal.domain.spend import FREE_MICROS
from shoal.domain.wallet import EntryKind
from shoal.handlers.web.rendering import page
from shoal.handlers.web.shown import card, cards
from shoal.handlers.web.visit import Page, Visit, known_id, redirect
from shoal.ports.jobs import JobFilter

ACCOUNTS_LIMIT = 25
JOBS_LIMIT = 20
NEWEST_FAILED_LIMIT = 5
GRANTED = (Asset.USD, Asset.CREDIT)
DONE = {
    "pending": "Above the cap: it waits until another operator confirms it, 24 hours at most.",
    "confirmed": "Confirmed, and granted.",
    "granted": "Granted.",
    "granted-before": "This form granted before: nothing was added now.",
    "refunded": "Refunded.",
    "refunded-before": "Refunded before.",
    "suspended": "Suspended.",
    "resumed": "Resumed.",
    "lifted": "The account may submit again today.",
}
"""What a page may be asked to say: nobody else's words."""


def show(visit: Visit[ForOperators]) -> Page:
    operate = visit.use.operate()
    found = operate.list_accounts(limit=ACCOUNTS_LIMIT, cursor=visit.query.get("cursor"))
    work = [(card(visit.site, each.job), each.stuck) for each in operate.open_jobs()]
    return page(
        visit,
        "operate/index.html",
        accounts=found.accounts,
        next_cursor=found.next_cursor,
        work=work,
        stuck=sum(stuck for _, stuck in work),
        failed=cards(visit.site, operate.failed_jobs(limit=NEWEST_FAILED_LIMIT, cursor=None).jobs),
        models=operate.routes(),
        pending=visit.use.give_grant().pending(),
        done=_note(visit),
        now_ms=visit.site.clock.now_ms(),
    )


def show_failed(visit: Visit[ForOperators]) -> Page:
    """What failed, of all accounts."""
    found = visit.use.operate().failed_jobs(limit=JOBS_LIMIT, cursor=visit.query.get("cursor"))
    return page(
        visit, "operate/failed.html", jobs=cards(visit.site, found.jobs), next_cursor=found.next_cursor
    )


def find(visit: Visit[ForOperators]) -> Page:
    """On to an account by its id."""
    wanted = known_id(visit.query.get("account", ""))
    return redirect(f"/operate/accounts/{visit.use.operate().account(wanted).id}")


def show_account(visit: Visit[ForOperators]) -> Page:
    account = visit.use.operate().account(visit.parameter("id"))
    inspect = visit.use.inspect_account()
    which = JobFilter(statuses=FAILED if visit.query.get("only") == "failed" else None)
    found = inspect.page_of_jobs(account.id, which, limit=JOBS_LIMIT, cursor=visit.query.get("cursor"))
    return page(
        visit,
        "operate/account.html",
        account=account,
        wallets=[inspect.wallet(account.id, asset)[0] for asset in Asset],
        keys=inspect.list_keys(account.id),
        jobs=cards(visit.site, found.jobs),
        next_cursor=found.next_cursor,
        only=visit.query.get("only", ""),
        spend=visit.use.operate().spend(account.id),
        free_micros=FREE_MICROS,
        done=_note(visit),
    )


def show_job(visit: Visit[ForOperators]) -> Page:
    account_id = visit.parameter("id")
    job = visit.use.inspect_account().job(account_id, visit.parameter("job_id"))
    return page(visit, "operate/job.html", shown=card(visit.site, job, with_outputs=True), done=_note(visit))


def grant(visit: Visit[ForOperators]) -> Page:
    """The same form sent twice grants once, and says so, also if it was filled in again in between."""
    account_id, text = visit.parameter("id"), visit.field("amount")
    if visit.field("asset") not in GRANTED:
        raise ValidationFailed("Grant dollars or credits.")
    asset = Asset(visit.field("asset"))
    try:
        amount = parse_usd(text) if asset.in_dollars else _credits(text)
        given = visit.use.manage_accounts().grant(account_id, asset, amount, _decision(visit), visit.once)
    except ConfirmationNeeded:
        return redirect("/operate", done="pending")
    except ValueError:
        raise ValidationFailed("An amount has the form 10.00, credits are whole.") from None
    return redirect(f"/operate/accounts/{account_id}", done="granted" if given else "granted-before")


def refund(visit: Visit[ForOperators]) -> Page:
    account_id, job_id = visit.parameter("id"), visit.parameter("job_id")
    try:
        given = visit.use.operate().refund(account_id, job_id, _decision(visit))
    except ConfirmationNeeded:
        return redirect("/operate", done="pending")
    return redirect(
        f"/operate/accounts/{account_id}/jobs/{job_id}", done="refunded" if given else "refunded-before"
    )


def confirm(visit: Visit[ForOperators]) -> Page:
    """Raises `ValidationFailed` for the operator who asked for the grant."""
    kind = visit.field("kind")
    if kind not in {*EntryKind}:
        raise NotFound("There is no such grant.")
    operator = visit.session.person.email
    given = visit.use.give_grant().confirm(EntryKind(kind), visit.field("reference"), operator)
    return redirect("/operate", done="confirmed" if given else "granted-before")


def suspend(visit: Visit[ForOperators]) -> Page:
    account_id = visit.parameter("id")
    visit.use.operate().suspend(account_id, visit.session.account_id)
    return redirect(f"/operate/accounts/{account_id}", done="suspended")


def resume(visit: Visit[ForOperators]) -> Page:
    account_id = visit.parameter("id")
    visit.use.operate().resume(account_id)
    return redirect(f"/operate/accounts/{account_id}", done="resumed")


def lift_brake(visit: Visit[ForOperators]) -> Page:
    account_id = visit.parameter("id")
    visit.use.operate().lift_brake(account_id)
    return redirect(f"/operate/accounts/{account_id}", done="lifted")


def audit(visit: Visit[ForOperators]) -> Page:
    """Reads the whole table: only when asked to."""
    return page(visit, "operate/audit.html", found=visit.use.audit_ledger()())


def _decision(visit: Visit[ForOperators]) -> Decision:
    """Raises `ValidationFailed`."""
    return Decision.of(visit.session.person.email, visit.field("reason"))


def _credits(text: str) -> int:
    """Raises ValueError; Python itself would also read `1_0` as ten."""
    if not text.isascii() or not text.isdecimal():
        raise ValueError("credits are whole")
    return int(text)


def _note(visit: Visit[ForOperators]) -> str:
    return DONE.get(visit.query.get("done", ""), "")
