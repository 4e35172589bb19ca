"""The ledger seen as a whole: audited, summed up by day and model, and watched for low balances."""
