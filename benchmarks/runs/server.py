"""Serves one contender over HTTP: `python -m benchmarks.runs.server W2 compiled 8000`."""

import sys
import warnings

import uvicorn

from benchmarks.runs.isolation import leave_fastapi_alone, load_nothing_compiled


def main(workload: str, contender: str, port: str) -> None:
    """Run uvicorn as in production: httptools and uvloop where installed, no access log."""
    if contender == "python":
        load_nothing_compiled()
    elif contender != "compiled":
        leave_fastapi_alone()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from benchmarks.subjects.contenders import create_app

        app = create_app(workload, contender)
    uvicorn.run(app, port=int(port), log_level="warning", access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
