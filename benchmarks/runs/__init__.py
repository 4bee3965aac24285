"""How it is timed, loaded and counted, mostly in processes made for that."""
