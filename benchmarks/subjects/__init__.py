"""What is timed: workloads, their variants, and other projects that do the same work."""
