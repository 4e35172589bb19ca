"""`make bench`: what Shoal costs, as ratios to plain alternatives of the same run.

Times are noisy and this machine's own, so nothing is judged by them: arms of a comparison take turns within
one run, CPU is what the operating system charged a process (user and system), and counts are counted.
"""
