"""The benchmarks' own promises."""
