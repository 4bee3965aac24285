"""The pytest plugin: strict runs and reports."""
