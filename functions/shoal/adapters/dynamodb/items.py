"""How domain objects look in the table, and where."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict

from shoal.adapters.dynamodb.requests import brief_of, request_text, words_of
from shoal.adapters.dynamodb.values import Item, read
from shoal.domain.api_key import ApiKey, KeyPrefix, Scope
from shoal.domain.families import FAMILIES
from shoal.domain.grant import Grant, PendingGrant
from shoal.domain.job import Closer, HoldState, Job, JobFailure, JobStatus, Output, Step
from shoal.domain.models.tariff import Terms
from shoal.domain.money import Asset
from shoal.domain.payment import ClaimRecord, Payment, PaymentRecord
from shoal.domain.rate_limit import RateLimit
from shoal.domain.routing import ProviderCall
from shoal.domain.submission import Submission
from shoal.domain.text import folded, json_text
from shoal.domain.video import Scene
from shoal.domain.wallet import EntryKind, Movement, Wallet
from shoal.ports.accounts import Account
from shoal.ports.jobs import Due

OPEN_JOBS_INDEX = "open_jobs"
OPEN_SHARDS = tuple(f"OPEN#{number}" for number in range(64))
"""Partitions of the index of open jobs: they spread its writes, and who reads it reads each.

The writer of a job chooses where it lies: version 0.1 chose one of the first four by another rule, and the
state machines always name the first. So more may be added, and none taken away.
"""
FAILED_JOBS_INDEX = "failed_jobs"
FAILED_SHARDS = tuple(f"FAILED#{number}" for number in range(4))

Key = tuple[str, str]


ACCOUNTS = "ACCOUNTS"
"""The partition that lists every account, for operators; accounts are opened far below its limits."""


def listed_account_key(account_id: str) -> Key:
    return ACCOUNTS, f"ACCOUNT#{account_id.partition('_')[2]}"


def account_key(account_id: str) -> Key:
    return f"ACCOUNT#{account_id}", "ACCOUNT"


def api_key_key(digest: str) -> Key:
    return f"KEY#{digest}", "KEY"


def account_api_key_key(account_id: str, key_id: str) -> Key:
    return f"ACCOUNT#{account_id}", f"KEY#{key_id}"


def job_key(account_id: str, ulid: str) -> Key:
    return f"ACCOUNT#{account_id}", f"JOB#{ulid}"


def wallet_key(account_id: str, asset: Asset) -> Key:
    return f"WALLET#{account_id}#{asset}", "WALLET"


def idempotency_key(account_id: str, route: str, key: str) -> Key:
    return f"IDEMPOTENCY#{account_id}#{route}#{key}", "IDEMPOTENCY"


def open_shard(ulid: str) -> str:
    """The partition of a job in the index of open jobs."""
    return OPEN_SHARDS[zlib.crc32(ulid.encode()) % len(OPEN_SHARDS)]


def failed_shard(ulid: str) -> str:
    """The partition of a job in the index of failed jobs: by the last, random, character."""
    return FAILED_SHARDS[ord(ulid[-1]) % len(FAILED_SHARDS)]


def due_of(item: Item) -> Due:
    """Of what the index holds of a job."""
    return Due(int(item["deadline_at"]), item["pk"].partition("#")[2], item["sk"].partition("#")[2])


def payment_key(payment: Payment) -> Key:
    return wallet_key(payment.account_id, payment.asset)[0], f"PAYMENT#{payment.id}"


def wallet_item(wallet: Wallet) -> Item:
    """`available` is stored because a condition cannot subtract: below zero by what is owed and not free."""
    pk, sk = wallet_key(wallet.account_id, wallet.asset)
    fields = asdict(wallet) | {"asset": str(wallet.asset), "available": wallet.free - wallet.owed}
    return {"pk": pk, "sk": sk, **fields}


def wallet_of(item: Item) -> Wallet:
    return read(Wallet, item, asset=Asset(item["asset"]))


def entry_item(movement: Movement) -> Item:
    pk, _ = wallet_key(movement.account_id, movement.asset)
    fields = {
        name: str(value) if isinstance(value, str) else value for name, value in asdict(movement).items()
    }
    del fields["charges"]
    if movement.charges:
        fields["charges"] = json_text(movement.charges)
    return {"pk": pk, "sk": f"ENTRY#{movement.entry_id}", **fields}


def grant_key(grant: Grant) -> Key:
    return f"GRANT#{grant.kind}#{grant.reference}", "GRANT"


def grant_item(grant: Grant) -> Item:
    """In a map: the audit adds up every item that has an asset."""
    pk, sk = grant_key(grant)
    fields = asdict(grant) | {"kind": str(grant.kind), "asset": str(grant.asset)}
    return {"pk": pk, "sk": sk, "grant": fields}


PENDING_GRANTS = "GRANTS"
"""The partition of all grants that wait: operators ask for few."""


def pending_grant_key(grant: Grant) -> Key:
    return PENDING_GRANTS, f"PENDING#{grant.kind}#{grant.reference}"


def pending_grant_item(asked: PendingGrant) -> Item:
    """`asked_by` is for a condition, which cannot fold letters."""
    pk, sk = pending_grant_key(asked.grant)
    return {
        "pk": pk,
        "sk": sk,
        "grant": grant_item(asked.grant)["grant"],
        "asked_by": folded(asked.grant.operator),
        "expires_at": asked.expires_at_ms // 1000,
    }


def pending_grant_of(item: Item) -> PendingGrant:
    return PendingGrant(grant_of(item), int(item["expires_at"]) * 1000)


def grant_of(item: Item) -> Grant:
    """Of its record, or of the entry alone, which is all that version 0.1 kept."""
    kept = item.get("grant") or item | {
        "amount": item["balance_delta"] - item.get("owed_delta", 0),
        "operator": "",
        "reason": "",
    }
    return read(Grant, kept, kind=EntryKind(kept["kind"]), asset=Asset(kept["asset"]))


def payment_item(record: PaymentRecord) -> Item:
    """`worth` is for the audit, which reads nothing but the table."""
    pk, sk = payment_key(record.payment)
    return {
        "pk": pk,
        "sk": sk,
        **asdict(record.payment),
        "asset": str(record.payment.asset),
        "version": record.version,
        "worth": record.worth,
        "claims": {claim_id: asdict(claim) for claim_id, claim in record.claims.items()},
    }


def payment_record_of(payment: Payment, item: Item) -> PaymentRecord:
    claims = {claim_id: ClaimRecord(**claim) for claim_id, claim in item["claims"].items()}
    return PaymentRecord(payment, item["version"], claims)


def account_items(account: Account) -> tuple[Item, Item]:
    """An account, and its line in the list of all."""
    fields = {"id": account.id, "email": account.email, "created_at_ms": account.created_at_ms}
    places = account_key(account.id), listed_account_key(account.id)
    of_account, listed = ({"pk": pk, "sk": sk, **fields} for pk, sk in places)
    return of_account, listed


def account_of(item: Item) -> Account:
    return read(Account, item)


def api_key_item(key: ApiKey) -> Item:
    """Without the digest, which is its key."""
    pk, sk = api_key_key(key.digest)
    fields = asdict(key) | {"prefix": str(key.prefix), "scopes": sorted(key.scopes)}
    del fields["digest"]
    return {"pk": pk, "sk": sk, **fields.pop("limit"), **fields}


def account_api_key_item(key: ApiKey) -> Item:
    """Lets the keys of an account be listed and found by id; authentication never reads it."""
    pk, sk = account_api_key_key(key.account_id, key.id)
    return api_key_item(key) | {"pk": pk, "sk": sk, "digest": key.digest}


def api_key_of(item: Item) -> ApiKey:
    scopes = frozenset(map(Scope, item["scopes"]))
    return read(ApiKey, item, prefix=KeyPrefix(item["prefix"]), scopes=scopes, limit=limit_of(item))


def limit_of(item: Item) -> RateLimit:
    return read(RateLimit, item)


def job_item(job: Job) -> Item:
    """A new job. What only a later step knows is written by that step."""
    pk, sk = job_key(job.account_id, job.ulid)
    asked = job.submission
    return {
        "pk": pk,
        "sk": sk,
        "open_shard": open_shard(job.ulid),
        "deadline_at": job.deadline_at_ms,
        "task_tokens": {},
        "provider_refs": {},
        "calls": {},
        "id": job.id,
        "account_id": job.account_id,
        "key_id": job.key_id,
        "dialect": asked.family.spelling,
        "model": asked.model,
        "mode": asked.mode,
        "request": request_text(asked),
        "asset": str(asked.asset),
        **terms_item(asked.terms),
        "output_count": asked.output_count,
        "webhook_url": asked.webhook_url,
        "ttl_s": asked.ttl_s,
        "traceparent": asked.traceparent,
        "price_version": asked.price_version,
        "catalog_version": asked.catalog_version or None,
        "free_trial": job.free_trial,
        "provider": job.provider,
        "moderation": job.moderation,
        "provider_deadline_s": job.provider_deadline_s,
        "status": str(job.status),
        "hold_state": str(job.hold_state),
        "created_at_ms": job.created_at_ms,
    }


def outputs_json(outputs: Sequence[Output]) -> str:
    return json_text([output.told() for output in outputs])


def job_of(item: Item) -> Job:
    failure = item.get("failure")
    return read(
        Job,
        item,
        submission=_submission_of(item),
        status=JobStatus(item["status"]),
        hold_state=HoldState(item["hold_state"]),
        closed_by=Closer(item["closed_by"]) if "closed_by" in item else None,
        steps=frozenset(map(Step, item.get("steps", ()))),
        deadline_at_ms=item.get("deadline_at"),
        task_tokens=_by_output(item, "task_tokens"),
        provider_refs=_by_output(item, "provider_refs"),
        calls=calls_of(item),
        callbacks=frozenset(item.get("callbacks", ())),
        outputs=tuple(map(Output.of, json.loads(item.get("outputs", "[]")))),
        failure=read(JobFailure, failure) if failure else None,
        captured=frozenset(map(int, item.get("captured", ()))),
    )


def _submission_of(item: Item) -> Submission:
    request = json.loads(item["request"])
    return read(
        Submission,
        item,
        family=FAMILIES[item["dialect"]],
        terms=terms_of(item),
        mode=item.get("mode"),
        brief=brief_of(request, item["model"]),
        words=words_of(request),
        metadata=request.get("metadata"),
        asset=Asset(item["asset"]),
    )


def terms_item(terms: Terms) -> Item:
    """As a job and a quote keep them: those of an output alone by their one number, as 0.1 kept it."""
    told = {} if terms.is_flat else {"terms": terms.to_json()}
    return {"unit_price": terms.price_of(1), **told}


def terms_of(item: Item) -> Terms:
    return Terms.from_json(item["terms"]) if "terms" in item else Terms.flat(item["unit_price"])


def scene_key(job_id: str, index: int) -> Key:
    return f"JOB#{job_id}", f"SCENE#{index:02}"


def scene_item(job_id: str, scene: Scene) -> Item:
    pk, sk = scene_key(job_id, scene.index)
    return {"pk": pk, "sk": sk, **asdict(scene)}


def scene_of(item: Item) -> Scene:
    return read(Scene, item)


def calls_of(item: Item) -> dict[int, ProviderCall]:
    """As JSON, so that a condition can compare a call with what was read."""
    return {index: ProviderCall.from_json(text) for index, text in _by_output(item, "calls").items()}


def _by_output(item: Item, name: str) -> dict[int, str]:
    return {int(index): text for index, text in item.get(name, {}).items()}
