"""What each dialect answers, as typed dictionaries: the dialect's functions are checked against them, and the
OpenAPI document and the types of the Python client are made from them.

The text under a field is its description. Only type checkers and the documents import these modules, no
function does: a cold start does not pay for them.
"""
