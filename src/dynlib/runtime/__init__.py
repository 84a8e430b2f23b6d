"""Sessions, runs and their results."""
