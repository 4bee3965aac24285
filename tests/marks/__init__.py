"""Marks: what may carry one, which rule decides, and where marked and unmarked code runs."""
