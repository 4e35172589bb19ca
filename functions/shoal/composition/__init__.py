"""The composition root: the one room that knows both the use cases and the adapters.

Each module builds the use cases of one capability; `parts` holds what they share. A builder reads its
Lambda's settings and imports its adapters when it is first called, so a function pays only for what its route
needs, and importing a handler needs no environment. Handlers are given what is built here: they look nothing
up.
"""
