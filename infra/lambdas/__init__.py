"""The Lambdas of a stage as data: each with its size, its callers and its grants."""
