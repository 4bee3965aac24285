"""The work of W2 done with other projects; each module has a `create_app()`."""
