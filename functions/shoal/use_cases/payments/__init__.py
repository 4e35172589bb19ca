"""Money that comes in: checkouts, payments, refunds and disputes."""
