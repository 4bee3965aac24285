"""One process: `python -m tests.fuzzing.guided TARGET`, and options of libFuzzer or one input."""

import os
import sys
from importlib import import_module
from pathlib import Path

from .corpus import large
from .targets import TARGETS


def main() -> None:
    """Read one input, or what is large and then what libFuzzer makes up."""
    target = TARGETS[sys.argv[1]]
    if Path(sys.argv[2]).is_file():
        target.check(Path(sys.argv[2]).read_bytes())
        print("no difference")
        return
    atheris = import_module("atheris")  # not everywhere, and without types
    if os.environ["PYTHONMALLOC"] == "malloc":
        for text in large(target.name):
            target.check_text(0, text)
    atheris.Setup(sys.argv[1:], target.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
