"""Every condition in the table's adapters, with the scenarios that depend on it."""

from __future__ import annotations

from collections.abc import Callable

from shoal.adapters.dynamodb.accounts import IDLE, WITHIN_BURST
from shoal.adapters.dynamodb.idempotency import UNUSED
from shoal.adapters.dynamodb.jobs import (
    AWAITED_CALL,
    EXISTS,
    FIRST_EXECUTION,
    OPEN,
    SAME_DEADLINE,
    SAME_EXECUTION,
    UNANNOUNCED,
)
from shoal.adapters.dynamodb.ledger import (
    AFFORDABLE,
    LOW,
    NEW,
    ON_TRIAL,
    SAME_CALLS,
    STILL_ASKED,
    STILL_AWAITING,
    STILL_HELD,
    STILL_OPEN,
)
from shoal.adapters.dynamodb.payments import SUCCEEDS
from shoal.adapters.dynamodb.wallets import COVERED, INDEBTED
from tests.integration.bench import Bench
from tests.integration.conditions import (
    guards_catalog,
    guards_files,
    guards_limits,
    guards_people,
    guards_routes,
    guards_webhooks,
)
from tests.integration.conditions.conditions import Guard, Mutant, Unguarded
from tests.integration.conditions.scenarios_keys import (
    a_burst_is_admitted_and_no_more,
    a_burst_shortened_meanwhile_is_short,
    a_key_id_names_one_key,
    a_key_is_held_for_so_long_a_minute,
    a_key_revoked_meanwhile_is_unknown,
    a_key_slowed_meanwhile_is_slow,
    a_rested_key_has_its_whole_burst_again,
    a_revoked_key_is_unknown,
    a_secret_opens_one_account,
    a_slow_key_is_slow_from_its_first_request,
    an_account_is_opened_once,
    polls_count_apart_at_ten_times_the_rate,
    revoking_makes_no_key,
)
from tests.integration.conditions.scenarios_money import (
    a_cancel_sees_what_was_asked_meanwhile,
    a_canceled_job_goes_on_with_what_it_awaits,
    a_capture_is_counted_once,
    a_closed_job_alone_is_announced_later,
    a_closed_job_does_not_begin,
    a_closed_job_is_not_canceled,
    a_closed_job_is_not_closed_again,
    a_deadline_is_moved_by_one_who_knows_it,
    a_fourth_trial_is_refused,
    a_full_wallet_takes_no_more,
    a_grant_is_confirmed_as_it_waits_by_another_operator,
    a_grant_of_0_1_is_not_made_again,
    a_hold_that_is_not_held_is_not_resolved,
    a_job_overwrites_no_job_of_the_same_id,
    a_job_without_money_is_refused,
    a_late_output_makes_no_job,
    a_low_wallet_is_noted_by_one_job,
    a_reference_stands_for_one_grant,
    a_top_up_ends_being_low,
    a_trial_is_given_back,
    a_trial_is_not_spent_while_there_is_money,
    a_wallet_that_is_not_there_takes_nothing,
    a_wallet_with_enough_is_not_low,
    an_idempotency_key_counts_for_a_day,
    an_idempotency_key_makes_one_job,
    an_open_job_stays_in_sight_of_the_sweeper,
    deleted_outputs_make_no_job,
    executions_take_over_what_a_cancel_awaits,
    no_execution_takes_over_a_closed_job,
    one_execution_takes_over,
    what_a_cancel_awaits_is_finished_once,
    what_was_asked_for_stays_as_it_was_asked_for_a_day,
)
from tests.integration.conditions.scenarios_payments import (
    a_debt_made_meanwhile_is_paid,
    a_debt_paid_meanwhile_is_not_paid_twice,
    a_debt_paid_out_of_what_was_free_is_not_paid_again,
    a_full_wallet_takes_no_payment_but_gives_back,
    a_payment_is_taken_in_once,
    a_refund_is_taken_in_once,
    an_older_look_does_not_overwrite_a_newer_one,
    money_spent_meanwhile_is_owed,
    money_that_comes_in_meanwhile_pays_what_is_owed,
)
from tests.integration.conditions.scenarios_people import (
    a_key_suspended_meanwhile_is_refused,
    a_suspended_accounts_keys_are_refused_until_it_is_lifted,
)
from tests.integration.conditions.scenarios_routes import a_late_callback_is_not_noted
from tests.integration.conditions.scenarios_videos import (
    a_clip_makes_no_scene,
    a_closed_video_does_not_advance,
    a_script_is_written_once,
    two_scripts_never_mix,
)

Scenario = Callable[[Bench], None]

