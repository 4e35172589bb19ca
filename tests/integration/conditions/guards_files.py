"""Every condition on files and on what they count for, with the scenarios that depend on it."""

from __future__ import annotations

from shoal.adapters.dynamodb import files
from shoal.adapters.dynamodb.ledger import NEW
from tests.integration.conditions.conditions import Guard, Unguarded
from tests.integration.conditions.scenarios_files import (
    a_file_is_deleted_once,
    a_file_overwrites_no_file,
    a_look_makes_no_file,
    of_two_first_files_one_is_counted_after_the_other,
    of_two_more_files_one_is_counted_after_the_other,
)

GUARDS = {
    Guard("kept files", files.FIRST): [of_two_first_files_one_is_counted_after_the_other],
    Guard("kept files", files.UNCHANGED): [of_two_more_files_one_is_counted_after_the_other],
    Guard("file", NEW): [a_file_overwrites_no_file],
    Guard("file", files.EXISTS): [a_file_is_deleted_once],
    Guard("file", files.EXISTS, alone=True): [a_look_makes_no_file],
}
UNGUARDED = {
    Unguarded("kept files"): "given back beside the deletion of its file, whose condition stands for both",
}
