"""The shop behind real servers on PostgreSQL, and what loads it."""
