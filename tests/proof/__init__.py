"""Tests of what is proven of callables, and of what is not."""
