"""The hooks in FastAPI's and Starlette's own functions."""

from .installed import install, install_for_endpoints, install_for_trips, remove

__all__ = ["install", "install_for_endpoints", "install_for_trips", "remove"]
