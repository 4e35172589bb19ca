"""What the account itself has: a way in, the CDK's bootstrap, quotas, and what it has spent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from botocore.exceptions import ClientError

from shoal.cli.doctor.finding import Finding, Level, Patient, code_of, ok, stops, warning

BOOTSTRAP, BOOTSTRAP_MIN = "/cdk-bootstrap/hnb659fds/version", 30
"""Where the CDK notes the version of its bootstrap, and the least that its command line of 2026 wants."""
UNRESERVED_MIN = 100
"""Lambda lets no account reserve the last of these (Developer Guide, "Reserved concurrency")."""
CALL_SECONDS = 12
"""What a synchronous provider takes, for the rate that a concurrency comes to."""
STARTS = "StartExecution"
REFILL = "refill rate"
"""Words in the name of Step Functions' quota of executions started a second."""
SPEND_REGION = "us-east-1"
"""Where Cost Explorer and Budgets answer for all regions."""


def identity(patient: Patient) -> Iterator[Finding]:
    """Whose credentials these are, and which region they go to."""
    found = patient.client("sts").get_caller_identity()
    yield ok("credentials", f"{found['Arn']} in account {found['Account']}")
    yield ok("region", patient.region)


def bootstrap(patient: Patient) -> Iterator[Finding]:
    """Whether the CDK may deploy into this account and region."""
    todo = "`make deploy` bootstraps; by hand `cdk bootstrap`, with an administrator's credentials."
    try:
        version = int(patient.client("ssm").get_parameter(Name=BOOTSTRAP)["Parameter"]["Value"])
    except ClientError as error:
        if code_of(error) != "ParameterNotFound":
            raise
        yield stops("bootstrap", f"{patient.region} has never been bootstrapped", todo)
        return
    if version < BOOTSTRAP_MIN:
        yield stops("bootstrap", f"version {version}, and {BOOTSTRAP_MIN} is needed", todo)
    else:
        yield ok("bootstrap", f"version {version}")


def concurrency(patient: Patient) -> Iterator[Finding]:
    """How many functions may run at once, against what the stage promises and reserves."""
    limit = patient.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    plan = patient.plan
    reserved = 2 * plan.simulated_concurrency_max if plan.simulated_reserved else 0
    jobs = limit / CALL_SECONDS
    found = f"{limit} functions at once, {jobs:.1f} jobs a second of {CALL_SECONDS} s each"
    ask = (
        "ask for a higher quota: `aws service-quotas request-service-quota-increase --service-code lambda"
        f" --quota-code L-B99A9384 --desired-value {plan.account_concurrency}`"
    )
    if limit < plan.account_concurrency:
        promised = f"{found}; the stage promises {plan.account_concurrency}"
        yield stops("concurrency", promised, f"Either {ask}, or set `account_concurrency` to {limit}.")
    elif limit < reserved + UNRESERVED_MIN and reserved:
        wanted = f"{found}; {reserved} are reserved and {UNRESERVED_MIN} have to be left"
        yield stops("concurrency", wanted, f"Either {ask}, or set `simulated_reserved = false`.")
    else:
        yield ok("concurrency", found)


def executions(patient: Patient) -> Iterator[Finding]:
    """How many executions may start a second, against the requests the stage takes."""
    pages = patient.client("service-quotas").get_paginator("list_service_quotas")
    rates = [
        quota["Value"]
        for page in pages.paginate(ServiceCode="states")
        for quota in page["Quotas"]
        if STARTS in quota["QuotaName"] and REFILL in quota["QuotaName"].lower()
    ]
    if not rates:
        yield Finding("executions", Level.UNREAD, f"Service Quotas names no {REFILL} of {STARTS}", "")
        return
    found = f"{rates[0]:.0f} executions started a second"
    if rates[0] < patient.plan.api_rate_limit:
        yield warning(
            "executions",
            f"{found}, and the stage takes {patient.plan.api_rate_limit} requests",
            "What does not start at once is started by the sweeper within a minute; ask for more before that"
            " many jobs come.",
        )
    else:
        yield ok("executions", found)


def spend(patient: Patient) -> Iterator[Finding]:
    """What the account cost this month. The question itself costs $0.01."""
    today = datetime.now(UTC).date()
    answer = patient.client("ce", region_name=SPEND_REGION).get_cost_and_usage(
        # The end is not part of it, so that the first of a month asks for a day as well.
        TimePeriod={"Start": f"{today:%Y-%m}-01", "End": f"{today + timedelta(days=1)}"},
        Granularity="MONTHLY",
        Metrics=["UnblendedCost"],
    )
    cost = sum(float(month["Total"]["UnblendedCost"]["Amount"]) for month in answer["ResultsByTime"])
    yield ok("spend", f"${cost:.2f} since the first of the month, all of this account")


def budget(patient: Patient) -> Iterator[Finding]:
    """Whether somebody is told when the account costs more than planned."""
    account = patient.client("sts").get_caller_identity()["Account"]
    client = patient.client("budgets", region_name=SPEND_REGION)
    budgets = client.describe_budgets(AccountId=account).get("Budgets", [])
    if budgets:
        limits = ", ".join(f"{each['BudgetName']} {each['BudgetLimit']['Amount']}" for each in budgets)
        yield ok("budget", limits)
    else:
        yield warning("budget", "nobody is told of what the account costs", "Make a budget in AWS Budgets.")
