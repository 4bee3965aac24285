"""FastAPI's own test suite, run with every app accelerated and compared with stock.

`python -m tests.conformance` takes the sdist of a FastAPI release from the package index, makes an
environment in which its suite runs (in a cache outside the repository), runs the suite on stock
and in each mode, and compares the results test by test.
"""
