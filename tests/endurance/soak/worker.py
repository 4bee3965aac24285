"""What each worker of a server begins with: `uvicorn --factory tests.endurance.soak.worker:create`.

Nothing else is imported before it is known which variant this process is to be.
"""

import os
from typing import TYPE_CHECKING

from benchmarks.runs.isolation import leave_fastapi_alone, load_nothing_compiled

if TYPE_CHECKING:
    from fastapi import FastAPI

CORE, FAULT = "SOAK_CORE", "SOAK_FAULT"


def create() -> "FastAPI":
    """Make the application, of the variant that the environment names."""
    core = os.environ[CORE]
    if core == "python":
        load_nothing_compiled()
    elif core == "stock":
        leave_fastapi_alone()
    from fastapi_async_safe import init_app

    from .served import application

    # On stock it does nothing.
    return init_app(application(os.environ.get(FAULT)), accelerated=core == "compiled")
