"""List prices of us-east-1 in dollars, without free tiers and discounts, and what a job comes to at them.

From the services' pricing pages, November 2026. Not counted, because they are paid by the month or depend on
who downloads what: stored bytes, traffic of the CDN, alarms and metrics, the key of the webhooks' secrets.
What providers of models take is not AWS's and is not counted either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

MILLION = 1_000_000
HTTP_API_REQUEST = 1.00 / MILLION
LAMBDA_REQUEST = 0.20 / MILLION
LAMBDA_GB_SECOND = 0.0000133334  # arm64
STATE_TRANSITION = 25.00 / MILLION  # Standard workflows
WRITE_UNIT = 0.625 / MILLION  # on demand
READ_UNIT = 0.125 / MILLION
EVENT = 1.00 / MILLION
SQS_REQUEST = 0.40 / MILLION
S3_PUT = 5.00 / MILLION
S3_GET = 0.40 / MILLION
LOG_BYTE = 0.50 / 1024**3
ARCHIVED_BYTE = 0.10 / 1024**3
TRACE = 5.00 / MILLION
TRACED = 0.05  # of what comes faster than once a second: X-Ray's default rule
KMS_REQUEST = 3.00 / MILLION
SECRET_REQUEST = 5.00 / MILLION
SQS_REQUESTS_PER_MESSAGE = 3  # sent, received, deleted


@dataclass(frozen=True, kw_only=True)
class Used:
    """What one job used up, from its submit to one poll of its end; all are means over the jobs of a run.

    `computed_gb_s` are GB-seconds of computing: a function with less memory has as much less of a processor,
    so that they are the same at any size. `waited_gb_s` are those of waiting, by each function's memory.
    `serial_calls` of AWS are waited for in turn between a submit and the event of an image's end.
    `index_units` are written to indexes, `traces` are begun before X-Ray draws its sample of them.
    """

    requests: float
    invocations: float
    lambda_ms: float
    computed_gb_s: float
    waited_gb_s: float
    transitions: float
    write_units: float
    index_units: float
    read_units: float
    events: float
    messages: float
    s3_puts: float
    s3_gets: float
    kms: float
    secrets: float
    log_bytes: float
    event_bytes: float
    traces: float
    serial_calls: float = 0.0

    @property
    def gb_s(self) -> float:
        return self.computed_gb_s + self.waited_gb_s

    def waiting(self, seconds: float, memory_mb: int) -> Used:
        """The same, with a function of that memory that waits for so long."""
        return replace(self, waited_gb_s=self.waited_gb_s + seconds * memory_mb / 1024)

    @property
    def parts(self) -> Mapping[str, float]:
        """Dollars at list price by what is paid."""
        return {
            "API requests": self.requests * HTTP_API_REQUEST,
            "Lambda": self.invocations * LAMBDA_REQUEST + self.gb_s * LAMBDA_GB_SECOND,
            "state transitions": self.transitions * STATE_TRANSITION,
            "DynamoDB": (self.write_units + self.index_units) * WRITE_UNIT + self.read_units * READ_UNIT,
            "events": self.events * EVENT + self.event_bytes * ARCHIVED_BYTE,
            "queues": self.messages * SQS_REQUESTS_PER_MESSAGE * SQS_REQUEST,
            "S3": self.s3_puts * S3_PUT + self.s3_gets * S3_GET,
            "keys and secrets": self.kms * KMS_REQUEST + self.secrets * SECRET_REQUEST,
            "logs": self.log_bytes * LOG_BYTE,
            "traces": self.traces * TRACED * TRACE,
        }

    @property
    def dollars(self) -> float:
        """Of all parts."""
        return sum(self.parts.values())
