"""Every condition on publications of the catalog, with the scenarios that depend on it."""

from __future__ import annotations

from shoal.adapters.dynamodb.ledger import NEW
from shoal.adapters.dynamodb.publications import STILL_BEFORE
from tests.integration.conditions.conditions import Guard, Mutant
from tests.integration.conditions.scenarios_catalog import (
    of_two_first_publishers_one_is_told,
    of_two_later_publishers_one_is_told,
)

GUARDS = {
    Guard("current catalog", NEW): [of_two_first_publishers_one_is_told],
    Guard("current catalog", STILL_BEFORE): [of_two_later_publishers_one_is_told],
    Guard("publication", NEW): [of_two_later_publishers_one_is_told],
}
WITHOUT_EFFECT = {
    Mutant(Guard("publication", NEW), NEW, holds=True): "the current catalog's condition stands for both",
}
