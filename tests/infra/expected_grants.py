"""What each function may do, written out a second time."""

from __future__ import annotations

ACCOUNT = "<AWS::Region>:<AWS::AccountId>"
TABLE = "<StorageTable.Arn>"
OPEN_JOBS = f"{TABLE}/index/open_jobs"
FAILED_JOBS = f"{TABLE}/index/failed_jobs"
MACHINES = ("generate", "generate-batch", "render-video")
MACHINE_ARNS = [f"arn:<AWS::Partition>:states:{ACCOUNT}:stateMachine:shoal-dev-{name}" for name in MACHINES]
EXECUTIONS = [f"arn:<AWS::Partition>:states:{ACCOUNT}:execution:shoal-dev-{name}:*" for name in MACHINES]
BUS = "<Bus.Arn>"
DOCUMENTS = "<StorageCatalog.Arn>/catalog/*"
STAGING = "<StorageStaging.Arn>"
OUTPUTS = "<StorageOutputs.Arn>"
IMAGES = f"{OUTPUTS}/images/*"
VIDEOS = "<StorageVideos.Arn>"
CLIPS = f"{VIDEOS}/videos/*"
POLL = "<QueuesPoll.Arn>"
SIMULATED_POLL = "<QueuesSimulatedPoll.Arn>"
CLOSED = "<QueuesClosedExecutions.Arn>"
ASYNC_FAILURES = "<QueuesAsyncFailures.Arn>"
SECRET = "<CallbackSecret>"
STRIPE_SECRET = f"arn:<AWS::Partition>:secretsmanager:{ACCOUNT}:secret:shoal/dev/stripe-??????"
EVENTS = "<QueuesWebhookEvents.Arn>"
DELIVERIES = "<QueuesDeliveries.Arn>"
RETRIES = "<QueuesRetries.Arn>"
WEBHOOK_KEY = "<WebhookKey.Arn>"
SCHEDULES = f"arn:<AWS::Partition>:scheduler:{ACCOUNT}:schedule/shoal-dev-retries/*"
USER_POOL = "<IdentityPool.Arn>"
SCHEDULE_ROLE = "<RetrySchedulesRole.Arn>"


def on_each(arns: list[str], *actions: str) -> set[tuple[str, str]]:
    return {(action, arn) for action in actions for arn in arns}


def consume(queue: str) -> set[tuple[str, str]]:
    return on_each([queue], "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")


READ_AND_COUNT = {("dynamodb:GetItem", TABLE), ("dynamodb:UpdateItem", TABLE)}
CLOSE_JOBS = {*READ_AND_COUNT, ("dynamodb:PutItem", TABLE)}
QUERY_AND_COUNT = {("dynamodb:Query", TABLE), ("dynamodb:UpdateItem", TABLE)}
START = on_each(MACHINE_ARNS, "states:StartExecution")
STOP = on_each(EXECUTIONS, "states:StopExecution")
RESOLVE_TASK = on_each(MACHINE_ARNS, "states:SendTaskSuccess", "states:SendTaskFailure")
READ_STAGED = {("s3:GetObject", f"{STAGING}/*"), ("s3:ListBucket", STAGING)}
FILES = f"{STAGING}/files/*"
OPEN_FILES = {("s3:GetObject", FILES), ("s3:ListBucket", STAGING)}
PUT_STAGED = ("s3:PutObject", f"{STAGING}/*")
SIGN = ("s3:GetObject", CLIPS)
DELETE_VIDEO = {
    ("s3:ListBucket", VIDEOS),
    ("s3:DeleteObject", CLIPS),
    ("s3:ListBucket", STAGING),
    ("s3:DeleteObject", f"{STAGING}/*"),
}
STAGE = {*READ_STAGED, ("s3:PutObject", f"{STAGING}/*")}
SEND_WEBHOOK = {
    *READ_AND_COUNT,
    ("dynamodb:BatchGetItem", TABLE),
    ("kms:Decrypt", WEBHOOK_KEY),
    ("events:PutEvents", BUS),
    ("sqs:SendMessage", RETRIES),
    ("scheduler:CreateSchedule", SCHEDULES),
    ("iam:PassRole", SCHEDULE_ROLE),
}
PROVIDER_SECRETS = f"arn:<AWS::Partition>:secretsmanager:{ACCOUNT}:secret:shoal/dev/providers/*"
READ_KEYS = ("secretsmanager:GetSecretValue", PROVIDER_SECRETS)
LOOK_AT_BOARD = ("dynamodb:BatchGetItem", TABLE)
ASK_POOL = on_each([USER_POOL], "cognito-idp:AdminInitiateAuth", "cognito-idp:DescribeUserPoolClient")
CALL_BACK = {
    ("secretsmanager:GetSecretValue", SECRET),
    ("sqs:SendMessage", POLL),
    ("sqs:SendMessage", SIMULATED_POLL),
}

