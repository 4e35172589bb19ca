"""The conditions under which breakers and calls are written, with the scenarios that depend on them."""

from __future__ import annotations

from collections.abc import Callable

from shoal.adapters.dynamodb import breakers, jobs
from tests.integration.bench import Bench
from tests.integration.conditions import scenarios_routes as scenarios
from tests.integration.conditions.conditions import Guard, Unguarded

GUARDS: dict[Guard, list[Callable[[Bench], None]]] = {
    Guard("breaker", breakers.SAME_WINDOW, alone=True): [
        scenarios.calls_of_a_window_are_added_up,
        scenarios.a_new_window_begins_at_nothing,
        scenarios.a_window_that_two_begin_counts_both,
    ],
    Guard("breaker", breakers.NEW_WINDOW, alone=True): [
        scenarios.a_new_window_begins_at_nothing,
        scenarios.a_window_that_two_begin_counts_both,
        scenarios.what_was_counted_late_is_not_of_the_new_window,
    ],
    Guard("breaker", breakers.CLOSED): [scenarios.a_breaker_that_is_open_is_not_opened_again],
    Guard("breaker", breakers.COOLED_DOWN, alone=True): [scenarios.one_probe_at_a_time_is_let_through],
    Guard("breaker", breakers.MY_PROBE, alone=True): [
        scenarios.a_probe_that_succeeds_closes,
        scenarios.a_probe_that_ran_out_says_nothing_about_the_next,
    ],
    Guard("breaker", breakers.KNOWN, alone=True): [
        scenarios.closing_a_route_that_never_failed_writes_nothing,
        scenarios.the_stage_is_told_which_providers_have_a_key,
    ],
    Guard("job", jobs.FIRST_CALL, alone=True): [
        scenarios.the_first_call_of_an_output_is_made_once,
        scenarios.nobody_is_asked_for_a_closed_job,
        scenarios.a_write_that_was_made_twice_is_ones_own,
    ],
    Guard("job", jobs.SAME_CALL, alone=True): [
        scenarios.a_call_is_followed_by_one,
        scenarios.a_reference_is_of_the_call_it_came_for,
        scenarios.nobody_is_asked_for_a_closed_job,
    ],
}

UNGUARDED = {
    Unguarded("provider key", alone=True): "the operator's last word counts, whatever stood there",
}
