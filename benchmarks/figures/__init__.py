"""What was measured: saved, printed, drawn, and held against what is wanted."""