SPEAK = ("polly:SynthesizeSpeech", "*")
"""Polly has no resource for speech."""
EXPECTED: dict[str, set[tuple[str, str]]] = {
    "submit_job": {
        *CLOSE_JOBS,
        *START,
        LOOK_AT_BOARD,
        *OPEN_FILES,
        ("s3:PutObject", f"{STAGING}/*"),
        ("s3:DeleteObject", f"{STAGING}/*"),
    },
    "serve_mcp": {
        *CLOSE_JOBS,
        *START,
        LOOK_AT_BOARD,
        ("dynamodb:Query", TABLE),
        *OPEN_FILES,
        ("s3:PutObject", f"{STAGING}/*"),
        ("s3:DeleteObject", f"{STAGING}/*"),
        SIGN,
    },
    "read_models": {("dynamodb:UpdateItem", TABLE), LOOK_AT_BOARD},
    "quote_job": READ_AND_COUNT,
    "summarize_usage": QUERY_AND_COUNT,
    "read_job": {*READ_AND_COUNT, *QUERY_AND_COUNT, SIGN},
    "cancel_job": {
        *CLOSE_JOBS,
        *STOP,
        *DELETE_VIDEO,
        ("dynamodb:Query", TABLE),
        ("events:PutEvents", BUS),
    },
    "read_wallet": READ_AND_COUNT,
    "list_jobs": {*QUERY_AND_COUNT, ("dynamodb:BatchGetItem", TABLE), SIGN},
    "receive_callback": {*READ_AND_COUNT, *CALL_BACK, READ_KEYS},
    "receive_payment": {*CLOSE_JOBS, ("secretsmanager:GetSecretValue", STRIPE_SECRET)},
    "manage_files": {
        *CLOSE_JOBS,
        *OPEN_FILES,
        ("dynamodb:DeleteItem", TABLE),
        ("dynamodb:Query", TABLE),
        ("s3:PutObject", FILES),
        ("s3:DeleteObject", FILES),
    },
    "manage_webhooks": {
        *CLOSE_JOBS,
        ("dynamodb:DeleteItem", TABLE),
        ("dynamodb:Query", TABLE),
        ("kms:Encrypt", WEBHOOK_KEY),
        ("kms:Decrypt", WEBHOOK_KEY),
    },
    "manage_deliveries": {
        *CLOSE_JOBS,
        ("dynamodb:Query", TABLE),
        ("sqs:SendMessage", EVENTS),
        ("sqs:SendMessage", RETRIES),
    },
    "manage_webhook_secret": {*CLOSE_JOBS, ("kms:Encrypt", WEBHOOK_KEY), ("kms:Decrypt", WEBHOOK_KEY)},
    "read_document": {("dynamodb:UpdateItem", TABLE)},
    "show_dashboard": {
        *ASK_POOL,
        ("cognito-idp:AdminSetUserPassword", USER_POOL),
        ("cognito-idp:AdminUserGlobalSignOut", USER_POOL),
        ("cognito-idp:AdminRespondToAuthChallenge", USER_POOL),
        ("cognito-idp:AdminGetUser", USER_POOL),
        *CLOSE_JOBS,
        *START,
        *STOP,
        *DELETE_VIDEO,
        SIGN,
        *OPEN_FILES,
        PUT_STAGED,
        ("dynamodb:BatchGetItem", TABLE),
        ("dynamodb:DeleteItem", TABLE),
        ("dynamodb:Query", TABLE),
        ("events:PutEvents", BUS),
        ("kms:Encrypt", WEBHOOK_KEY),
        ("kms:Decrypt", WEBHOOK_KEY),
        ("sqs:SendMessage", EVENTS),
        ("sqs:SendMessage", RETRIES),
    },
    "operate": {
        *ASK_POOL,
        *CLOSE_JOBS,
        SIGN,
        ("dynamodb:BatchGetItem", TABLE),
        ("dynamodb:DeleteItem", TABLE),
        ("dynamodb:Query", TABLE),
        ("dynamodb:Query", OPEN_JOBS),
        ("dynamodb:Query", FAILED_JOBS),
    },
    "top_up": {
        *ASK_POOL,
        *CLOSE_JOBS,
        ("dynamodb:DeleteItem", TABLE),
        ("secretsmanager:GetSecretValue", STRIPE_SECRET),
    },
    "admit_sign_up": set(),
    "read_health": {("dynamodb:UpdateItem", TABLE)},
    "reject_route": {("dynamodb:UpdateItem", TABLE)},
    "call_provider": {
        *READ_AND_COUNT,
        LOOK_AT_BOARD,
        READ_KEYS,
        *CALL_BACK,
        *RESOLVE_TASK,
        *STAGE,
        SPEAK,
        ("events:PutEvents", BUS),
    },
    "simulate": {
        *CLOSE_JOBS,
        LOOK_AT_BOARD,
        *CALL_BACK,
        *RESOLVE_TASK,
        *STAGE,
        ("dynamodb:Query", TABLE),
        ("events:PutEvents", BUS),
        ("s3:PutObject", IMAGES),
        ("s3:ListBucket", VIDEOS),
        ("s3:GetObject", CLIPS),
        ("s3:PutObject", CLIPS),
    },
    "store_output": {
        *READ_STAGED,
        ("dynamodb:GetItem", TABLE),
        ("s3:PutObject", IMAGES),
    },
    "settle_wallet": {*CLOSE_JOBS, SIGN},
    "release_hold": {*CLOSE_JOBS, ("dynamodb:Query", TABLE), SIGN, *DELETE_VIDEO},
    "write_script": {
        *CLOSE_JOBS,
        LOOK_AT_BOARD,
        READ_KEYS,
        ("dynamodb:Query", TABLE),
        ("events:PutEvents", BUS),
    },
    "narrate": {
        *READ_AND_COUNT,
        LOOK_AT_BOARD,
        READ_KEYS,
        SPEAK,
        ("dynamodb:Query", TABLE),
        ("s3:PutObject", CLIPS),
        PUT_STAGED,
    },
    "render_scene": {*READ_AND_COUNT, LOOK_AT_BOARD, READ_KEYS, *CALL_BACK, *RESOLVE_TASK, *STAGE, SPEAK},
    "store_clip": {*READ_AND_COUNT, *READ_STAGED, ("s3:PutObject", CLIPS), SIGN},
    "stitch_video": {
        *READ_AND_COUNT,
        *READ_STAGED,
        ("s3:ListBucket", VIDEOS),
        ("s3:GetObject", CLIPS),
        ("s3:PutObject", CLIPS),
    },
    "poll_provider": {
        *READ_AND_COUNT,
        LOOK_AT_BOARD,
        READ_KEYS,
        *CALL_BACK,
        *RESOLVE_TASK,
        *STAGE,
        SPEAK,
        ("sqs:ReceiveMessage", POLL),
        ("sqs:DeleteMessage", POLL),
        ("sqs:GetQueueAttributes", POLL),
        ("sqs:ChangeMessageVisibility", POLL),
    },
    "poll_simulated": {
        *READ_AND_COUNT,
        LOOK_AT_BOARD,
        *CALL_BACK,
        *RESOLVE_TASK,
        *STAGE,
        *consume(SIMULATED_POLL),
        ("sqs:ChangeMessageVisibility", SIMULATED_POLL),
    },
    "sweep_jobs": {
        *CLOSE_JOBS,
        ("dynamodb:Query", TABLE),
        ("dynamodb:DeleteItem", TABLE),
        ("dynamodb:Query", OPEN_JOBS),
        ("events:PutEvents", BUS),
        *START,
        *STOP,
        *on_each(EXECUTIONS, "states:DescribeExecution"),
        *RESOLVE_TASK,
        *READ_STAGED,
        ("s3:DeleteObject", IMAGES),
        ("s3:ListBucket", OUTPUTS),
        SIGN,
        *DELETE_VIDEO,
        ("sqs:SendMessage", POLL),
        ("sqs:SendMessage", SIMULATED_POLL),
        ("sqs:SendMessage", ASYNC_FAILURES),
    },
    "close_execution": {
        *CLOSE_JOBS,
        ("dynamodb:Query", TABLE),
        *START,
        *STOP,
        SIGN,
        *DELETE_VIDEO,
        ("events:PutEvents", BUS),
        ("sqs:ReceiveMessage", CLOSED),
        ("sqs:DeleteMessage", CLOSED),
        ("sqs:GetQueueAttributes", CLOSED),
    },
    "fan_out_event": {
        *CLOSE_JOBS,
        *consume(EVENTS),
        ("dynamodb:Query", TABLE),
        ("sqs:SendMessage", EVENTS),
        ("sqs:SendMessage", DELIVERIES),
        ("sqs:SendMessage", RETRIES),
        ("kms:Encrypt", WEBHOOK_KEY),
    },
    "deliver_webhook": {*SEND_WEBHOOK, *consume(DELIVERIES)},
    "retry_webhook": {*SEND_WEBHOOK, *consume(RETRIES), SIGN},
    "audit_ledger": {
        ("dynamodb:GetItem", TABLE),
        ("dynamodb:Query", TABLE),
        ("dynamodb:UpdateItem", TABLE),
        ("sqs:SendMessage", ASYNC_FAILURES),
    },
}