BURSTS = [a_burst_is_admitted_and_no_more, a_rested_key_has_its_whole_burst_again]
GUARDS: dict[Guard, list[Scenario]] = {
    **guards_webhooks.GUARDS,
    **guards_routes.GUARDS,
    **guards_people.GUARDS,
    **guards_limits.GUARDS,
    **guards_catalog.GUARDS,
    **guards_files.GUARDS,
    Guard("job", NEW): [a_job_overwrites_no_job_of_the_same_id],
    Guard("wallet", AFFORDABLE): [a_job_without_money_is_refused],
    Guard("wallet", ON_TRIAL): [a_trial_is_not_spent_while_there_is_money, a_fourth_trial_is_refused],
    Guard("entry", NEW): [a_grant_of_0_1_is_not_made_again],
    Guard("grant", NEW): [a_reference_stands_for_one_grant],
    Guard("pending grant", UNUSED): [what_was_asked_for_stays_as_it_was_asked_for_a_day],
    Guard("pending grant", STILL_ASKED): [a_grant_is_confirmed_as_it_waits_by_another_operator],
    Guard("wallet", COVERED): [
        a_full_wallet_takes_no_more,
        a_wallet_that_is_not_there_takes_nothing,
        a_full_wallet_takes_no_payment_but_gives_back,
        money_spent_meanwhile_is_owed,
        a_debt_made_meanwhile_is_paid,
    ],
    Guard("wallet", INDEBTED): [
        money_that_comes_in_meanwhile_pays_what_is_owed,
        a_debt_paid_out_of_what_was_free_is_not_paid_again,
        a_debt_paid_meanwhile_is_not_paid_twice,
    ],
    Guard("payment", NEW): [a_payment_is_taken_in_once],
    Guard("payment", SUCCEEDS): [a_refund_is_taken_in_once, an_older_look_does_not_overwrite_a_newer_one],
    Guard("wallet", LOW, alone=True): [
        a_low_wallet_is_noted_by_one_job,
        a_wallet_with_enough_is_not_low,
        a_top_up_ends_being_low,
    ],
    Guard("idempotency record", UNUSED): [
        an_idempotency_key_makes_one_job,
        an_idempotency_key_counts_for_a_day,
    ],
    Guard("job", STILL_OPEN): [a_closed_job_is_not_closed_again, a_capture_is_counted_once],
    Guard("job", SAME_CALLS): [a_cancel_sees_what_was_asked_meanwhile, a_closed_job_is_not_canceled],
    Guard("job", STILL_AWAITING): [what_a_cancel_awaits_is_finished_once],
    Guard("job", AWAITED_CALL, alone=True): [a_canceled_job_goes_on_with_what_it_awaits],
    Guard("wallet", STILL_HELD): [a_hold_that_is_not_held_is_not_resolved],
    Guard("wallet", EXISTS): [a_trial_is_given_back],
    Guard("job", UNANNOUNCED, alone=True): [
        an_open_job_stays_in_sight_of_the_sweeper,
        a_closed_job_alone_is_announced_later,
    ],
    Guard("job", SAME_DEADLINE, alone=True): [a_deadline_is_moved_by_one_who_knows_it],
    Guard("job", FIRST_EXECUTION, alone=True): [
        one_execution_takes_over,
        executions_take_over_what_a_cancel_awaits,
        no_execution_takes_over_a_closed_job,
    ],
    Guard("job", SAME_EXECUTION, alone=True): [
        one_execution_takes_over,
        executions_take_over_what_a_cancel_awaits,
        no_execution_takes_over_a_closed_job,
    ],
    Guard("job", EXISTS, alone=True): [a_late_output_makes_no_job, deleted_outputs_make_no_job],
    Guard("scene", NEW): [a_script_is_written_once, two_scripts_never_mix],
    Guard("scene", EXISTS, alone=True): [a_clip_makes_no_scene],
    Guard("job", OPEN, alone=True): [
        a_closed_job_does_not_begin,
        a_closed_video_does_not_advance,
        a_late_callback_is_not_noted,
    ],
    Guard("account", NEW): [an_account_is_opened_once],
    Guard("wallet", NEW): [an_account_is_opened_once],
    Guard("key", NEW): [a_secret_opens_one_account],
    Guard("key of account", NEW): [a_key_id_names_one_key],
    Guard("key", EXISTS): [revoking_makes_no_key],
    Guard("key of account", EXISTS): [revoking_makes_no_key],
    Guard("key", IDLE, alone=True): [
        polls_count_apart_at_ten_times_the_rate,
        a_revoked_key_is_unknown,
        a_slow_key_is_slow_from_its_first_request,
        a_suspended_accounts_keys_are_refused_until_it_is_lifted,
        *BURSTS,
    ],
    Guard("key", WITHIN_BURST, alone=True): [
        a_key_is_held_for_so_long_a_minute,
        *BURSTS,
        a_key_revoked_meanwhile_is_unknown,
        a_key_slowed_meanwhile_is_slow,
        a_burst_shortened_meanwhile_is_short,
        a_key_suspended_meanwhile_is_refused,
    ],
}
"""Each condition with the scenarios that depend on it."""

UNGUARDED = (
    guards_routes.UNGUARDED
    | guards_files.UNGUARDED
    | guards_limits.UNGUARDED
    | guards_people.UNGUARDED
    | {
        Unguarded("usage rollup"): (
            "written only beside a change of its job, whose condition stands for the whole transaction"
        ),
        Unguarded("key", alone=True): "what was held before is forgotten: its key was there, and stays",
        Unguarded("runs of a model", alone=True): (
            "an estimate, no account: a run counted twice adds to both its number and its time"
        ),
    }
)
"""Every write under no condition, and why it needs none."""

WITHOUT_EFFECT = (
    guards_webhooks.WITHOUT_EFFECT
    | guards_catalog.WITHOUT_EFFECT
    | guards_limits.WITHOUT_EFFECT
    | guards_people.WITHOUT_EFFECT
    | {
        Mutant(Guard("wallet", EXISTS), EXISTS, holds=True): (
            "DynamoDB adds nothing to a number that is not there: a missing wallet fails the transaction"
        ),
        Mutant(Guard("account", NEW), NEW, holds=True): "the wallets of the account stand in the way as well",
        Mutant(Guard("wallet", NEW), NEW, holds=True): "the account itself stands in the way as well",
        Mutant(Guard("key of account", EXISTS), EXISTS, holds=True): (
            "the item was read a moment ago, and nothing ever deletes it"
        ),
        Mutant(Guard("key", IDLE, alone=True), "burst = :burst", holds=True): (
            "the first way in asks nothing of the burst; the second one checks it"
        ),
        Mutant(Guard("key", WITHIN_BURST, alone=True), "#tat > :now", holds=True): (
            "it is tried only after the first way found tat beyond now, and tat only grows"
        ),
    }
)
"""Clauses that nothing depends on today, and why."""
