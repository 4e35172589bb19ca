"""The three stacks of a stage: what it keeps, what it does, and what watches over it."""
