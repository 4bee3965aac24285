"""`python -m tests.random_trees --examples 100000`: a run as long as one likes."""

import sys

from .long_run import main

if __name__ == "__main__":
    sys.exit(main())
