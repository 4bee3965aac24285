"""What comes after the dependencies: endpoints, streams and background tasks."""
