"""The project's own test suite, run against each FastAPI minor that the package claims to support.

`python -m tests.compatibility` builds a wheel, and for the last patch of each minor makes an
environment outside the repository, with the Starlette and pydantic that fit that FastAPI, installs
the wheel there and runs the suite. It prints one line per minor.
"""
