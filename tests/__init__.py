"""Tests of the package: what each folder tests and how to run them is told in README.md here."""
