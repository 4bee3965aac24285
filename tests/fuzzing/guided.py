"""One process of the fuzzer: `python -m tests.fuzzing.guided TARGET`, and options of libFuzzer."""

import os
import sys
from importlib import import_module

from .corpus import large
from .targets import TARGETS


def main() -> None:
    """Read what is large, then what libFuzzer makes up until it ends the process."""
    atheris = import_module("atheris")  # not everywhere, and without types
    target = TARGETS[sys.argv[1]]
    if os.environ["PYTHONMALLOC"] == "malloc":
        for text in large(target.name):
            target.check_text(0, text)
    atheris.Setup(sys.argv[1:], target.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
