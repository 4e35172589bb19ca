"""The conditions under which people, sessions and suspensions are written, with their scenarios."""

from __future__ import annotations

from collections.abc import Callable

from shoal.adapters.dynamodb import accounts, directory, people
from tests.integration.bench import Bench
from tests.integration.conditions import scenarios_people as scenarios
from tests.integration.conditions.conditions import Guard, Mutant, Unguarded
from tests.integration.conditions.scenarios_keys import (
    a_key_made_meanwhile_counts,
    an_account_has_so_many_keys_and_no_more,
    nobody_gets_no_key,
)

NEW = "attribute_not_exists(pk)"
NOT_FORGOTTEN = "attribute_exists(pk)"

GUARDS: dict[Guard, list[Callable[[Bench], None]]] = {
    Guard("person", NEW): [scenarios.a_person_has_one_account],
    Guard("listed account", NEW): [scenarios.a_person_has_one_account],
    Guard("session", NEW): [scenarios.a_session_id_names_one_session],
    Guard("session of person", NEW): [scenarios.a_session_id_names_one_session],
    Guard("person", people.SINCE_SIGNED_OUT): [
        scenarios.who_is_signed_out_everywhere_is_out,
        scenarios.nobody_has_no_session,
    ],
    Guard("person", people.THERE, alone=True): [scenarios.nobody_has_no_session],
    Guard("session", people.THERE): [scenarios.a_session_that_has_ended_stays_so],
    Guard("session", people.THERE, alone=True): [scenarios.a_session_that_has_ended_stays_so],
    Guard("account", accounts.MAY_HAVE_KEYS): [
        nobody_gets_no_key,
        scenarios.a_suspended_account_gets_no_key,
        a_key_made_meanwhile_counts,
        an_account_has_so_many_keys_and_no_more,
    ],
    Guard("account", directory.THERE, alone=True): [scenarios.nobody_is_not_resumed],
    Guard("account", directory.ACTIVE): [
        scenarios.nobody_is_not_suspended,
        scenarios.an_account_is_told_to_be_suspended_once,
    ],
    Guard("outbox", NOT_FORGOTTEN): [scenarios.an_account_is_told_to_be_suspended_once],
    Guard("listed account", directory.THERE, alone=True): [
        scenarios.a_suspended_accounts_keys_are_refused_until_it_is_lifted
    ],
    Guard("key", directory.THERE, alone=True): [
        scenarios.a_suspended_accounts_keys_are_refused_until_it_is_lifted
    ],
}

UNGUARDED = {
    Unguarded("outbox"): "written only beside what happened, whose condition stands for the transaction",
    Unguarded("outbox", alone=True): "the same discrepancy is the same event",
    Unguarded("person", alone=True): "an operator says whose account it is, and the last word counts",
}

WITHOUT_EFFECT = {
    Mutant(Guard("session of person", NEW), NEW, holds=True): "its session stands in the way as well",
    Mutant(Guard("listed account", NEW), NEW, holds=True): "its account stands in the way as well",
    Mutant(Guard("session", people.THERE), people.THERE, holds=True): (
        "deleting what is not there deletes nothing"
    ),
    Mutant(Guard("outbox", NOT_FORGOTTEN), NOT_FORGOTTEN, holds=True): (
        "forgetting what is forgotten forgets nothing"
    ),
    Mutant(Guard("listed account", directory.THERE, alone=True), directory.THERE, holds=True): (
        "an account is written with its line in the list, and neither is ever deleted"
    ),
    Mutant(Guard("key", directory.THERE, alone=True), directory.THERE, holds=True): (
        "the key was listed a moment ago, and nothing ever deletes one"
    ),
}
