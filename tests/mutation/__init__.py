"""Whether the tests notice when a line of the package is changed: `python -m tests.mutation`."""
