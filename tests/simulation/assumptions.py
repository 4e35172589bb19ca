"""Everything the simulation assumes of AWS, each with its unit and its source. Nothing here was measured on
AWS; `make smoke` measures some of it on a stage, and `take` puts that in place of what is assumed here.

Sources:

* [ATC22] Elhemali et al., "Amazon DynamoDB: A Scalable, Predictably Performant, and Fully Managed NoSQL
  Database Service", USENIX ATC 2022.
* [ATC23] Idziorek et al., "Distributed Transactions at Scale in Amazon DynamoDB", USENIX ATC 2023.
* [Guide] Amazon DynamoDB Developer Guide.
* [Chosen] A value that is published nowhere. The chosen ones together make a transaction of four items take
  about 11 ms in the median and 27 ms at the 99th percentile, as seen from the caller; the simulation prints
  what they came to. Conflicts follow how long an item is locked, so rates shift with these values: twice
  the lock, half the rate.

Where the simulation is kinder than AWS, or less exact:

* An index is up to date at once; on AWS it lags behind the table by milliseconds to seconds.
* No call is lost, times out or answers 500; the tests on lost replies cover that on the local cloud.
* The table is warm: every hot collection has the partition it needs, none is split while it runs, and no
  table or account limit counts (a new on-demand table starts at 4,000 write units a second [Guide]).
* Lambda functions have no cold start, no concurrency limit and no time-out; API Gateway and Step Functions
  have no quota and lose nothing.
* One process of each kind serves all requests, so what a process remembers (the rate of a key, the board)
  is read less often than by many processes.
* The client's retries are those of botocore's standard mode, as the product's are.
* DynamoDB's expression checks are those of correct requests: reserved words, overlapping paths and the 4 KB
  limit of an expression are not checked, nor are the 4 MB a transaction may have.
* A read does not see a transaction half prepared, but may see one half committed, as on AWS [Guide: GetItem
  and Query are read-committed].
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

_Z99 = 2.3263
"""Standard deviations from the median of a normal distribution to its 99th percentile."""


@dataclass(frozen=True, slots=True)
class Latency:
    """A log-normal duration, by its median and its 99th percentile in milliseconds."""

    median_ms: float
    p99_ms: float
    _sigma: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_sigma", math.log(self.p99_ms / self.median_ms) / _Z99)

    def draw_s(self, random: Random) -> float:
        """One such duration in seconds."""
        return self.median_ms / 1000 * math.exp(self._sigma * random.gauss(0.0, 1.0))


HOP = Latency(0.6, 4.0)
"""From a function to DynamoDB's request router or back, one way, on a kept connection. [Chosen]"""
COORDINATOR = Latency(1.4, 10.0)
"""The transaction coordinator writes the transaction to its own ledger. [ATC23, section 3; value chosen]"""
TO_LEADER = Latency(0.4, 1.2)
"""From the coordinator to the leader of an item's partition, one way. [Chosen]"""
PREPARE = Latency(1.6, 10.0)
"""A leader checks an item and writes its lock to a quorum. The item is locked from then on. [ATC23; value
chosen]"""
COMMIT = Latency(1.0, 6.0)
"""A leader applies a prepared item and writes it to a quorum. The item is free again then. [ATC23; value
chosen]"""
COMMIT_TOLD = Latency(0.6, 2.0)
"""From the last commit until the coordinator answers. [Chosen]"""
WRITE = Latency(2.8, 12.0)
"""A plain write: the leader and a quorum. [Guide: single-digit milliseconds; value chosen]"""
READ = Latency(1.6, 8.0)
"""A read of one item at the leader. [Guide: single-digit milliseconds; value chosen]"""
QUERY = Latency(3.0, 15.0)
"""A page of a query or scan, before its bytes. [Chosen]"""
PAGE_S_PER_MB = 0.02
"""Seconds to carry a megabyte of a page. [Chosen]"""

