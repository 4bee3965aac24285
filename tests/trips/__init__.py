"""One trip through the thread pool for what nobody marked."""
