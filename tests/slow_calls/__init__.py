"""Inline calls that hold up the event loop: who is told of them, and that nothing else changes."""
