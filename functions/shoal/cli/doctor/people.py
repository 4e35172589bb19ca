"""How people are reached and reach the stage: mails, alarms, the domain, and who makes the pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from shoal.cli.doctor.finding import Finding, Patient, code_of, ok, stops, warning
from shoal.cli.doctor.stacks import resources
from shoal.cli.stage import provider_keys
from shoal.domain.catalog import Catalog

POOL_MAILS = 50
"""Mails a day that a user pool sends by itself (Cognito Developer Guide, "Email settings")."""
CERTIFICATE_DAYS_MIN = 30
"""ACM renews sixty days before the end; one that is nearer to it was not renewed."""
CDN_REGION = "us-east-1"
"""Where CloudFront takes certificates from."""
PLACEHOLDER = re.compile(r"(?i)change.?me|placeholder|your.?(api.?)?key|example|dummy|todo|xxx|\.\.\.|<.*>")


def mail(patient: Patient) -> Iterator[Finding]:
    """Whether codes can be mailed to people who register."""
    plan, arn = patient.plan, patient.plan.mail_identity_arn
    if arn is None:
        yield warning(
            "mail",
            f"no `mail_identity_arn`: the user pool sends about {POOL_MAILS} mails a day",
            "Verify a domain in SES, then set `mail_identity_arn` and `mail_from`.",
        )
        return
    name, region = arn.partition(":identity/")[2], arn.split(":")[3]
    ses = patient.client("sesv2", region_name=region)
    try:
        verified = ses.get_email_identity(EmailIdentity=name).get("VerifiedForSendingStatus", False)
    except ClientError as error:
        if code_of(error) != "NotFoundException":
            raise
        todo = f"`aws sesv2 create-email-identity --email-identity {name}` and set the records it names."
        yield stops("mail", f"SES in {region} has no identity {name}", todo)
        return
    if not verified:
        yield stops("mail", f"{name} is not verified", "Set the DNS records that SES names for it.")
    account = ses.get_account()
    quota = account.get("SendQuota", {}).get("Max24HourSend", 0)
    if not account.get("SendingEnabled"):
        yield stops("mail", f"SES has stopped sending in {region}", "See the account's reputation in SES.")
    elif not account.get("ProductionAccessEnabled"):
        found = f"SES in {region} is in its sandbox: mails reach verified addresses alone"
        todo = "Ask for production access: `aws sesv2 put-account-details`, or SES's console."
        yield (stops if plan.kind == "prod" else warning)("mail", found, todo)
    elif verified:
        yield ok("mail", f"{name} sends up to {quota:.0f} mails a day")


def alarms(patient: Patient) -> Iterator[Finding]:
    """Whether an alarm reaches anybody."""
    own = [
        arn for type_, arn in resources(patient, patient.plan.stack("watch")) if type_ == "AWS::SNS::Topic"
    ]
    theirs = [patient.plan.alarm_topic_arn] if patient.plan.alarm_topic_arn else []
    sns = patient.client("sns")
    confirmed: list[str] = []
    pending: list[str] = []
    for topic in (*own, *theirs):
        try:
            pages = list(sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic))
        except ClientError as error:
            if code_of(error) not in ("NotFound", "NotFoundException"):
                raise
            yield stops("alarms", f"there is no topic {topic}", "Make it, or correct `alarm_topic_arn`.")
            continue
        for each in (each for page in pages for each in page["Subscriptions"]):
            waits = _waits(sns, each["SubscriptionArn"])
            (pending if waits else confirmed).append(each["Endpoint"])
    nobody = stops if patient.plan.kind == "prod" else warning
    if pending:
        yield nobody(
            "alarms", f"not confirmed: {', '.join(pending)}", "Follow the link in the mail that AWS sent."
        )
    if confirmed:
        yield ok("alarms", f"told to {', '.join(confirmed)}")
    elif not pending and (own or theirs or not patient.plan.alarm_email):
        yield nobody("alarms", "reach nobody", "Set `alarm_email` or `alarm_topic_arn`, and deploy.")
    elif not pending:
        yield ok("alarms", f"will be told to {patient.plan.alarm_email}, who has to confirm it")


def _waits(sns: Any, subscription: str) -> bool:
    """Whether nobody has confirmed it: until then it has a word in place of an ARN."""
    if not subscription.startswith("arn:"):
        return True
    found = sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    return bool(found["PendingConfirmation"] == "true")


def domain(patient: Patient) -> Iterator[Finding]:
    """Whether the stage's names have certificates that hold."""
    plan = patient.plan
    named = (
        (plan.domain, plan.certificate_arn, patient.region),
        (plan.files_domain, plan.files_certificate_arn, CDN_REGION),
    )
    for name, arn, region in named:
        if name is not None and arn is not None:
            yield _certificate(patient, name, arn, region)
    if plan.domain is None:
        refused = plan.kind == "prod" and not plan.generated_addresses
        yield (stops if refused else warning)(
            "domain",
            "addresses are AWS's own, and others after a rebuild",
            "Set `domain` and `files_domain` with their certificates.",
        )


def _certificate(patient: Patient, name: str, arn: str, region: str) -> Finding:
    if arn.split(":")[3] != region:
        return stops("domain", f"the certificate of {name} is not in {region}", f"Request one in {region}.")
    try:
        found = patient.client("acm", region_name=region).describe_certificate(CertificateArn=arn)
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise
        return stops("domain", f"there is no {arn}", f"Request a certificate for {name} in {region}.")
    certificate = found["Certificate"]
    names = {certificate["DomainName"], *certificate.get("SubjectAlternativeNames", [])}
    if certificate["Status"] != "ISSUED":
        todo = "Set the DNS records that ACM names for it."
        return stops("domain", f"the certificate of {name} is {certificate['Status'].lower()}", todo)
    if name not in names and f"*.{name.partition('.')[2]}" not in names:
        return stops(
            "domain", f"{arn} is for {', '.join(sorted(names))}, not for {name}", f"Request one for {name}."
        )
    ends = certificate.get("NotAfter")
    if ends is not None and (ends - datetime.now(UTC)).days < CERTIFICATE_DAYS_MIN:
        return stops(
            "domain",
            f"the certificate of {name} ends on {ends:%Y-%m-%d}",
            "Keep the DNS record by which ACM renews it.",
        )
    return ok("domain", f"{name} has its certificate")


def keys_check(catalog: Catalog, patient: Patient) -> Iterator[Finding]:
    """Whether somebody makes pictures: each provider's key, and that it is no placeholder."""
    plan = patient.plan
    there = []
    for provider, key in provider_keys(plan.name, patient.client, catalog).items():
        if PLACEHOLDER.search(key):
            yield stops(
                "providers",
                f"the key of {provider} is a placeholder",
                f"`shoal --stage {plan.name} providers set-key {provider}`.",
            )
        elif key:
            there.append(provider)
    todo = f"`shoal --stage {plan.name} providers set-key openai`, or any other in docs/providers.md."
    if there:
        tried = f"`shoal --stage {plan.name} providers test --all` tries them"
        yield ok("providers", f"keys of {', '.join(there)}; {tried}")
    elif plan.simulator_allowed or "bedrock" in plan.iam_providers or plan.sagemaker_endpoints:
        own = "sagemaker" if plan.sagemaker_endpoints else "the simulator"
        stands = "bedrock" if "bedrock" in plan.iam_providers else own
        yield warning("providers", f"no key: {stands} makes all pictures", todo)
    else:
        yield stops("providers", "no key, and no simulator: every job fails", todo)
    if plan.moderation == "openai" and "openai" not in there:
        yield stops("providers", "`moderation` by openai has no key: every request is refused", todo)