SEND_KEYS = {
    "dynamodb:BatchGetItem": ["WEBHOOK#*", "WEBHOOKS#*"],
    "dynamodb:GetItem": ["WEBHOOK#*"],
    "dynamodb:UpdateItem": ["WEBHOOK#*", "WEBHOOKS#*"],
}
ONE_JOB = {"dynamodb:GetItem": ["ACCOUNT#*"], "dynamodb:UpdateItem": ["ACCOUNT#*"]}
ON_BOARD = {"dynamodb:BatchGetItem": ["PROVIDER#*", "ROUTE#*"]}
SUBMITS = {"dynamodb:BatchGetItem": ["ACCOUNT#*", "PROVIDER#*", "ROUTE#*"]}
ASKED = {**ON_BOARD, **ONE_JOB, "dynamodb:UpdateItem": ["ACCOUNT#*", "OUTBOX", "ROUTE#*"]}
ASKED_SCENE = {**ASKED, "dynamodb:GetItem": ["ACCOUNT#*", "JOB#*"]}
COUNT_REQUEST = {"dynamodb:UpdateItem": ["KEY#*", "LIMITS#*"]}
COUNT_SOURCE = {"dynamodb:UpdateItem": ["LIMITS#*"]}
TAKE_JOB = {
    "dynamodb:GetItem": ["ACCOUNT#*", "FILES#*", "IDEMPOTENCY#*", "WALLET#*"],
    "dynamodb:PutItem": ["ACCOUNT#*", "IDEMPOTENCY#*", "WALLET#*"],
    "dynamodb:UpdateItem": ["KEY#*", "LIMITS#*", "WALLET#*"],
}
CLOSE_JOB = {
    "dynamodb:GetItem": ["ACCOUNT#*", "WALLET#*"],
    "dynamodb:PutItem": ["WALLET#*"],
    "dynamodb:UpdateItem": ["ACCOUNT#*", "LIMITS#*", "WALLET#*"],
}
LEADING_KEYS = {
    "serve_mcp": {
        **TAKE_JOB,
        **SUBMITS,
        "dynamodb:GetItem": ["ACCOUNT#*", "FILES#*", "IDEMPOTENCY#*", "MODEL#*", "QUOTE#*", "WALLET#*"],
        "dynamodb:PutItem": ["ACCOUNT#*", "IDEMPOTENCY#*", "QUOTE#*", "WALLET#*"],
        "dynamodb:Query": ["JOB#*"],
    },
    "read_job": {"dynamodb:GetItem": ["ACCOUNT#*"], "dynamodb:Query": ["JOB#*"], **COUNT_REQUEST},
    "submit_job": {**TAKE_JOB, **SUBMITS},
    "read_models": {**ON_BOARD, **COUNT_REQUEST},
    "quote_job": {"dynamodb:GetItem": ["MODEL#*"], **COUNT_REQUEST},
    "summarize_usage": {"dynamodb:Query": ["ACCOUNT#*"], **COUNT_REQUEST},
    "read_wallet": {"dynamodb:GetItem": ["WALLET#*"], **COUNT_REQUEST},
    "list_jobs": {
        "dynamodb:Query": ["ACCOUNT#*"],
        "dynamodb:BatchGetItem": ["JOB#*"],
        **COUNT_REQUEST,
    },
    "receive_callback": {**ONE_JOB, "dynamodb:UpdateItem": ["ACCOUNT#*", "LIMITS#*"]},
    "read_document": COUNT_SOURCE,
    "read_health": COUNT_SOURCE,
    "reject_route": COUNT_SOURCE,
    "receive_payment": {
        "dynamodb:GetItem": ["WALLET#*"],
        "dynamodb:PutItem": ["WALLET#*"],
        "dynamodb:UpdateItem": ["LIMITS#*", "OUTBOX", "WALLET#*"],
    },
    "show_dashboard": {
        "dynamodb:BatchGetItem": ["ACCOUNT#*", "JOB#*", "KEY#*", "PROVIDER#*", "ROUTE#*"],
        "dynamodb:GetItem": [
            "ACCOUNT#*",
            "FILES#*",
            "IDEMPOTENCY#*",
            "MODEL#*",
            "PERSON#*",
            "SESSION#*",
            "WALLET#*",
            "WEBHOOK#*",
            "WEBHOOKS#*",
        ],
        "dynamodb:PutItem": [
            "ACCOUNT#*",
            "ACCOUNTS",
            "IDEMPOTENCY#*",
            "KEY#*",
            "PERSON#*",
            "SESSION#*",
            "WALLET#*",
            "WEBHOOK#*",
            "WEBHOOKS#*",
        ],
        "dynamodb:UpdateItem": [
            "ACCOUNT#*",
            "IDEMPOTENCY#*",
            "KEY#*",
            "LIMITS#*",
            "OUTBOX",
            "PERSON#*",
            "SESSION#*",
            "WALLET#*",
            "WEBHOOK#*",
            "WEBHOOKS#*",
        ],
        "dynamodb:DeleteItem": ["SESSION#*", "WEBHOOKS#*"],
        "dynamodb:Query": ["ACCOUNT#*", "JOB#*", "PERSON#*", "WALLET#*", "WEBHOOK#*", "WEBHOOKS#*"],
    },
    "operate": {
        "dynamodb:BatchGetItem": ["ACCOUNT#*", "ACCOUNTS", "JOB#*", "PROVIDER#*", "ROUTE#*"],
        "dynamodb:GetItem": [
            "ACCOUNT#*",
            "ACCOUNTS",
            "GRANT#*",
            "JOB#*",
            "LIMITS#*",
            "SESSION#*",
            "WALLET#*",
        ],
        "dynamodb:PutItem": ["GRANT#*", "GRANTS", "WALLET#*"],
        "dynamodb:UpdateItem": [
            "ACCOUNT#*",
            "ACCOUNTS",
            "KEY#*",
            "LIMITS#*",
            "OUTBOX",
            "SESSION#*",
            "WALLET#*",
        ],
        "dynamodb:DeleteItem": ["GRANTS", "SESSION#*"],
        "dynamodb:Query": ["ACCOUNT#*", "ACCOUNTS", "GRANTS", "JOB#*", "WALLET#*"],
    },
    "top_up": {
        "dynamodb:GetItem": ["ACCOUNT#*", "SESSION#*", "WALLET#*"],
        "dynamodb:PutItem": ["WALLET#*"],
        "dynamodb:UpdateItem": ["LIMITS#*", "OUTBOX", "SESSION#*", "WALLET#*"],
        "dynamodb:DeleteItem": ["SESSION#*"],
    },
    "call_provider": ASKED,
    "manage_files": {
        "dynamodb:GetItem": ["FILES#*", "IDEMPOTENCY#*"],
        "dynamodb:PutItem": ["FILES#*", "IDEMPOTENCY#*"],
        "dynamodb:UpdateItem": ["FILES#*", "KEY#*", "LIMITS#*"],
        "dynamodb:DeleteItem": ["FILES#*"],
        "dynamodb:Query": ["FILES#*"],
    },
    "manage_webhooks": {
        "dynamodb:GetItem": ["IDEMPOTENCY#*", "WEBHOOKS#*"],
        "dynamodb:PutItem": ["IDEMPOTENCY#*", "WEBHOOKS#*"],
        "dynamodb:UpdateItem": ["KEY#*", "LIMITS#*", "WEBHOOKS#*"],
        "dynamodb:DeleteItem": ["WEBHOOKS#*"],
        "dynamodb:Query": ["WEBHOOKS#*"],
    },
    "manage_deliveries": {
        "dynamodb:GetItem": ["IDEMPOTENCY#*", "WALLET#*", "WEBHOOK#*", "WEBHOOKS#*"],
        "dynamodb:PutItem": ["IDEMPOTENCY#*", "WEBHOOK#*"],
        "dynamodb:UpdateItem": ["IDEMPOTENCY#*", "KEY#*", "LIMITS#*", "WEBHOOK#*"],
        "dynamodb:Query": ["WALLET#*", "WEBHOOK#*"],
    },
    "manage_webhook_secret": {
        "dynamodb:GetItem": ["IDEMPOTENCY#*", "WEBHOOKS#*"],
        "dynamodb:PutItem": ["IDEMPOTENCY#*", "WEBHOOKS#*"],
        **COUNT_REQUEST,
    },
    "fan_out_event": {
        "dynamodb:GetItem": ["ACCOUNT#*", "WALLET#*", "WEBHOOKS#*"],
        "dynamodb:PutItem": ["WEBHOOK#*", "WEBHOOKS#*"],
        "dynamodb:UpdateItem": ["WEBHOOK#*"],
        "dynamodb:Query": ["WALLET#*", "WEBHOOK#*", "WEBHOOKS#*"],
    },
    "deliver_webhook": SEND_KEYS,
    "retry_webhook": SEND_KEYS,
    "store_output": {"dynamodb:GetItem": ["ACCOUNT#*"]},
    "poll_provider": ASKED_SCENE,
    "cancel_job": {
        "dynamodb:GetItem": ["ACCOUNT#*", "IDEMPOTENCY#*", "WALLET#*"],
        "dynamodb:PutItem": ["IDEMPOTENCY#*", "WALLET#*"],
        "dynamodb:UpdateItem": ["ACCOUNT#*", "KEY#*", "LIMITS#*", "WALLET#*"],
        "dynamodb:Query": ["JOB#*"],
    },
    "settle_wallet": {**CLOSE_JOB, "dynamodb:UpdateItem": ["ACCOUNT#*", "LIMITS#*", "MODEL#*", "WALLET#*"]},
    "release_hold": {**CLOSE_JOB, "dynamodb:Query": ["JOB#*"]},
    "sweep_jobs": {
        **CLOSE_JOB,
        "dynamodb:Query": ["JOB#*", "OUTBOX"],
        "dynamodb:DeleteItem": ["OUTBOX"],
    },
    "close_execution": {**CLOSE_JOB, "dynamodb:Query": ["JOB#*"]},
    "audit_ledger": {
        "dynamodb:GetItem": ["ACCOUNT#*", "ACCOUNTS", "AUDIT", "WALLET#*"],
        "dynamodb:Query": ["ACCOUNT#*", "ACCOUNTS", "WALLET#*"],
        "dynamodb:UpdateItem": ["AUDIT", "OUTBOX"],
    },
    "poll_simulated": ASKED_SCENE,
    "simulate": {
        **ASKED_SCENE,
        "dynamodb:PutItem": ["JOB#*"],
        "dynamodb:UpdateItem": ["ACCOUNT#*", "JOB#*", "OUTBOX", "ROUTE#*"],
        "dynamodb:Query": ["JOB#*"],
    },
    "write_script": {**ASKED, "dynamodb:PutItem": ["JOB#*"], "dynamodb:Query": ["JOB#*"]},
    "narrate": {**ASKED, "dynamodb:Query": ["JOB#*"]},
    "render_scene": ASKED_SCENE,
    "store_clip": {
        "dynamodb:GetItem": ["ACCOUNT#*", "JOB#*"],
        "dynamodb:UpdateItem": ["ACCOUNT#*", "JOB#*"],
    },
    "stitch_video": ONE_JOB,
}
"""The partition keys to which functions are limited, by action, unless they may reach all."""

GO_BY_CATALOG = (
    "submit_job", "serve_mcp", "read_models", "quote_job", "cancel_job", "show_dashboard", "operate",
    "top_up", "call_provider", "render_scene", "poll_provider", "poll_simulated", "simulate", "write_script",
    "narrate", "settle_wallet", "release_hold", "sweep_jobs", "close_execution",
)  # fmt: skip
"""They read what is published, and no other function does."""
for verb in GO_BY_CATALOG:
    EXPECTED[verb] = EXPECTED[verb] | {("dynamodb:GetItem", TABLE), ("s3:GetObject", DOCUMENTS)}
    read = LEADING_KEYS[verb].get("dynamodb:GetItem", [])
    LEADING_KEYS[verb] = LEADING_KEYS[verb] | {"dynamodb:GetItem": sorted([*read, "CATALOG"])}
