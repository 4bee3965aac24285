"""`profile`: what each sync callable costs, whether it waits, and so whether to mark it."""
