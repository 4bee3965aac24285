"""The commands of `python -m release`: `rehearse`, `notes` and `pack`.

They need the standard library; what a rehearsal runs besides is listed in `.ci/release.txt`.
"""

import argparse
import sys
from pathlib import Path

from .notes import NotReadyError, check_tag, section_of, version_of
from .pack import pack
from .rehearsal import interpreters, rehearse

ROOT = Path(__file__).parent.parent


def main() -> None:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(prog="python -m release", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    notes = commands.add_parser("notes", help="print the changelog's section of a tag")
    notes.add_argument("--tag", required=True, help="the tag, vX.Y.Z: it has to be the version")
    rehearsal = commands.add_parser("rehearse", help="build, check, install and try everything")
    rehearsal.add_argument("--output", type=Path, required=True, help="a folder that is not there")
    rehearsal.add_argument(
        "--python",
        type=Path,
        action="append",
        help="an interpreter to build a compiled wheel for; without it all CPythons at hand",
    )
    packing = commands.add_parser("pack", help="write the wheels of a folder anew, in fewer bytes")
    packing.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    try:
        if arguments.command == "notes":
            version = version_of(ROOT)
            check_tag(arguments.tag, version)
            print(section_of(ROOT, version))
        elif arguments.command == "pack":
            for wheel in arguments.folder.glob("*.whl"):
                pack(wheel)
        else:
            output = arguments.output.resolve()
            rehearse(ROOT, output, arguments.python or interpreters())
    except NotReadyError as error:
        sys.exit(f"Not ready for a release: {error}")


if __name__ == "__main__":
    main()
