"""`python -m tests.faults --examples 2000 --seed 1`: all faults of as many applications."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter

from tests.random_trees.long_run import quiet
from tests.random_trees.variants import close, variants

from .exploring import explore

#: Hypothesis remembers what it tried, so a long run is made of runs of this many examples.
_CHUNK = 100


def main() -> int:
    """Run, and give the exit status: 1 if anything differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--examples", type=int, default=2000, help="how many (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the whole run (%(default)s)")
    parser.add_argument("--limit", type=int, help="faults of each kind in an example, else all")
    given = parser.parse_args()
    quiet()
    chosen = variants()
    seeds, seen, done = random.Random(given.seed), Counter[str](), 0
    differs = False
    started = time.monotonic()
    while done < given.examples and not differs:
        count = min(_CHUNK, given.examples - done)
        found = explore(count, chosen, start=seeds.getrandbits(64), limit=given.limit)
        done += found.examples
        seen += found.seen
        differs = found.example is not None
        if differs:
            print(found)
        seconds = time.monotonic() - started
        print(f"{done:>8} examples, {seen['requests']} requests, {seconds:.0f} s", flush=True)
    close()
    for name, count in sorted(seen.items()):
        print(f"{count:>8}  {name}")
    print(
        f"{done} examples with {seen['requests']} requests in each of "
        f"{', '.join(variant.name for variant in chosen)}, seed {given.seed}: "
        f"{'a difference' if differs else 'no difference'}"
    )
    return int(differs)


if __name__ == "__main__":
    sys.exit(main())
