"""What Shoal is measured against: functions that make the very requests Shoal made, and do nothing else.

The requests come from `SHOAL_BENCH_REQUESTS`, recorded from Shoal's own handler, so a rival builds no item,
prices nothing and checks nothing: it is the price of its framework and of boto3 as everybody uses it.
"""
