"""Plans: everything that can be known before a request comes, found out once per route."""
