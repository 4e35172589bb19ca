"""A customer's walk over a deployed stage, which proves it and measures what the simulation assumes."""
