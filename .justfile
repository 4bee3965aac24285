# The commands of a day. `just` is on the package index as rust-just.

# List them.
default:
    @just --list

# Install everything into the current environment, and build the compiled core.
build:
    python -m pip install --no-build-isolation -e ".[test,tools,conformance]"

# The tests, in two processes.
test *ARGS:
    python -m pytest -n 2 {{ ARGS }}

# The tests without those that take long.
fast *ARGS:
    python -m pytest -n 2 -m "not build and not slow" {{ ARGS }}

# Of those, what a change breaks first: under a minute on two cores.
quick *ARGS:
    python -m pytest -n 2 -m "not build and not slow" tests/core tests/marks tests/dependencies \
        tests/parameters/test_scalars.py {{ ARGS }}

# The checks of .pre-commit-config.yaml.
lint:
    pre-commit run --all-files

# Mend what can be mended without thinking.
fix:
    ruff check --fix .
    ruff format .
    clang-format -i csrc/*.c csrc/*.h

# Lint and the fast tests: before every commit.
check: lint fast

# Whether the tests notice changes of single lines: some of them, or `--all`.
mutate *ARGS:
    python -m tests.mutation {{ ARGS }}

# What the package gains on this machine.
bench:
    python -m benchmarks

# Write the tree of files in CONTRIBUTING again.
tree:
    python -m tests.packaging.tree

# Everything that a release does but the upload.
rehearse OUTPUT="dist/rehearsal":
    python -m pip install -r .ci/release.txt
    python -m release rehearse --output {{ OUTPUT }}

# Everything that has to hold before a merge, or the stages named.
gate *STAGES:
    .ci/run {{ STAGES }}
