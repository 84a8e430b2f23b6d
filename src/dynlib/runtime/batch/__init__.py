"""Many runs at once: from the call of `Sim.batch` to its results, in memory or on disk."""
