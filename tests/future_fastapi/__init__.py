"""A FastAPI that nobody has seen: the installed one with edits in its source.

`python -m tests.future_fastapi VARIANT` imports FastAPI with the edits that it is given, serves one
application in that variant, and prints what came of it.
"""
