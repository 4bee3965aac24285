"""Servers under load for minutes, stock beside accelerated: `python -m tests.endurance.soak`."""
