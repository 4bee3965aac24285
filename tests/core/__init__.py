"""The two cores: which one is in use, and that they are one."""
