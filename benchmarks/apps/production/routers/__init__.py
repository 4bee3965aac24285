"""The routes, one module for each way of working."""
