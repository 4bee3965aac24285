"""Plays one scene: `python -m tests.tools TEST_MODULE SCENE VARIANT ORDER`."""

import sys
from importlib import import_module

from tests.tools.scene import main

if __name__ == "__main__":
    module, name, variant, order = sys.argv[1:]
    main(getattr(import_module(f"tests.tools.{module}"), name), variant, order)
