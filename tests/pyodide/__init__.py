"""The pure wheel in Pyodide, where there are no threads: `python -m tests.pyodide --wheel WHEEL`.

Needs the npm registry, the package index, and node and npm on PATH.
"""
