"""Every condition on the counters that bound load, with the scenarios that depend on it."""

from __future__ import annotations

from shoal.adapters.dynamodb.limits import (
    COUNTED_BEFORE,
    COUNTED_TODAY,
    FEWER,
    FITS,
    NOT_LOOKED_AT,
    RESTED,
    WITHIN_LIMIT,
)
from tests.integration.conditions.conditions import Guard, Mutant, Unguarded
from tests.integration.conditions.scenarios_limits import (
    a_day_begins_with_nothing,
    a_day_begun_meanwhile_is_not_begun_again,
    a_job_closed_before_midnight_counts_once,
    a_job_is_counted_out_once,
    a_subject_has_its_burst_and_no_more,
    jobs_that_ended_unnoticed_are_looked_for_now_and_then,
    no_more_is_drawn_than_fits,
    no_more_jobs_are_open_than_may_be,
    what_was_given_back_is_drawn_again,
)

GUARDS = {
    Guard("rate", RESTED, alone=True): [a_subject_has_its_burst_and_no_more],
    Guard("rate", WITHIN_LIMIT, alone=True): [a_subject_has_its_burst_and_no_more],
    Guard("bytes fetched", FITS, alone=True): [
        no_more_is_drawn_than_fits,
        what_was_given_back_is_drawn_again,
    ],
    Guard("open jobs", FEWER, alone=True): [no_more_jobs_are_open_than_may_be],
    Guard("open jobs", COUNTED_TODAY, alone=True): [a_job_is_counted_out_once, a_day_begins_with_nothing],
    Guard("open jobs", COUNTED_BEFORE, alone=True): [
        a_job_is_counted_out_once,
        a_day_begins_with_nothing,
        a_job_closed_before_midnight_counts_once,
        a_day_begun_meanwhile_is_not_begun_again,
    ],
    Guard("open jobs", NOT_LOOKED_AT, alone=True): [jobs_that_ended_unnoticed_are_looked_for_now_and_then],
}
UNGUARDED = {
    Unguarded(
        "bytes fetched", alone=True
    ): "what is given back was drawn a moment ago, and is kept for a day",
    Unguarded(
        "open jobs", alone=True
    ): "taking out ids of jobs that are not there, and lifting, repeat as they are",
}
WITHOUT_EFFECT = {
    Mutant(Guard("rate", WITHIN_LIMIT, alone=True), "tat > :now", holds=True): (
        "it is tried only after the first way found tat beyond now, and tat only grows"
    ),
    Mutant(Guard("open jobs", COUNTED_BEFORE, alone=True), "contains(open_jobs, :ulid)", holds=True): (
        "the other way found the id there: what takes it out meanwhile also begins the day"
    ),
}
