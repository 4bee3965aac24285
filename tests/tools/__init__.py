"""Other people's tools beside this package: each sees what it sees on stock FastAPI.

`python -m pytest tests/tools` wants the extra `tools`; without it that is an error. A run of the
whole suite leaves the directory out where the extra is not installed, and says so.
"""
