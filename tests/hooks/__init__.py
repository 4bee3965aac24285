"""Hooks: how an application or a router comes to be served here, and who serves which request."""
