"""One trip through the thread pool for neighbours in a plan, and for the endpoint after them.

FastAPI makes a trip for each sync dependency, for the endpoint, for the validation of its response,
and for each exit of a `yield` dependency. Here a worker goes on from call to call until something
has to be done on the event loop.
"""

from .endpoint import called_on_trip, validated_on_trip
from .trip import serving_of, take_trip

__all__ = ["called_on_trip", "serving_of", "take_trip", "validated_on_trip"]
