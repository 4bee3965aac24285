"""Dependencies: what is called, how often, in which order, with which end."""
