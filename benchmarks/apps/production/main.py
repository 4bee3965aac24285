"""What servers import: `uvicorn benchmarks.apps.production.main:app`."""

import sys

from benchmarks.apps.production.application import create_app
from benchmarks.apps.production.settings import StartUpError

# uvicorn and gunicorn stop, instead of starting a worker again and again, if it exits with this.
CANNOT_START = 3

try:
    app = create_app()
except StartUpError as error:
    print(f"The shop does not start: {error}", file=sys.stderr)
    sys.exit(CANNOT_START)
