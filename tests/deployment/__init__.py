"""The shop of `benchmarks/apps/production` as people run it: on PostgreSQL, behind real servers.

`python -m pytest tests/deployment` wants the extra `deployment`; without it that is an error. It
starts many processes, so a run of the whole suite leaves the directory out, and says so.
"""
