"""What the use cases need of what is outside: adapters implement these, tests bring fakes of the same shape.

Any method that reaches a service may raise `Unavailable` when that service does not answer in time.
"""
