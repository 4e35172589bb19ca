"""What the functions are told of providers on a stage, and what they may call because of it."""

from __future__ import annotations

import json

from aws_cdk import ArnFormat, Stack

from shoal.adapters.aws.provider_keys import secret_name
from shoal.domain.provider import ALWAYS_THERE

from .lambdas.grants import Target
from .stage import Stage

ANY_PROVIDER = "*"


def provider_values(stage: Stage) -> dict[str, str]:
    """The settings fields about providers."""
    return {
        "keyless_providers": ",".join((*sorted(ALWAYS_THERE), *stage.keyless_providers)),
        "espeak": str(stage.espeak).lower(),
        "simulator_allowed": str(stage.simulator_allowed).lower(),
        "provider_base_urls": json.dumps(dict(stage.provider_base_urls)),
        "moderation": stage.moderation,
        "moderation_fail_open": str(stage.moderation_fail_open).lower(),
        "guardrail": stage.guardrail,
    }


def provider_arns(stack: Stack, stage: Stage) -> dict[Target, tuple[str, ...]]:
    """What the targets about providers stand for; nothing where the stage does without.

    The secrets are made by `shoal providers set-key`, so their ARNs are not known beforehand: a stage pays
    for those it uses, and its functions may read its own alone.
    """

    def secret(provider: str) -> tuple[str, ...]:
        # AWS adds six characters to a secret's name.
        name = secret_name(stage.name, provider) + ("" if provider == ANY_PROVIDER else "-??????")
        return (
            stack.format_arn(
                service="secretsmanager",
                resource="secret",
                resource_name=name,
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            ),
        )

    def bedrock(resource: str, name: str) -> str:
        return stack.format_arn(service="bedrock", resource=resource, resource_name=name)

    # An inference profile answers from any of its regions.
    everybodys = f"arn:{stack.partition}:bedrock:*::foundation-model/*"
    models = (everybodys, bedrock("inference-profile", "*"))
    work = (bedrock("async-invoke", "*"),)
    with_bedrock = "bedrock" in stage.iam_providers
    return {
        "provider_secrets": secret(ANY_PROVIDER),
        "moderator_secret": secret("openai") if stage.moderation == "openai" else (),
        "bedrock_models": models + work if with_bedrock else (),
        "bedrock_work": work if with_bedrock else (),
        "sagemaker_endpoints": tuple(
            stack.format_arn(service="sagemaker", resource="endpoint", resource_name=name)
            # SageMaker writes names small in ARNs; a policy's resource is compared letter by letter.
            for name in sorted({each for name in stage.sagemaker_endpoints for each in (name, name.lower())})
        ),
        "polly": ("*",) if "polly" in stage.iam_providers else (),
        "guardrail": (bedrock("guardrail", stage.guardrail.partition(":")[0]),)
        if stage.moderation == "bedrock"
        else (),
    }
