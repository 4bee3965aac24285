"""A FastAPI that nobody has seen: the installed one with edits in its source.

`serving.serve` imports FastAPI with the edits that it is given, in a process of its own, serves one
application in a variant, and gives what came of it.
"""
