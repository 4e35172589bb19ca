"""Shoal on one machine: the very stack that goes to AWS, deployed to a local cloud.

`ministack` runs the cloud, `front` is its public address, `cloud` boots both and deploys quickly for tests,
`run` is `make run` and `make down`.
"""
