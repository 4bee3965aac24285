"""Benchmarks and the example apps they run; `python -m benchmarks` prints the table."""