TRANSACTION_ITEMS_MAX = 100
"""Items of one transaction. [Guide: Service quotas]"""
BATCH_GET_ITEMS_MAX = 100
"""Items of one BatchGetItem. [Guide: Service quotas]"""
ITEM_BYTES_MAX = 400 * 1024
"""Bytes of one item. [Guide: Service quotas]"""
PAGE_BYTES_MAX = 1024 * 1024
"""Bytes that one page of a query or scan reads. [Guide: Query, Scan]"""
WRITE_UNIT_BYTES, READ_UNIT_BYTES = 1024, 4096
"""Bytes a capacity unit writes, or reads consistently; an eventually consistent read costs half. [Guide]

A transactional write costs twice a plain one: once to prepare, and once to commit if it comes to that.
"""
KEY_CHANGE_UNITS = 1
"""Write units for an entry to enter an index, and again for one to leave it, below a kilobyte. [Guide:
GSI]"""


@dataclass(frozen=True, slots=True)
class Limits:
    """Capacity of one partition of the table or of an index. What is over it is throttled.

    `burst_s` is how many seconds of unused capacity a partition keeps. [Guide] speaks of 300 seconds for a
    table whose capacity is below what its partitions can do; a partition itself never does more than its
    maximum, so here it is one second.
    """

    write_units_per_s: float = 1000.0
    read_units_per_s: float = 3000.0
    burst_s: float = 1.0


def partition_of(pk: str, sk: str) -> str:
    """The partition an item lies in, once DynamoDB has split for heat [ATC22, section 4; Guide: adaptive
    capacity].

    Items of one collection and one kind (`JOB#…`, `ENTRY#…`) stay together: their sort keys rise with time,
    so a split between old and new ones does not help the new ones.
    """
    return f"{pk}|{sk.partition('#')[0]}"


def index_partition_of(index: str, hash_value: str) -> str:
    """The partition of an index entry: all entries of a hash value stay together, for the same reason."""
    return f"{index}:{hash_value}"


START_EXECUTION = Latency(22.0, 90.0)
"""StartExecution, as its caller sees it. [Chosen]"""
STATE_ENTERED = Latency(40.0, 150.0)
"""From a state's end until the next one's function runs. [Chosen]"""
PUT_EVENTS = Latency(13.0, 50.0)
"""PutEvents of EventBridge. [Chosen]"""
STORE_OUTPUT = Latency(117.0, 190.0)
"""StoreOutput as a whole: reads a picture from S3, checks it and writes it. [Chosen; it writes no item]"""
PROVIDER_S = (3.0, 6.0)
"""Seconds a provider takes for a picture, evenly spread. [Chosen; longer ones leave more jobs open]"""
SWEEPER_S = 50.0
"""Seconds one run of the sweeper may take. [infra: the time-out of its function]"""
SWEEPER_CPU_S = 0.004
"""Seconds of its one vCPU that a job takes, whatever its calls wait for. [Chosen: to claim and to start one
took 1.1 ms on a desktop, without the network's share]"""
TASK_TOKEN = "A" * 700
"""As long as those of Step Functions: it counts in the job's item. [Chosen; from reports in the field]"""

LATENCY_MS_MIN = 0.1
"""What a measurement rounds to nothing, as the local cloud's states do."""
_MEASURED = ("READ", "WRITE", "QUERY", "STATE_ENTERED", "STORE_OUTPUT")
"""Latencies that a walk over a stage measures. Their users look them up here when they need them."""


def take(file: Path) -> list[str]:
    """Assume from now on what `make smoke` measured; returns a line for each.

    Raises ValueError for what nothing here assumes.
    """
    report: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    said = []
    for name, seen in report["assumptions"].items():
        taken: object
        if name in _MEASURED:
            median_ms = max(seen["median_ms"], LATENCY_MS_MIN)
            taken = Latency(median_ms, max(seen["p99_ms"], median_ms))
            shown = f"{seen['median_ms']} ms, p99 {seen['p99_ms']} ms"
        elif name == "PROVIDER_S":
            taken, shown = (seen["low_s"], seen["high_s"]), f"{seen['low_s']} to {seen['high_s']} s"
        elif name == "TASK_TOKEN":
            taken, shown = "A" * seen["characters"], f"{seen['characters']} characters"
        else:
            raise ValueError(f"{file}: the simulation assumes no {name}")
        globals()[name] = taken
        said.append(f"{name}: {shown}, of {seen['samples']} on stage {report['stage']}")
    return said
