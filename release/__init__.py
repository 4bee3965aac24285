"""Everything a release does but the upload: `python -m release`, with .ci/release.txt installed."""
