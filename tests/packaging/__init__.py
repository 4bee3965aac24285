"""What builds and imports make of the package."""
