"""The conditions under which webhooks are written, with the scenarios that depend on them."""

from __future__ import annotations

from collections.abc import Callable

from shoal.adapters.dynamodb import deliveries, hosts, idempotency, slots, webhooks
from tests.integration.bench import Bench
from tests.integration.conditions import scenarios_webhooks as scenarios
from tests.integration.conditions.conditions import Guard, Mutant

NEW = "attribute_not_exists(pk)"

GUARDS: dict[Guard, list[Callable[[Bench], None]]] = {
    Guard("count of subscriptions", webhooks.ROOM): [scenarios.an_account_has_so_many_webhooks_and_no_more],
    Guard("count of subscriptions", webhooks.EXISTS): [scenarios.a_webhook_is_deleted_once],
    Guard("subscription", NEW): [scenarios.a_webhook_overwrites_no_webhook],
    Guard("subscription", webhooks.SAME_SECRET): [scenarios.of_two_rotations_of_a_secret_one_is_made],
    Guard("subscription", webhooks.AS_SEEN, alone=True): [
        scenarios.what_is_enabled_while_it_is_disabled_is_enabled,
        scenarios.the_last_address_given_counts,
    ],
    Guard("subscription", webhooks.STILL_FAILING, alone=True): [
        scenarios.a_webhook_is_disabled_once,
        scenarios.a_success_since_keeps_a_webhook_enabled,
        scenarios.what_is_gone_elsewhere_is_not_gone_here,
    ],
    Guard("subscription", webhooks.EXISTS, alone=True): [scenarios.an_announcement_makes_no_webhook],
    Guard("subscription", webhooks.SAME_ADDRESS, alone=True): [
        scenarios.a_note_makes_no_webhook,
        scenarios.a_success_elsewhere_is_no_success_here,
    ],
    Guard("subscription", webhooks.EXISTS): [scenarios.a_webhook_is_deleted_once],
    Guard("account secret", NEW): [scenarios.an_account_has_one_first_secret],
    Guard("account secret", webhooks.SAME_SECRET): [
        scenarios.of_two_rotations_of_an_accounts_secret_one_is_made
    ],
    Guard("delivery", NEW): [scenarios.a_delivery_is_opened_once],
    Guard("delivery", deliveries.NEWS, alone=True): [scenarios.a_success_is_listed_once],
    Guard("delivery", deliveries.THIS_ATTEMPT, alone=True): [
        scenarios.an_attempt_is_recorded_once,
        scenarios.a_missed_delivery_does_not_fail,
        scenarios.a_late_attempt_is_not_of_the_new_run,
    ],
    Guard("delivery", deliveries.THIS_RUN, alone=True): [
        scenarios.a_delivered_delivery_is_not_missed,
        scenarios.a_run_that_was_begun_is_not_missed_for_the_one_before,
    ],
    Guard("delivery", deliveries.AS_SEEN, alone=True): [
        scenarios.a_run_is_begun_once,
        scenarios.a_run_is_begun_from_the_status_that_was_seen,
        scenarios.a_run_is_begun_from_the_attempts_that_were_seen,
    ],
    Guard("sends to a host", hosts.ROOM, alone=True): [scenarios.a_host_gets_so_much_in_a_minute_and_no_more],
    Guard("delivery", deliveries.AS_SEEN): [
        scenarios.a_run_is_begun_once_with_a_key,
        scenarios.a_run_is_begun_with_a_key_from_the_status_that_was_seen,
        scenarios.a_run_is_begun_with_a_key_from_the_attempts_that_were_seen,
    ],
    Guard("idempotency record", idempotency.KEPT, alone=True): [scenarios.an_answer_makes_no_record],
    Guard("slots", slots.FREE, alone=True): [
        scenarios.a_slot_is_held_by_one,
        scenarios.a_slot_that_ran_out_is_free,
    ],
    Guard("slots", slots.MINE, alone=True): [scenarios.a_slot_that_ran_out_is_not_freed_for_its_next_holder],
}

WITHOUT_EFFECT = {
    Mutant(Guard("count of subscriptions", webhooks.EXISTS), webhooks.EXISTS, holds=True): (
        "a webhook that is there was counted, and one that is not fails the transaction itself"
    ),
    Mutant(Guard("delivery", deliveries.NEWS, alone=True), webhooks.EXISTS, holds=True): (
        "DynamoDB appends nothing to a list that is not there: it refuses the update"
    ),
}
