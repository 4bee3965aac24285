"""Random applications whose requests are cancelled, left by their client, and fail, anywhere.

The applications are those of `tests.random_trees`. Each gets one request many times: cancelled at
each `await` in turn and in each call in a thread, left by its client before, during and after the
body, and with exceptions of all kinds in each of its calls. All that can be seen of that has to be
as on stock FastAPI: `python -m tests.faults`.
"""
