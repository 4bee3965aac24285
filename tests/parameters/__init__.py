"""Parameters: what dependencies are given of a request, and the errors of it."""
