"""Benchmarks and the example apps they run; `python -m benchmarks` prints the table.

`figures` show what `runs` have measured of `subjects`, which are made of `apps`: each of these
folders imports from those after it only.
"""
